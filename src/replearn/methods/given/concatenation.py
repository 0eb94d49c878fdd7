"""Concatenation: representations of several methods side by side.

    batch --each method--> h_k --length 1, centred, length 1--> [h_1, ..., h_K]

Methods err on different samples, so a probe or nearest neighbours that see several representations are often right
where each alone is not. Each has the same say: it is scaled to length 1, the mean over the training samples is taken
away, and it is scaled again. Cosines of the whole are the mean of the cosines of the parts.

Reference: Gehler & Nowozin, ICCV 2009 (combinations of features, the mean as the baseline).
    https://doi.org/10.1109/ICCV.2009.5459169
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, from_numpy, nn

from replearn.data import Batch, Description, Samples
from replearn.data.kinds import KINDS, WORDS
from replearn.engine.machine import choose
from replearn.engine.run import METHOD
from replearn.methods.checks import check_refused, check_seed
from replearn.methods.load import blank, load
from replearn.methods.model import Model
from replearn.methods.registry import find_method
from replearn.methods.store import to_json
from replearn.methods.trained import Trained

log = logging.getLogger("replearn")

FEWEST = 2


class Centre(nn.Module):
    """The mean of a representation, of length 1, over the training samples."""

    value: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("value", torch.zeros(dim))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        """Of few samples fewer numbers were learned than was asked for."""
        stored = state_dict.get(f"{prefix}value")
        if stored is not None and stored.ndim == 1 and 1 <= len(stored) < len(self.value):
            self.value = self.value[: len(stored)].clone()
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        return F.normalize(F.normalize(h, dim=1) - self.value, dim=1)


@dataclass(kw_only=True, eq=False, repr=False)
class Concatenation(Model):
    """Representations of several methods side by side, each centred and of length 1.

    Attributes:
        methods: names of methods that learn without a network, which are fitted with their defaults, and run folders
            of methods that have learned on samples like these. A run holds copies of them and needs no other folder.
    """

    family: ClassVar[str] = "given"
    needs: ClassVar[tuple[str, ...]] = ("pixels",)  # of the default methods
    year: ClassVar[int] = 2009
    paper: ClassVar[str] = "https://doi.org/10.1109/ICCV.2009.5459169"

    methods: tuple[str, ...] = ("bagofvisualwords", "patchcodes")

    def check(self, samples: Samples) -> None:
        self.__dict__.pop("recipes_", None)  # of an earlier fit
        check_refused(self, samples)
        check_seed(self.random_state)
        places = {
            str(Path(part).expanduser().resolve()) if _is_run(part) else part.lower() for part in self.methods
        }
        if len(self.methods) < FEWEST or len(places) < len(self.methods):
            told = " ".join(self.methods) or "none"
            raise ValueError(
                f"methods must be at least {FEWEST} names or run folders, all different; got {told}. Name more."
            )
        if WORDS in KINDS[samples.kind].offers:
            raise ValueError(
                f"methods must read samples alike; each one of {samples.kind} samples has a tokenizer of its own. Put "
                "the rows that `replearn embed` writes side by side."
            )
        for part in self.methods:
            member = _member(part, self)
            if not _is_run(part):
                member.check(samples)
                continue
            fitted = member.samples_
            if (fitted.kind, fitted.shape) != (samples.kind, samples.shape):
                raise ValueError(
                    f"the run in {part} must read samples like these, {samples.kind} of {samples.shape}; it reads "
                    f"{fitted.kind} of {fitted.shape}. Fit it on such samples."
                )

    def build(self, samples: Description) -> None:
        if not hasattr(self, "recipes_"):  # else it comes from a run, which says what its parts were
            members = [_member(part, self) for part in self.methods]
            for part, member in zip(self.methods, members, strict=True):
                if not _is_run(part):
                    member.samples_, member.extensions_ = samples, []
                    member.build(samples)
            self._take(members)
        else:
            self._take([blank(find_method(recipe["class"]).cls, recipe) for recipe in self.recipes_])

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        """Fit the parts that are named, load those that have learned, and find the centre of each."""
        choose(self.device, self.precision)  # parts choose for themselves; a wrong name is told now
        members = []
        for part in self.methods:
            member = _member(part, self)
            members.append(member if _is_run(part) else member.fit(samples))
        self._take(members)
        for member, centre in zip(members, self.centres_, strict=True):
            found = [F.normalize(from_numpy(rows), dim=1).sum(0) for rows in member.transform_parts(samples)]
            centre.value = torch.stack(found).sum(0) / len(samples)

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        pairs = zip(self.members, self.centres_, strict=True)
        return torch.cat([centre(member.represent(batch)) for member, centre in pairs], dim=1)

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return sum(member.representation_dim for member in self.members)

    def _take(self, members: list[Model]) -> None:
        """Hold these, with their modules and how they are made again."""
        self.members = members
        self.recipes_ = [to_json(member) for member in members]
        self.parts_ = nn.ModuleList(nn.ModuleDict(member.modules()) for member in members)
        self.centres_ = nn.ModuleList(Centre(member.representation_dim) for member in members)


def _is_run(part: str) -> bool:
    return (Path(part).expanduser() / METHOD).is_file()


def _member(name: str, whole: Concatenation) -> Model:
    """The method in a run folder, or one of this name with its defaults.

    Raises:
        ValueError: it is neither, or can't be put beside others.
    """
    if _is_run(name):
        learned = load(Path(name).expanduser())
        if not isinstance(learned, Model) or isinstance(learned, Concatenation):
            raise ValueError(
                f"methods must be runs of methods of ours, no concatenations; {name} is of {type(learned).__name__}. "
                "Take another run."
            )
        if isinstance(to_json(learned)["fields"].get("encoder"), dict):
            raise ValueError(
                f"methods must be made again without your code; the run in {name} has an encoder of your own. "
                "Take one by name."
            )
        return learned
    if len(Path(name).parts) > 1:
        raise ValueError(
            f"methods must be names or run folders; there is no run in {name}. Choose another folder."
        )
    cls = find_method(name).cls
    if not issubclass(cls, Model) or issubclass(cls, Trained | Concatenation) or cls.family == "given":
        raise ValueError(
            f"methods that are named must be ours and learn without a network; {cls.__name__} does not. Fit one that "
            "has a network, and give its run folder; others stand alone."
        )
    closed: Model = cls(random_state=whole.random_state, device=whole.device)
    return closed
