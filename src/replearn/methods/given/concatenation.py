"""Concatenation: representations of several methods side by side.

    batch --each method--> h_k --length 1, centred, length 1--> [h_1, ..., h_K]

Methods err on different samples, so a probe or nearest neighbours that see several representations are often right
where each alone is not. Each has the same say: it is scaled to length 1, the mean over the training samples is taken
away, and it is scaled again. So the cosine of two samples is the mean of their cosines by each method.

Reference: Gehler & Nowozin, ICCV 2009 (combinations of features, the mean as the baseline).
    https://doi.org/10.1109/ICCV.2009.5459169
"""

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
from replearn.methods.checks import check_refused, check_seed, read_the_same
from replearn.methods.load import load
from replearn.methods.model import Model
from replearn.methods.registry import find_method
from replearn.methods.started import blank
from replearn.methods.store import to_json
from replearn.methods.trained import Trained

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

    methods: tuple[str, ...] = ("bagofvisualwords", "fishervectors", "patchcodes")

    def check(self, samples: Samples) -> None:
        self.__dict__.pop("recipes_", None)  # of an earlier fit
        check_refused(self, samples)
        check_seed(self.random_state)
        different = {
            str(Path(name).expanduser().resolve()) if _is_run(name) else name.lower() for name in self.methods
        }
        if len(self.methods) < FEWEST or len(different) < len(self.methods):
            told = " ".join(self.methods) or "none"
            raise ValueError(
                f"methods must be at least {FEWEST} names or run folders, all different; got {told}. Name more."
            )
        if WORDS in KINDS[samples.kind].offers:
            raise ValueError(
                f"methods must read samples alike; each one of {samples.kind} samples has a tokenizer of its own. Put "
                "the rows that `replearn embed` writes side by side."
            )
        for name in self.methods:
            method = _method(name, self)
            if not _is_run(name):
                method.check(samples)
            elif not read_the_same(method.samples_, samples):
                own = method.samples_
                raise ValueError(
                    f"the run in {name} must read samples like these, {samples.kind} of {samples.shape} (and their "
                    f"levels and columns); it reads {own.kind} of {own.shape}. Fit it on such samples."
                )

    def build(self, samples: Description) -> None:
        if hasattr(self, "recipes_"):  # it comes from a run
            self._take([blank(find_method(recipe["class"]).cls, recipe) for recipe in self.recipes_])
            return
        methods = [_method(name, self) for name in self.methods]
        for name, method in zip(self.methods, methods, strict=True):
            if not _is_run(name):
                method.samples_, method.extensions_ = samples, []
                method.build(samples)
        self._take(methods)

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        """Fit the methods that are named; find the centre of each, and of those that had learned."""
        choose(self.device, self.precision)  # each chooses for itself; a wrong name is told now
        both = zip(self.methods, self.fitted_, strict=True)
        self._take([method if _is_run(name) else method.fit(samples) for name, method in both])
        for method, centre in zip(self.fitted_, self.centres_, strict=True):
            found = [F.normalize(from_numpy(rows), dim=1).sum(0) for rows in method.transform_parts(samples)]
            centre.value = torch.stack(found).sum(0) / len(samples)

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        both = zip(self.fitted_, self.centres_, strict=True)
        return torch.cat([centre(method.represent(batch)) for method, centre in both], dim=1)

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return sum(method.representation_dim for method in self.fitted_)

    def _take(self, methods: list[Model]) -> None:
        """Hold these, with their modules and how they are made again."""
        self.fitted_ = methods
        self.recipes_ = [to_json(method) for method in methods]
        self.inner_ = nn.ModuleList(nn.ModuleDict(method.modules()) for method in methods)
        self.centres_ = nn.ModuleList(Centre(method.representation_dim) for method in methods)


def _is_run(name: str) -> bool:
    return (Path(name).expanduser() / METHOD).is_file()


def _method(name: str, whole: Concatenation) -> Model:
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
