"""`Reuse`: what fitted methods make of samples, read from the run's folder where it was made before.

    samples --look--> kept rows, of the same key           (read)
                 \\-> method.transform --> keep --> rows    (made)

The key is a hash of the method (class, fields, what it was fitted on, the recipe of its network), its weights, every
sample in its order, device, precision and threads, the rows of a batch, the versions of packages and the source code of
replearn and of the package that the method comes from. So a hit has the bits that computing would give, and whatever
changes is a miss.

Not kept are rows of scikit-learn's estimators, whose `transform` takes no longer than the hash of the samples, and of
methods with a `transform` of their own (`FineTune`).
"""

import hashlib
import importlib.metadata
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from replearn.data import Samples
from replearn.data.copies import content_fingerprint
from replearn.engine.kept import EMBEDDED, fits, keep, read_kept
from replearn.engine.machine import Machine, choose_for_inference
from replearn.engine.run import checksum
from replearn.methods.checks import samples_like_fit
from replearn.methods.model import Model
from replearn.methods.store import to_json

log = logging.getLogger("replearn")

ROWS = 512  # of a batch, as `transform` has them
LIBRARIES = (
    "torchvision",
    "timm",
    "transformers",
    "tokenizers",
)  # on which numbers depend, where they are there
BY_VERSION = (
    "torch",
    *LIBRARIES,
)  # packages of networks that are known by their version, all others by their code
REPRESENTATION = "representation"


@dataclass(frozen=True, eq=False)
class Look:
    """What a run has of a method's representations of samples.

    Attributes:
        rows: mapped from the disk; None: they must be made.
        run: the folder.
        key: None where they can't be kept.
        of: what they are of.
    """

    rows: Float[np.ndarray, "n d"] | None
    run: Path
    key: str | None = None
    of: Mapping[str, Any] = field(default_factory=dict)

    def keep(self, rows: Float[np.ndarray, "n d"]) -> None:
        """Keep what was made."""
        if self.key is not None:
            keep(self.run, self.key, rows, dict(self.of))


class Reuse:
    """Representations of a command: those that runs keep are read, others are made and kept.

    Args:
        again: make all anew.
    """

    def __init__(self, *, again: bool = False) -> None:
        self.again = again
        self._read: list[tuple[Path, int, date]] = []
        self._fingerprints: WeakKeyDictionary[Samples, str] = WeakKeyDictionary()

    def transform(self, method: Any, samples: Samples, *, run: Path) -> Float[np.ndarray, "n d"]:
        """`method.transform(samples)`, read from `run` if it is there."""
        look = self.look(method, samples, run=run)
        if look.rows is not None:
            return np.array(look.rows)
        made: np.ndarray = method.transform(samples)
        look.keep(made)
        return made

    def look(self, method: Any, samples: Samples, *, run: Path, rows: int = ROWS) -> Look:
        """What a run keeps of a method's representations, of `rows` samples to a batch.

        Raises:
            ValueError: the samples are not like those of `fit`.
        """
        if not isinstance(method, Model) or type(method).transform is not Model.transform:
            return Look(None, run)
        if not fits(len(samples), method.representation_dim):
            log.info("representations of %s samples are too many to be kept", f"{len(samples):,}")
            return Look(None, run)
        of = ingredients(method, samples, rows=rows, fingerprint=self.fingerprint(samples))
        if None in of["code"].values():
            return Look(None, run)
        key = key_of(of)
        told = {"method": type(method).__name__, "samples": len(samples), "machine": of["machine"]}
        found = None if self.again else read_kept(run, key, len(samples))
        if found is None:
            return Look(None, run, key, told)
        method.warn_of_cuts(samples_like_fit(method, samples))  # as `transform` does
        self._read.append((run, len(samples), found[1]))
        return Look(found[0], run, key, told)

    def fingerprint(self, samples: Samples) -> str:
        """A hash of every sample, computed once."""
        if samples not in self._fingerprints:
            self._fingerprints[samples] = content_fingerprint(samples)
        return self._fingerprints[samples]

    def tell(self) -> None:
        """Say in one line what was read, if anything was."""
        if not self._read:
            return
        folders = list(dict.fromkeys(run / EMBEDDED for run, _, _ in self._read))
        more = f" and {len(folders) - 1} more" if len(folders) > 1 else ""
        days = sorted({day for _, _, day in self._read})
        when = f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"
        log.info(
            "%s representations are read from %s%s, made %s; --again makes them anew",
            *(f"{sum(n for _, n, _ in self._read):,}", folders[0], more, when),
        )


def ingredients(method: Model, samples: Samples, *, rows: int, fingerprint: str) -> dict[str, Any]:
    """All that representations depend on, by name.

    Args:
        method: fitted.
        samples: as they are given to it.
        rows: of a batch: sums are rounded by it.
        fingerprint: of every sample, from `content_fingerprint`.
    """
    content = samples[np.arange(min(1, len(samples)))].x
    state = nn.ModuleDict(method.modules()).state_dict()
    return {
        "method": to_json(method),
        "weights": checksum({name: tensor.detach().cpu() for name, tensor in state.items()}),
        "samples": [fingerprint, str(getattr(content, "dtype", type(content).__name__))],
        "what": REPRESENTATION,
        "rows": rows,
        "machine": _machine(choose_for_inference(method.device, method.precision)),
        "code": code_of(method),
    }


def key_of(of: Mapping[str, Any]) -> str:
    """A hash of ingredients."""
    text = json.dumps(of, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def code_of(method: Model) -> dict[str, str | None]:
    """What computes representations: versions of libraries, and a hash of the source code of all other packages that
    the method or a module of its networks is of; None where there is no file.
    """
    networks = (part for module in method.modules().values() for part in module.modules())
    packages = {type(one).__module__.partition(".")[0] for one in (method, *networks)} | {"replearn"}
    found = {name: _sources(name) for name in packages.difference(BY_VERSION)}
    return found | {name: _version(name) for name in LIBRARIES}


def _machine(machine: Machine) -> dict[str, Any]:
    """Where numbers are rounded alike."""
    on_gpu = machine.device.startswith("cuda")
    return {
        "device": machine.device,
        "precision": machine.precision,
        "threads": torch.get_num_threads(),
        "processor": torch.cuda.get_device_name(machine.device)
        if on_gpu
        else torch.backends.cpu.get_cpu_capability(),
    }


@cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


@cache
def _sources(package: str) -> str | None:
    """A hash of a package's files of Python; None where it has none."""
    named = getattr(sys.modules.get(package), "__file__", None)
    if not named or not Path(named).is_file():
        return None
    file = Path(named)
    files = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        digest.update(f"{path.relative_to(file.parent)} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
