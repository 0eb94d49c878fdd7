"""On one GPU, in at most eight minutes: the contract tests of the methods, and how much of a training step is work.

    make gpu                                 where there is a CUDA device; elsewhere it says so in a line, and ends well
    python benchmarks/gpu.py --device cpu --quick --results smoke

Parts run one after the other, each as a process of its own within its own limit. After each, what is known lies in
`gpu.json` and `gpu.md` of --results (benchmarks/results), so that a stop loses one part at most. A part that reaches
its limit is ended by Ctrl-C, and by SIGKILL 15 seconds later; the page says so, with what it had come to.

| part | runs | limit, s |
| --- | --- | --- |
| chosen | what `device="auto"` and `precision="auto"` are here | 30 |
| contract | `pytest tests/methods/test_contract.py`, of the fast lane | 180 |
| step | `speed.py step`: SimCLR's step beside the networks' own work, three sizes | 100 |
| methods | `speed.py methods`: the same for every method that compares views | 100 |

With `--device cpu` the GPU is hidden from all parts: a test of this program, no measurement. With `--quick` the
contract is one method's, and the others make a few steps.
"""

import argparse
import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import record

HERE = Path(__file__).resolve().parent
AFTER = 15  # seconds between Ctrl-C and SIGKILL
CHOSEN = """
import json
from replearn.engine.machine import choose, choose_for_inference
import replearn
data = replearn.load_data("digits8x8")
method = replearn.SimCLR(encoder="mlp", epochs=1, batch_size=256).fit(data)
device = str(next(method.encoder_.parameters()).device)
print(json.dumps({"training": str(choose()), "inference": str(choose_for_inference()), "weights after fit": device}))
"""
ENDED = re.compile(r"^=*\s*((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.M)


@dataclass(frozen=True)
class Asked:
    """A part.

    Attributes:
        name: of it.
        command: for Python.
        limit: seconds.
        results: folder in which `speed.py` writes, or None.
    """

    name: str
    command: Sequence[str]
    limit: float
    results: Path | None = None


def main() -> int:
    """Run all parts; 1 where one failed, 0 also where it was cut."""
    asked = parse()
    import torch

    if asked.device == "cuda" and not torch.cuda.is_available():
        print(
            f"no CUDA device here: nothing was measured ({torch.__version__}). Run `make gpu` where there is one."
        )
        return 0
    environment = dict(os.environ)
    if asked.device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    found: list[dict[str, Any]] = []
    for part in parts(asked):
        print(f"{part.name} ...", file=sys.stderr, flush=True)
        found.append(run(part, environment))
        write(asked, found)
        print({name: value for name, value in found[-1].items() if name != "tables"}, flush=True)
    return int(any(row["state"] == "failed" for row in found))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="the smallest settings: does it run?")
    parser.add_argument("--results", type=Path, help="folder to write to (benchmarks/results)")
    parser.add_argument("--parts", nargs="+", choices=("chosen", "contract", "step", "methods"))
    asked = parser.parse_args()
    if (asked.quick or asked.device == "cpu") and asked.results is None:
        parser.error(
            "--quick and --device cpu need --results FOLDER, so that they never replace real numbers."
        )
    asked.results = (asked.results or HERE / "results").absolute()
    return asked


def parts(asked: argparse.Namespace) -> list[Asked]:
    """Those that are asked for, in order."""
    tests = ["-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", "tests/methods/test_contract.py"]
    tests += ["-k", "SimCLR and same_seed"] if asked.quick else []
    made = [Asked("chosen", ["-c", CHOSEN], 30), Asked("contract", tests, 180)]
    for name, limit in (("step", 100), ("methods", 100)):
        folder = asked.results / f"gpu-{name}"
        quick = ["--quick"] if asked.quick else []
        command = [str(HERE / "speed.py"), name, *quick, "--results", str(folder)]
        made.append(Asked(name, command, limit, folder))
    return [part for part in made if asked.parts is None or part.name in asked.parts]


def run(part: Asked, environment: dict[str, str]) -> dict[str, Any]:
    """Run a part within its limit, and say what it came to."""
    began = time.monotonic()
    if part.results is not None:  # of an earlier run, perhaps on another device
        shutil.rmtree(part.results, ignore_errors=True)
    process = subprocess.Popen(
        [sys.executable, *part.command],
        cwd=HERE.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that what it starts ends with it
    )
    cut = False
    try:
        said = process.communicate(timeout=part.limit)[0]
    except subprocess.TimeoutExpired:
        cut = True
        os.killpg(process.pid, signal.SIGINT)
        try:
            said = process.communicate(timeout=AFTER)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said = process.communicate()[0]
    except BaseException:  # Ctrl-C reaches this process alone
        os.killpg(process.pid, signal.SIGKILL)
        raise
    state = "cut" if cut else "failed" if process.returncode else "done"
    row = {
        "part": part.name,
        "state": state,
        "seconds": round(time.monotonic() - began, 1),
        "limit": part.limit,
    }
    return row | {"found": summary(part, said, state), "tables": tables(part) or so_far(said)}


def summary(part: Asked, said: str, state: str) -> str:
    """What a part says at its end, in a line."""
    lines = [line for line in said.splitlines() if line.strip()]
    if part.name == "chosen" and state == "done":
        return "; ".join(f"{name}: {value}" for name, value in json.loads(lines[-1]).items())
    if ended := ENDED.findall(said):
        failed = [line for line in lines if line.startswith("FAILED")]
        return " | ".join([ended[-1], *failed[:10]])
    if state == "done":
        return "see below"
    return " | ".join(lines[-3:])[-400:] or "nothing was said"


def tables(part: Asked) -> list[str]:
    """What `speed.py` wrote, without its heading."""
    if part.results is None or not (part.results / "speed.md").is_file():
        return []
    text = (part.results / "speed.md").read_text(encoding="utf-8")
    return text[text.index("## ") :].rstrip().splitlines() if "## " in text else []


def so_far(said: str) -> list[str]:
    """The rows that a part which was cut had printed, as a table."""
    printed = [line for line in said.splitlines() if line.startswith("{'")]
    return record.table([ast.literal_eval(line) for line in printed])


def write(asked: argparse.Namespace, found: list[dict[str, Any]]) -> None:
    """The JSON and the page of what is known so far."""
    asked.results.mkdir(parents=True, exist_ok=True)
    machine = record.machine()
    content = {"parts": found, "machine": machine, "device": asked.device, "quick": asked.quick}
    (asked.results / "gpu.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    real = asked.device == "cuda" and not asked.quick
    shown = [{name: row[name] for name in ("part", "state", "seconds", "limit", "found")} for row in found]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    graphics = machine["GPU"] if asked.device == "cuda" else "no GPU"
    lines = [
        "# On one GPU",
        "",
        f"`make gpu`, {sum(row['seconds'] for row in found):.0f} s; {graphics}, {machine['processor']}, "
        f"{machine['cores']} cores; {versions}.",
        *([] if real else ["", "*A test of the program: no number here means anything.*"]),
        "",
        *record.table(shown),
    ]
    for row in found:
        lines += [*row["tables"], ""] if row["tables"] else []
    (asked.results / "gpu.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
