"""What a process holds of a wide encoder, with all parameters on each of two processes and with them sharded (fsdp).

    python benchmarks/fsdp.py [--width 768] [--depth 6]

SimCLR with a ViT on digits, AdamW, 32 bits, batches of 8, on the processor. Held is counted: numbers of parameters,
gradients and the optimizer's state that a process has after a step. Peak memory is the largest resident set of a
process from before its networks are made to after three steps, over what it was before.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from record import machine, table

RESULTS = Path(__file__).parent / "results" / "fsdp.json"
STEPS = 3
MB = 1e6
USUAL = (768, 6)


def main() -> None:
    """Measure, and write the results; started by torchrun, measure alone."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--width", type=int, default=USUAL[0])
    asked.add_argument("--depth", type=int, default=USUAL[1])
    asked.add_argument("--fsdp", action="store_true", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if "RANK" in os.environ:
        measure(f"vit:width={given.width}:depth={given.depth}", fsdp=given.fsdp)
        return
    sizes = ["--width", str(given.width), "--depth", str(given.depth)]
    found: dict[str, Any] = {"encoder": f"vit:width={given.width}:depth={given.depth}"}
    for name, more in (("on each process", []), ("sharded over two", ["--fsdp"])):
        command = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--nproc-per-node",
            "2",
            __file__,
            *sizes,
            *more,
        ]
        done = subprocess.run(
            command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True
        )
        each = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        found[name] = max(each, key=lambda one: one["peak memory MB"])
    found["machine"] = machine()
    print(json.dumps(found, indent=1))
    if (given.width, given.depth) == USUAL:
        write(found)


def measure(encoder: str, *, fsdp: bool) -> None:
    """Three steps as one of several processes; what it took is printed as a line of JSON."""
    from replearn import SimCLR, load_data
    from replearn.data.processes import process
    from replearn.engine.batches import batches
    from replearn.engine.machine import join_processes
    from replearn.engine.sharded import local
    from replearn.engine.step import one_step
    from replearn.engine.train import place, ready

    join_processes("cpu")
    samples = load_data("digits8x8", split="train")
    before = resident()
    method = SimCLR(encoder=encoder, batch_size=8, device="cpu", precision="32-true", fsdp=fsdp)
    method.prepare(samples)
    placed = place(method, [])
    seconds = []
    with ready(method, placed.step):
        for parts in batches(method, samples, first=0, steps=STEPS):
            began = time.monotonic()
            one_step(placed.fabric, placed.module, placed.optimizer, parts, 1e-4)
            seconds.append(time.monotonic() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB
    moved = [p for group in placed.optimizer.param_groups for p in group["params"]]
    state = [x for values in placed.optimizer.optimizer.state.values() for x in values.values()]
    held = {"parameters MB": moved, "gradients MB": [p.grad for p in moved], "optimizer MB": state}
    sizes = {name: round(sum(local(x).numel() for x in each) * 4 / MB, 1) for name, each in held.items()}
    told = sizes | {"peak memory MB": round(peak - before), "seconds a step": round(min(seconds), 2)}
    print(json.dumps({"process": process(), **told}), flush=True)


def resident() -> float:
    """Megabytes that this process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def write(found: dict[str, Any]) -> None:
    """The results for programs, and as a page."""
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    names = ("on each process", "sharded over two")
    rows = [{"": name} | {key: found[name][key] for key in found[name] if key != "process"} for name in names]
    lines = [
        "# Parameters on each of two processes, and sharded over them",
        "",
        f"SimCLR with `{found['encoder']}`, of the process that needed more. Peak memory is over that before the "
        "networks were made.",
        "",
        *table(rows),
        "Repeat: `python benchmarks/fsdp.py`.",
        "",
    ]
    RESULTS.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
