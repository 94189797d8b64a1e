"""The program beside other ways to watch the same cameras with the same network, in one run. README.md has the method.

    python3 benches/peers/run.py --cameras 16 --seconds 60      (make peers CAMERAS=16 SECONDS=60)
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
# Everybody connects, and the first looks, all due at once, are over.
WARM_S = 20
METRIC = "huoyan_frames_inferred_total"


@dataclass
class Contender:
    name: str
    inference: bool
    command: list[str]
    packages: str | None = None  # folder under .huoyan/peers
    metrics: str | None = None  # address of the page that counts frames; else they come on stdout
    note: str = ""


def tree(root: int) -> list[list[str]]:
    """/proc/<pid>/stat of a process and all below it, from the third field on."""
    stats, children = {}, {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                fields = Path(entry.path, "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # ended meanwhile
            stats[int(entry.name)] = fields
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        if pid in stats:
            found.append(stats[pid])
            todo += children.get(pid, [])
    return found


def cpu_s(root: int) -> float:
    """User and system time of the tree, with that of children that have ended."""
    return sum(sum(map(int, stat[11:15])) for stat in tree(root)) / TICKS


def rss_mb(root: int) -> float:
    return sum(int(stat[21]) for stat in tree(root)) * PAGE_MB


def threads(root: int) -> int:
    return sum(int(stat[17]) for stat in tree(root))


def machine_busy_s() -> float:
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / TICKS


def end(process: subprocess.Popen):
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Running:
    """A contender at work; `frames()` is what it has looked at so far."""

    def __init__(self, contender: Contender, log: Path):
        environment = dict(os.environ)
        if contender.packages:
            environment["PYTHONPATH"] = str(ROOT / ".huoyan/peers" / contender.packages)
        self.contender, self.log, self.last = contender, log, 0
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                contender.command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            if line.startswith('{"analysed"'):
                self.last = json.loads(line)["analysed"]

    def frames(self) -> int:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.contender.name} ended by itself:\n{self.log.read_text()[-2000:]}")
        if self.contender.metrics:
            with urllib.request.urlopen(self.contender.metrics, timeout=10) as page:
                lines = page.read().decode().splitlines()
            counts = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(METRIC)]
            if not counts:
                raise RuntimeError(f"{self.contender.name} has looked at nothing: no {METRIC} on {self.contender.metrics}")
            return round(sum(counts))
        return self.last


def measure(contender: Contender, farm: subprocess.Popen, args, log: Path) -> dict:
    running = Running(contender, log)
    try:
        time.sleep(WARM_S)
        pid = running.process.pid
        frames, cpu, farm_cpu, busy, begun = running.frames(), cpu_s(pid), cpu_s(farm.pid), machine_busy_s(), time.monotonic()
        memory = []
        while time.monotonic() < begun + args.seconds:
            time.sleep(1)
            memory.append(rss_mb(pid))
        took = time.monotonic() - begun
        frames, cpu = running.frames() - frames, cpu_s(pid) - cpu
        return {
            "name": contender.name,
            "inference": contender.inference,
            "cameras": args.cameras,
            "seconds": round(took, 1),
            "frames": frames,
            "frames_due": round(args.cameras * took / args.cadence),
            "cpu_s": round(cpu, 2),
            "farm_cpu_s": round(cpu_s(farm.pid) - farm_cpu, 2),
            "machine_busy": round((machine_busy_s() - busy) / took / os.cpu_count(), 3),
            "rss_mb": round(max(memory), 1),
            "threads": threads(pid),
            "note": contender.note,
        }
    finally:
        end(running.process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def contenders(args, built: Path, url: str, register: Path, office: Path) -> list[Contender]:
    python = [sys.executable]
    common = ["--url", url, "--cameras", str(args.cameras), "--cadence", str(args.cadence)]
    peer = str(built / "examples/huoyan-peer")
    ours, port = str(built / "huoyan"), free_port()
    (office / "huoyan.toml").write_text(f'[camera]\ncadence = "{args.cadence}s"\n[detect]\ndevice = "cpu"\n')
    program = [ours, "--config", str(office / "huoyan.toml"), "--data", str(office / "data"), "--quiet"]
    subprocess.run([*program, "import", "cameras", str(register)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    listen = f"127.0.0.1:{port}"
    without = ["--no-inference"]
    opencv = [*python, str(HERE / "opencv_loop.py"), *common]
    pyronear = [*python, str(HERE / "pyronear_loop.py"), *common]
    found = [
        Contender(
            "huoyan", True, [*program, "run", "--listen", listen], metrics=f"http://{listen}/metrics",
            note="the whole program: cameras, model, confirmation, desk, database, pages",
        ),
        Contender("huoyan", False, [peer, "receive", *common], note="its receivers, scheduler and decoders alone"),
    ]
    for inference, more in ((True, []), (False, without)):
        found += [
            Contender("gstreamer decodebin", inference, [peer, "decodebin", *common, *more]),
            Contender("opencv read", inference, [*opencv, *more], "opencv"),
            Contender("opencv grab", inference, [*opencv, "--grab", *more], "opencv"),
        ]
        # Its adapter starts a process of ffmpeg for every picture.
        if (ROOT / ".huoyan/peers/pyronear/pyroengine").is_dir() and shutil.which("ffmpeg"):
            note = "connects anew for each picture; our network behind its classifier"
            found.append(Contender("pyronear engine", inference, [*pyronear, *more], "pyronear", note=note))
    return found


def onnx_cpu_s(args) -> float:
    command = [sys.executable, str(HERE / "onnx_alone.py")]
    environment = os.environ | {"PYTHONPATH": str(ROOT / ".huoyan/peers/opencv")}
    return float(subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout)


def cpu_flags(built: Path) -> list[str]:
    """The processor's instruction sets, as the program names them."""
    command = [str(built / "huoyan"), "--quiet", "--json", "model", "check"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)["cpu_flags"]


def derive(rows: list[dict], onnx_s: float):
    """Adds what follows from the counts. Ratios are to huoyan's row of the same kind, in the same run."""
    for row in rows:
        camera_s = row["cameras"] * row["seconds"]
        row["cpu_ms_per_camera_s"] = round(1000 * row["cpu_s"] / camera_s, 3)
        row["cpu_ms_per_frame"] = round(1000 * row["cpu_s"] / row["frames"], 2) if row["frames"] else None
        row["looks_done"] = round(row["frames"] / row["frames_due"], 3)
        row["cameras_per_core"] = round(camera_s / row["cpu_s"], 1) if row["cpu_s"] else None
        if row["inference"]:
            row["cpu_ms_per_camera_s_less_onnx"] = round(1000 * (row["cpu_s"] - row["frames"] * onnx_s) / camera_s, 3)
    for row in rows:
        ours = next(r for r in rows if r["name"] == "huoyan" and r["inference"] == row["inference"])
        for key in ("cpu_ms_per_camera_s", "cpu_ms_per_frame", "rss_mb"):
            row[f"{key}_ratio"] = round(row[key] / ours[key], 2) if row[key] and ours[key] else None


def line(cells) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def row_line(row: dict) -> str:
    model = "yes" if row["inference"] else "no"
    frame = "–" if row["cpu_ms_per_frame"] is None else f"{row['cpu_ms_per_frame']:.1f}"
    costs = [f"{row['cpu_ms_per_camera_s']:.2f}", row["cpu_ms_per_camera_s_ratio"], frame, row["cpu_ms_per_frame_ratio"]]
    rest = [row["cameras_per_core"], f"{row['looks_done']:.0%}", f"{row['rss_mb']:.0f}", row["threads"], f"{row['machine_busy']:.0%}"]
    return line([row["name"], model, *costs, *rest])


def head(about: dict) -> list[str]:
    heads = ["way", "model", "CPU-ms a camera-second", "× huoyan", "CPU-ms a look", "× huoyan", "cameras a core", "looks done of due"]
    heads += ["RSS MB", "threads", "machine busy"]
    return [
        f"{about['cameras']} cameras, {about['stream']} stream, one look in {about['cadence_s']} s, {about['seconds']} s each, "
        f"{about['cpus']} cores ({' '.join(about['cpu_flags'])}); the network alone costs {about['onnx_cpu_ms']:.1f} CPU-ms a look.",
        "",
        line(heads),
        line(["---", "---", *["---:"] * (len(heads) - 2)]),
    ]


class Told:
    """What has been measured so far: each row is printed and both files are written as soon as it is there."""

    def __init__(self, out: Path, about: dict):
        self.out, self.about, self.rows, self.failed = out, about, [], []
        out.mkdir(parents=True, exist_ok=True)

    def row(self, row: dict):
        self.rows.append(row)
        self.write()
        if len(self.rows) == 1:
            print("\n".join(head(self.about)), flush=True)
        print(row_line(row), flush=True)

    def write(self):
        derive(self.rows, self.about["onnx_cpu_ms"] / 1000)
        result = {"about": self.about, "rows": self.rows, "failed": self.failed}
        (self.out / f"peers-{self.about['stream']}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        lines = [*head(self.about), *map(row_line, self.rows)]
        (self.out / f"peers-{self.about['stream']}.md").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=60, help="measured, each")
    parser.add_argument("--cadence", type=int, default=10, help="seconds from one look at a camera to the next")
    parser.add_argument("--stream", choices=("sub", "main"), default="sub")
    parser.add_argument("--built", type=Path, default=Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release")
    parser.add_argument("--only", default="", help="names of ways, with commas")
    parser.add_argument("--out", type=Path, help="folder for peers-<stream>.json and .md")
    args = parser.parse_args()
    if args.seconds <= 0 or args.seconds % args.cadence:
        parser.error("--seconds must be a multiple of --cadence, or a camera would be looked at more often than another")
    cpus = os.cpu_count()
    today = datetime.datetime.now(datetime.UTC).date()
    out = args.out or ROOT / f"benches/runs/{today}-{cpus}core-{platform.machine().replace('_', '-')}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        register = folder / "cameras.csv"
        farm_command = [str(args.built / "examples/huoyan-farm"), "--cameras", str(args.cameras), "--stream", args.stream]
        farm_command += ["--port", "0", "--register", str(register), "--json"]
        farm = subprocess.Popen(farm_command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            started = farm.stdout.readline()
            if not started:
                sys.exit("the farm did not start: see above")
            url = f"rtsp://{json.loads(started)['address']}/cam/{{}}/{args.stream}"
            first = onnx_cpu_s(args)
            about = {
                "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "cpus": cpus,
                "cpu_flags": cpu_flags(args.built),
                "cameras": args.cameras,
                "stream": args.stream,
                "cadence_s": args.cadence,
                "seconds": args.seconds,
                "onnx_cpu_ms": 1000 * first,
            }
            told = Told(out, about)
            chosen = contenders(args, args.built, url, register, folder)
            chosen = [c for c in chosen if not args.only or c.name in args.only.split(",") or c.name == "huoyan"]
            for number, contender in enumerate(chosen, 1):
                kind = "with" if contender.inference else "without"
                print(f"[{number}/{len(chosen)}] {contender.name} {kind} inference", file=sys.stderr, flush=True)
                try:
                    told.row(measure(contender, farm, args, folder / "log"))
                except RuntimeError as error:
                    if contender.name == "huoyan":
                        raise
                    told.failed.append(f"{contender.name} {kind} inference: {error}")
                    print(f"      left out: {error}", file=sys.stderr, flush=True)
            # What the network alone costs is measured before and after; the mean stands in the files.
            about["onnx_cpu_ms"] = 1000 * statistics.mean([first, onnx_cpu_s(args)])
            told.write()
        finally:
            end(farm)


if __name__ == "__main__":
    main()
