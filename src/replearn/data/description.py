"""What a method may know of its samples before it sees a batch; it stands in for them when a run is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data.levels import SIXTEEN_BITS, Levels
from replearn.data.samples import Samples
from replearn.data.table_reading import TableReading
from replearn.data.targets import Target
from replearn.data.tokenizer import Tokenizer, blank_tokenizer
from replearn.data.tokenizer_checks import LARGEST_ID


@dataclass(frozen=True, eq=False)
class Description:
    """Samples without their content.

    Attributes:
        kind, shape, classes: as `Samples` has them.
        n: their number.
        fingerprint: tells other samples apart.
        statistics: mean and standard deviation of each channel or column; of a loaded run, placeholders, since the
            encoder has the true ones among its weights.
        tokenizer: of texts, else None; of a loaded run, one that knows its size alone, since the encoder has the true
            one among its weights.
        levels: of images deeper than bytes, which level became 0 and which 1, as `Samples` has it.
        reading: how the columns of a table became numbers; else None.
        details: what their kind says besides, as `Samples` has it.
        targets: several things to predict, without their values; none of most samples.
        members: of samples that are made of samples of several kinds, those of each, by name; else none.
    """

    kind: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    n: int
    fingerprint: str
    statistics: tuple[Float[Tensor, " c"], Float[Tensor, " c"]]
    tokenizer: Tokenizer | None = None
    levels: Levels | None = None
    reading: TableReading | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    members: "Mapping[str, Description]" = field(default_factory=dict)

    def __len__(self) -> int:
        return self.n

    def to_json(self) -> dict[str, Any]:
        """All but the statistics, with lists for tuples, of a tokenizer its size, of a reading its columns."""
        apart = {"statistics", "tokenizer", "reading", "details", "targets", "members"}
        content = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in apart}
        if self.details:
            content["details"] = dict(self.details)
        if self.targets:
            content["targets"] = [target.to_json() for target in self.targets]
        if self.members:
            content["members"] = {name: part.to_json() for name, part in self.members.items()}
        size = {"vocabulary": self.tokenizer.size} if self.tokenizer else {}
        reading = {"reading": self.reading.to_json()} if self.reading else {}
        return content | {"shape": list(self.shape), "classes": list(self.classes)} | size | reading


def describe(samples: Samples) -> Description:
    """The description of `samples`."""
    return Description(
        *(samples.kind, samples.shape, samples.classes, len(samples), samples.fingerprint()),
        statistics=samples.statistics,
        tokenizer=samples.tokenizer,
        levels=samples.levels,
        reading=samples.reading,
        details=dict(samples.details),
        targets=samples.targets.describe() if samples.targets else (),
        members={name: describe(part) for name, part in samples.members.items()},
    )


def description_from_json(content: dict[str, Any]) -> Description:
    """The description that `Description.to_json` wrote.

    Raises:
        ValueError: an entry is missing.
    """
    try:
        shape = tuple(content["shape"])
        channels = shape[0] if shape else 1
        size, columns = content.get("vocabulary"), content.get("reading")
        # Runs of before this was kept took 16 bits for [0, 1], whatever the images held.
        levels = content.get("levels", SIXTEEN_BITS if content["kind"] == "image" else None)
        if size is not None and not 0 <= size <= LARGEST_ID:
            raise TypeError(f"a vocabulary of {size!r:.40} tokens")
        return Description(
            *(content["kind"], shape, tuple(content["classes"]), content["n"], content["fingerprint"]),
            statistics=(torch.zeros(channels), torch.ones(channels)),
            tokenizer=None if size is None else blank_tokenizer(size),
            levels=None if levels is None else (float(levels[0]), float(levels[1])),
            reading=None if columns is None else TableReading.from_json(columns),
            details=dict(content.get("details", {})),
            targets=tuple(map(Target.from_json, content.get("targets", ()))),
            members={name: description_from_json(part) for name, part in content.get("members", {}).items()},
        )
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f"samples must be described by kind, shape, classes, n and fingerprint; {error} is wrong."
        ) from error
