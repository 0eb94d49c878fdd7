"""What a benchmark found, and how it is written down: JSON for programs, Markdown for readers."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "replearn",
    "torch",
    "torchvision",
    "timm",
    "lightning-fabric",
    "numpy",
    "scikit-learn",
    "Pillow",
    "lightly",
)


@dataclass(frozen=True)
class Setting:
    """How to measure.

    Attributes:
        quick: few repetitions on little data: shows that it runs, says nothing about speed.
        cifar10: the zip of CIFAR-10's JPEGs, or None.
        scratch: a folder for files that may be deleted afterwards.
    """

    quick: bool
    cifar10: Path | None
    scratch: Path


@dataclass
class Part:
    """One question, its rows, and whether the goal was reached.

    Attributes:
        title: the question.
        goal: what should hold, in words.
        met: whether it does; None if nothing was measured.
        rows: numbers and words by column; all rows have the same columns.
        notes: what a reader must know to judge the rows, and reasons for what was skipped.
        command: what repeats it.
        quick: whether it was a smoke run.
    """

    title: str
    goal: str
    met: bool | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    command: str = ""
    quick: bool = False


class Skipped(Exception):
    """A part cannot be measured here; the message says why."""


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile.

    >>> quartiles([3.0])
    (3.0, 3.0, 3.0)
    """
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def span(values: Sequence[float], *, digits: int = 2) -> str:
    """The middle half of some values, as a reader sees it."""
    low, _, high = quartiles(values)
    return f"{low:.{digits}f} to {high:.{digits}f}"


def machine() -> dict[str, Any]:
    """The machine in words, and the versions of what was measured."""
    import torch

    threads = torch.get_num_threads()
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "torch threads": threads,
        "memory GB": _memory(),
        "GPU": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def write(folder: Path, parts: dict[str, Part], *, order: Sequence[str]) -> None:
    """Merge the parts measured now into `speed.json`, and make `speed.md` of all."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = read(folder / "speed.json")
    found = kept | {name: asdict(part) | {"machine": machine()} for name, part in parts.items()}
    found = {name: found[name] for name in sorted(found, key=order.index)}
    (folder / "speed.json").write_text(
        json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (folder / "speed.md").write_text(markdown(found), encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """The parts measured before."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def markdown(parts: dict[str, Any]) -> str:
    """All parts as one page."""
    lines = ["# Speed", "", "Measured by `benchmarks/speed.py`; every ratio is taken within one run.", ""]
    for part in parts.values():
        verdict = {True: "reached", False: "**missed**", None: "not measured"}[part["met"]]
        lines += [f"## {part['title']}", "", f"Goal: {part['goal']}: {verdict}.", ""]
        lines += ["*A smoke run: the numbers say nothing about speed.*", ""] if part["quick"] else []
        lines += table(part["rows"])
        lines += [*(f"- {note}" for note in part["notes"]), ""] if part["notes"] else []
        lines += [f"Repeat: `{part['command']}`. {_words(part['machine'])}", ""]
    return "\n".join(lines)


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows as Markdown."""
    if not rows:
        return []
    columns = list(rows[0])
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    return [*lines, *(f"| {' | '.join(_cell(row[name]) for name in columns)} |" for row in rows), ""]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _words(found: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    return (
        f"Machine: {found['processor']}, {found['cores']} cores, {found['memory GB']} GB, GPU: "
        f"{found['GPU']}, {found['torch threads']} torch threads; {found['system']}; {versions}."
    )


def _processor() -> str:
    """Name of the processor, and what of it matters for training."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {}
    for line in lines:
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    flags = set(facts.get("flags", "").split())
    matters = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    return f"{facts.get('model name', platform.machine())} ({', '.join(matters) or 'no AVX'})"


def _memory() -> int:
    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**30) if pages else 0


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
