"""A million rows, represented by two processes of Ray, one killed in the middle: how fast, and is each there once?

    python benchmarks/many_machines.py [--rows 1000000] [--folder FOLDER]

Rows of 32 numbers in ten Parquet files, an encoder `mlp` of 32 numbers, one thread each. The worker that is killed is
the first that is at work once a third of the files are there. Memory is what processes have for themselves or share,
by the system's count (proportional set size), of the command and all processes below it.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from record import machine, table

COLUMNS, FILES = 32, 10
RESULTS = Path(__file__).parent / "results" / "many_machines.json"


def main() -> None:
    """Measure, and write the results."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--folder", type=Path, default=Path("many-machines"))
    given = asked.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    os.chdir(given.folder)
    os.environ |= {"OMP_NUM_THREADS": "1", "REPLEARN_CACHE": "cache"}
    make_rows(given.rows)
    fit()
    one = embed("one.parquet")
    two = embed("two", "--workers", "2", kill=True)
    found = {
        "rows": given.rows,
        "columns": COLUMNS,
        "one process": one,
        "two workers, one killed": two,
        "same": compare(given.rows),
        "machine": machine(),
    }
    print(json.dumps(found, indent=1))
    if given.rows >= 1_000_000:
        write(found)


def write(found: dict[str, Any]) -> None:
    """The results for programs, and as a page."""
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    columns = ("seconds", "CPU seconds", "peak memory MB, all processes", "bytes")
    rows = [
        {"": name} | {column: found[name][column] for column in columns}
        for name in ("one process", "two workers, one killed")
    ]
    same = found["same"]
    lines = [
        "# A million rows by two workers, one killed",
        "",
        f"{found['rows']:,} rows of {found['columns']} numbers, an encoder `mlp`. Each row once: "
        f"{'yes' if same['each row once'] else 'no'}; largest difference from one process: "
        f"{same['largest difference']:g}. Seconds on the clock mean little, since other work had most of the machine.",
        "",
        *table(rows),
        "Repeat: `python benchmarks/many_machines.py`.",
        "",
    ]
    RESULTS.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")


def make_rows(rows: int) -> None:
    """Rows in files, the same each time."""
    Path("data").mkdir(exist_ok=True)
    draw = np.random.default_rng(0)
    for number, part in enumerate(np.array_split(np.arange(rows), FILES)):
        frame = pd.DataFrame(draw.normal(size=(len(part), COLUMNS)).astype(np.float32))
        frame.columns = [f"x{column}" for column in range(COLUMNS)]
        frame.to_parquet(f"data/part-{number:05}.parquet")


def fit() -> None:
    """A small encoder, on a part of the rows."""
    if Path("run/weights.safetensors").exists():
        return
    how = ["--dim", "32", "--epochs", "1", "--encoder", "mlp", "--device", "cpu", "--run", "run"]
    subprocess.run([*program(), "fit", "autoencoder", "data/part-00000.parquet", *how], check=True)


def embed(out: str, *more: str, kill: bool = False) -> dict[str, Any]:
    """What a run of the command took."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*program(), "embed", "run", "data", "--out", out, *(more or ["--again"])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watched = Watched(process.pid, Path(out) if kill else None)
    told, warned = process.communicate()
    watched.ended.set()
    watched.join()
    assert process.returncode == 0, warned
    return {
        "seconds": round(time.monotonic() - began, 1),
        "CPU seconds": round(watched.seconds, 1),
        "peak memory MB, all processes": round(watched.peak / 2**20),
        "peak memory MB, largest worker": round(watched.worker / 2**20),
        "killed": watched.killed,
        "warned": [line for line in warned.splitlines() if "workers that ended" in line],
        "load of the machine": round(os.getloadavg()[1], 1),
        "said": told.strip().splitlines()[-1],
        "bytes": sum(path.stat().st_size for path in (Path(out).glob("part-*") if kill else [Path(out)])),
    }


class Watched(threading.Thread):
    """Looks at a process and those below it, and kills a worker in the middle, if it is told where."""

    def __init__(self, process: int, out: Path | None) -> None:
        super().__init__(daemon=True)
        self.process, self.out = process, out
        self.peak, self.worker, self.killed = 0, 0, False
        self.times: dict[int, float] = {}
        self.ended = threading.Event()
        self.start()

    @property
    def seconds(self) -> float:
        """Of the processor, of all processes that were seen."""
        return sum(self.times.values())

    def run(self) -> None:
        looked = 0.0
        while not self.ended.wait(0.02):
            if self.out is not None and not self.killed:
                self._kill(self.out)
            if time.monotonic() - looked > 1:
                self._look()
                looked = time.monotonic()

    def _kill(self, out: Path) -> None:
        listed = out / "_manifest.json"
        if not listed.exists():
            return
        shards = len(json.loads(listed.read_text(encoding="utf-8"))["shards"])
        if len(list(out.glob("part-*.parquet"))) * 3 < shards:
            return
        for part in out.glob(".part-*.part"):
            os.kill(int(part.name.removesuffix(".part").rpartition("-")[2]), signal.SIGKILL)
            self.killed = True
            return

    def _look(self) -> None:
        total = 0
        for number in below(self.process):
            try:
                size = memory(number)
                name = Path(f"/proc/{number}/cmdline").read_bytes()
                fields = Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            except (OSError, ValueError):
                continue
            self.times[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            total += size
            if name.startswith(b"ray::"):
                self.worker = max(self.worker, size)
        self.peak = max(self.peak, total)


def below(process: int) -> list[int]:
    """A process and all that came of it."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = path.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        parents.setdefault(int(told.rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
    found, at = [process], 0
    while at < len(found):
        found += parents.get(found[at], [])
        at += 1
    return found


def memory(process: int) -> int:
    """Proportional set size in bytes."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def compare(rows: int) -> dict[str, Any]:
    """Whether each row is there once, and how far it is from that of one process."""
    one, two = pd.read_parquet("one.parquet"), pd.read_parquet("two")
    numbers = np.sort(two["index"].to_numpy())
    differ = np.abs(np.stack(one["h"]) - np.stack(two.sort_values("index")["h"]))
    return {
        "each row once": bool((numbers == np.arange(rows)).all()),
        "largest difference": float(differ.max()),
    }


def program() -> list[str]:
    """How `replearn` is started."""
    return [sys.executable, "-m", "replearn"]


if __name__ == "__main__":
    main()
