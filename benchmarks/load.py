"""What `replearn serve` holds: clients that ask all the time, by 1 and 2 workers, and with a worker killed meanwhile.

    python benchmarks/load.py
    python benchmarks/load.py --clients 8 --seconds 2 --results smoke.json

A `FineTune` of `cnn` learns --data for an epoch, and an index of it is made. Then `replearn serve` runs as a process
of its own, and --clients connections of one asyncio client send a sample at a time (an image as PNG in base64) for
--seconds to /embed, to /neighbours (five of the index) and to /classify. Every answer is compared with replearn's own,
made in this process: numbers to 1e-4, neighbours by their cosines. With `killed`, connections ask all addresses by
turns, and after half of the time the worker that answers /health gets SIGKILL: `cut` are requests that got no answer
(they are not sent again), `silence` is the longest time without any answer from then on, `again` that from the start of
another worker until it answered. Memory is that of all processes of the service, shared pages counted once (Linux).

The client takes part of the same processor: the service alone would do more.
Results: `benchmarks/results/load.json` and `load.md`.
"""

import argparse
import asyncio
import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rows
from record import machine

ASKED = 64  # samples that are asked for
NEAR = 5
PATHS = ("/embed", "/neighbours", "/classify")
READY = re.compile(r"http://127\.0\.0\.1:(\d+)")
AGAIN = re.compile(r"answers, ([\d.]+) s after its start")


@dataclass
class Seen:
    """What clients saw.

    Attributes:
        milliseconds: of each answer.
        times: at which answers came.
        counts: of answers that were right and wrong, of other statuses, and of requests that were cut off.
    """

    milliseconds: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Truth:
    """Requests and what replearn itself says to them.

    Attributes:
        bodies: of requests by address, a list of as many as there are samples.
        answers: numbers by address, a row per sample.
    """

    bodies: dict[str, list[bytes]]
    answers: dict[str, np.ndarray]


def main() -> int:
    """Measure all rows, and write after each."""
    asked = parse()
    with tempfile.TemporaryDirectory() as folder:
        truth = prepare(Path(folder), asked.data)
        for workers in asked.workers:
            with service(Path(folder), workers) as (process, port, lines):
                for path in PATHS:
                    keep(asked, load(asked, truth, process.pid, port, [path]) | {"workers": workers})
                if workers > 1:
                    row = load(asked, truth, process.pid, port, PATHS, kill=True)
                    keep(asked, row | {"workers": workers, "again s": again(lines)})
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--data", default="digits")
    results = Path(__file__).resolve().parent / "results" / "load.json"
    parser.add_argument("--results", type=Path, default=results)
    return parser.parse_args()


def prepare(folder: Path, data: str) -> Truth:
    """A run and an index in a folder, and what replearn says of some of its samples."""
    run, index = str(folder / "run"), str(folder / "index")
    command = [sys.executable, "-m", "replearn"]
    fit = ["finetune", "cnn", data, "--task", "classify", "--epochs", "1", "--to", run]
    for args in (fit, ["index", run, data, "--to", index]):
        subprocess.run([*command, *args], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    from PIL import Image

    from replearn import load as load_run
    from replearn import load_data
    from replearn.service.indexes import open_index

    samples = load_data(data).subset(range(ASKED))
    model, table = load_run(run), open_index(index).table
    h = model.transform(samples)
    near = [table.search(row, NEAR)["cosine"].to_numpy() for row in h]
    inputs = []
    for image in pixels(samples):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        inputs.append(base64.b64encode(file.getvalue()).decode())
    more = {"/embed": {}, "/neighbours": {"top": NEAR}, "/classify": {}}
    return Truth(
        {
            path: [json.dumps({"inputs": [one], **rest}).encode() for one in inputs]
            for path, rest in more.items()
        },
        {"/embed": h, "/neighbours": np.array(near), "/classify": model.predict_proba(samples)},
    )


def pixels(samples: Any) -> list[np.ndarray]:
    """Images as PIL takes them."""
    made = samples[np.arange(len(samples))].x.numpy()  # (n, c, h, w)
    if made.dtype != np.uint8:
        raise SystemExit("--data must be images of bytes, digits or emoji")
    return [image[0] if image.shape[0] == 1 else image.transpose(1, 2, 0) for image in made]


@contextmanager
def service(folder: Path, workers: int) -> Iterator[tuple["subprocess.Popen[str]", int, list[str]]]:
    """A server with all its workers ready, its port, and the lines that it says."""
    args = ["serve", "run", "--index", "index", "--port", "0", "--workers", str(workers)]
    process = subprocess.Popen(
        [sys.executable, "-m", "replearn", *args], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        lines = [process.stderr.readline()]
        while (found := READY.search(lines[-1])) is None:
            if not lines[-1]:
                raise SystemExit(f"the server ended: {' '.join(lines)}")
            lines.append(process.stderr.readline())
        said = process.stderr
        threading.Thread(target=lambda: lines.extend(iter(said.readline, "")), daemon=True).start()
        port = int(found[1])
        seen: set[int] = set()
        while workers > 1 and len(seen) < workers:
            seen.add(asyncio.run(health(port)))
            time.sleep(0.05)
        yield process, port, lines
    finally:
        process.terminate()
        process.wait(60)


def load(
    asked: argparse.Namespace, truth: Truth, pid: int, port: int, paths: Any, *, kill: bool = False
) -> dict[str, Any]:
    """A row: all clients for the time that is asked for, with a worker killed in the middle."""
    seen = Seen()
    began = time.perf_counter()
    memory, killed = asyncio.run(all_clients(asked, truth, pid, port, paths, seen, kill=kill))
    took = time.perf_counter() - began
    p50, p95, p99 = np.percentile(seen.milliseconds, [50, 95, 99]).round(1).tolist()
    row = {
        "asked": "all three, a worker killed" if kill else paths[0],
        "clients": asked.clients,
        "seconds": round(took, 1),
        "right": seen.counts["right"],
        "wrong": seen.counts["wrong"],
        "errors": sum(count for name, count in seen.counts.items() if name.startswith("status")),
        "cut": seen.counts["cut"],
        "per second": round(len(seen.times) / took, 1),
        "p50 ms": p50,
        "p95 ms": p95,
        "p99 ms": p99,
        "MB": round(memory),
    }
    if kill:
        after = [killed, *(one for one in sorted(seen.times) if one > killed)]
        row["silence s"] = round(float(np.diff(after).max()), 2)
    return row | {"machine": machine()}


async def all_clients(
    asked: argparse.Namespace, truth: Truth, pid: int, port: int, paths: Any, seen: Seen, *, kill: bool
) -> tuple[float, float]:
    """Memory in MB in the middle, and when a worker was killed."""
    until = time.perf_counter() + asked.seconds
    clients = [
        asyncio.create_task(client(number, truth, port, paths, seen, until))
        for number in range(asked.clients)
    ]
    await asyncio.sleep(asked.seconds / 2)
    memory, killed = megabytes(pid), time.perf_counter()
    if kill:
        os.kill(await health(port), signal.SIGKILL)
        killed = time.perf_counter()
    await asyncio.gather(*clients)
    return memory, killed


async def client(number: int, truth: Truth, port: int, paths: Any, seen: Seen, until: float) -> None:
    """One connection that asks as soon as it has an answer, and is made anew when it breaks."""
    stream, turn = None, number
    while time.perf_counter() < until:
        path, at = paths[turn % len(paths)], turn % ASKED
        turn += 1
        began = time.perf_counter()
        try:
            stream = stream or await asyncio.open_connection("127.0.0.1", port)
            status, answer = await ask(stream, "POST", path, truth.bodies[path][at])
        except (OSError, asyncio.IncompleteReadError):
            seen.counts["cut"] += 1
            stream = None
            await asyncio.sleep(0.01)
            continue
        seen.times.append(time.perf_counter())
        seen.milliseconds.append(1e3 * (seen.times[-1] - began))
        told = f"status {status}" if status != 200 else right(truth, path, at, answer)
        seen.counts[told] += 1
    if stream is not None:
        stream[1].close()


def right(truth: Truth, path: str, at: int, answer: dict[str, Any]) -> str:
    """Whether an answer is replearn's own."""
    if path == "/neighbours":
        found = [one["cosine"] for one in answer["neighbours"][0]]
    else:
        found = answer["h" if path == "/embed" else "probabilities"][0]
    own = truth.answers[path][at]
    same = len(found) == len(own) and np.allclose(found, own, rtol=1e-4, atol=1e-4 * np.abs(own).max())
    return "right" if same else "wrong"


async def ask(stream: Any, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    """A request over a connection that stays open: HTTP/1.1, a length in each answer."""
    reader, writer = stream
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    lines = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(re.search(rb"content-length: (\d+)", lines)[1])  # type: ignore[index]
    return int(lines.split()[1]), json.loads(await reader.readexactly(length))


async def health(port: int) -> int:
    """The number of the process that answers; 0 of one alone."""
    stream = await asyncio.open_connection("127.0.0.1", port)
    _, answer = await ask(stream, "GET", "/health")
    stream[1].close()
    return int(answer.get("worker", 0))


def megabytes(pid: int) -> float:
    """Memory of a process and its children, shared pages counted once; NaN where Linux does not tell."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        total = 0
        for one in [pid, *children]:
            found = re.search(
                r"^Pss: +(\d+)", Path(f"/proc/{one}/smaps_rollup").read_text(encoding="utf-8"), re.M
            )
            total += int(found[1]) if found else 0
    except OSError:
        return float("nan")
    return total / 1024


def again(lines: list[str]) -> float | None:
    """Seconds until another worker answered, by what the supervisor said; None: not within two minutes."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for line in lines:
            if found := AGAIN.search(line):
                return float(found[1])
        time.sleep(0.1)
    return None


def keep(asked: argparse.Namespace, row: dict[str, Any]) -> None:
    """Write a row, and the page of all."""
    print({name: value for name, value in row.items() if name != "machine"}, flush=True)
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    found = rows.keep(asked.results, row, ("workers", "asked"))
    asked.results.with_suffix(".md").write_text(markdown(found), encoding="utf-8")


def markdown(found: list[dict[str, Any]]) -> str:
    """The page."""
    names = (
        "workers",
        "asked",
        "per second",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "right",
        "wrong",
        "errors",
        "cut",
    )
    names += ("silence s", "again s", "MB")
    told = [
        f"{found[-1]['clients']} clients, {found[-1]['seconds']:.0f} seconds each, a sample a request, clients and "
        "service on the same processor.",
        "cut: requests without an answer; silence: longest time without any answer after the death; again: until "
        "another worker",
        "answered in its place; MB: of all processes of the service, shared pages counted once.",
    ]
    lines = rows.table(
        names, [["" if row.get(name) is None else str(row[name]) for name in names] for row in found]
    )
    used = rows.used_by(row["machine"] for row in found)
    return rows.page("`replearn serve` under load", "python benchmarks/load.py", told, lines, used)


if __name__ == "__main__":
    sys.exit(main())
