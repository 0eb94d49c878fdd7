"""Measure replearn's speed and memory, each in a run that holds what it is compared with.

    python benchmarks/speed.py                 all parts; tens of minutes on two cores
    python benchmarks/speed.py step views      some of them; the others' results are kept
    python benchmarks/speed.py --quick         a smoke run into a folder of your choice (--results)

Results: `benchmarks/results/speed.json` and `speed.md`.
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path

from record import Part, Setting, Skipped, table, write

HERE = Path(__file__).resolve().parent
# Each part is a module with `measure(setting) -> Part`.
PARTS = {
    "step": "bare_step",
    "methods": "method_steps",
    "lightly": "against_lightly",
    "recipes": "lightly_recipes",
    "memory": "peak_memory",
    "slices": "sliced_memory",
    "start": "start_up",
    "views": "batch_views",
    "probe": "probe_sweep",
}


def main() -> int:
    """Run the parts that were asked for, and write what they found after each."""
    asked = parse()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="replearn-bench-") as scratch:
        # Decoded images belong to this run, not to the user's cache.
        os.environ["REPLEARN_CACHE"] = f"{scratch}/cache"
        setting = Setting(quick=asked.quick, cifar10=asked.cifar10, scratch=Path(scratch))
        for name in asked.parts or PARTS:
            began = time.perf_counter()
            print(f"{name} ...", file=sys.stderr, flush=True)
            part = measure(PARTS[name], setting)
            part.quick, part.command = asked.quick, command(name, quick=asked.quick)
            write(asked.results, {name: part}, order=list(PARTS))
            print(
                "\n".join([f"{part.title}  goal: {part.goal}: {part.met}", *table(part.rows), *part.notes]),
                flush=True,
            )
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
            failed += part.met is False
    return int(failed > 0 and asked.strict)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; none means all")
    parser.add_argument("--quick", action="store_true", help="few repetitions on little data: does it run?")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--results", type=Path, help="folder to write to (benchmarks/results)")
    parser.add_argument(
        "--cifar10",
        type=Path,
        default=HERE.parent.parent / "shared" / "data" / "bench" / "cifar10.zip",
        help="zip of CIFAR-10's JPEGs (test/<class>/*.jpg); without it, random images of that shape",
    )
    asked = parser.parse_args()
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"parts must be of {', '.join(PARTS)}; got {', '.join(unknown)}.")
    if asked.quick and asked.results is None:
        parser.error("--quick needs --results FOLDER, so that a smoke run never replaces real numbers.")
    asked.results = asked.results or HERE / "results"
    asked.cifar10 = asked.cifar10 if asked.cifar10.is_file() else None
    return asked


def measure(module: str, setting: Setting) -> Part:
    """What the part found, or why it could not be measured."""
    try:
        found: Part = importlib.import_module(module).measure(setting)
    except Skipped as reason:
        return Part(
            title=module.replace("_", " ").capitalize(), goal="to be measured", notes=[f"Skipped: {reason}"]
        )
    return found


def command(name: str, *, quick: bool) -> str:
    return f"python benchmarks/speed.py {name}{' --quick --results FOLDER' if quick else ''}"


if __name__ == "__main__":
    sys.exit(main())
