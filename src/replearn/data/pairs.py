"""Samples of several kinds at once: a picture and its caption, a sound and what is heard in it.

{"image": images, "text": captions}  ->  PairSamples  --[index]-->  Batch(x=Together({"image": ..., "text": ...}))
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.data.chosen import chosen_of
from replearn.data.content import each_as_bytes, floats_of, rows_of_numbers
from replearn.data.labels import UNLABELLED
from replearn.data.samples import Batch, Samples, positions


class Together:
    """The content of a batch whose samples have several members: the content of each member, by its name.

    >>> both = Together({"number": torch.eye(3), "sign": torch.ones(3, 1)})
    >>> len(both), both[1:].members["number"].tolist()
    (3, [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = dict(members)

    def __len__(self) -> int:
        return len(next(iter(self.members.values())))

    def __getitem__(self, rows: slice) -> "Together":
        return self.each_by(lambda x: x[rows])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Together) and list(each_as_bytes(self)) == list(each_as_bytes(other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Together({', '.join(self.members)}; {len(self)})"

    def each_by(self, change: Any) -> "Together":
        """The same, each member's content changed by a function."""
        return Together({name: change(x) for name, x in self.members.items()})

    def to(self, device: torch.device | str) -> "Together":
        """The same on `device`."""
        return self.each_by(lambda x: x.to(device))

    def floats(self) -> "Together":
        """The same, members as floats where they have them."""
        return self.each_by(floats_of)

    def flat(self) -> Float[Tensor, "n d"] | None:
        """The rows of members that are rows of numbers, side by side, each of length 1; None: there is none."""
        rows = [rows_of_numbers(x) for x in self.members.values()]
        there = [F.normalize(found, dim=1) for found in rows if found is not None]
        return torch.cat(there, dim=1) if there else None

    def each(self) -> Iterator[bytes]:
        """The bytes of each sample: those of its members, each after its length."""
        lists = [each_as_bytes(x.cpu() if isinstance(x, Tensor) else x) for x in self.members.values()]
        for found in zip(*lists, strict=True):
            yield b"".join(len(part).to_bytes(8, "little") + part for part in found)


def member(batch: Batch, name: str) -> Batch:
    """The member of that name of each sample of a batch."""
    return batch.with_x(batch.x.members[name])


class PairSamples(Samples):
    """Samples with members: sample i has the i-th sample of each.

    Args:
        members: samples of any kinds, as many of each, by the names that they go by.
        labels: int64 `(n,)`, -1 where unknown, or None.
        classes: name of each label.
        names: a name per sample.

    Raises:
        ValueError: there are fewer than two members, or they are of unlike lengths.

    >>> from replearn.data.text import TextSamples
    >>> from replearn.data.samples import ArraySamples
    >>> images = ArraySamples(np.zeros((2, 1, 8, 8), np.uint8))
    >>> pairs = PairSamples({"image": images, "text": TextSamples(["a cat", "a dog"])})
    >>> pairs[np.array([1])].x.members["text"]
    Texts('a dog')
    """

    kind: ClassVar[str] = "pairs"  # type: ignore[misc]
    shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]

    def __init__(
        self,
        members: Mapping[str, Samples],
        labels: np.ndarray | None = None,
        *,
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
    ) -> None:
        lengths = {name: len(samples) for name, samples in members.items()}
        if len(members) < 2 or len(set(lengths.values())) != 1:
            told = ", ".join(f"{number:,} of {name!r}" for name, number in lengths.items()) or "none"
            raise ValueError(f"pairs must have two members or more, as many samples of each; got {told}.")
        self.members = dict(members)
        self.labels = labels
        self.classes = tuple(classes)
        self.names = names

    def __len__(self) -> int:
        return len(next(iter(self.members.values())))

    def __getitem__(self, index: np.ndarray) -> Batch:
        labels = np.full(len(index), UNLABELLED) if self.labels is None else self.labels[index]
        return Batch(
            x=Together({name: samples[index].x for name, samples in self.members.items()}),
            labels=torch.from_numpy(labels.astype(np.int64)),
            index=torch.from_numpy(np.asarray(index, dtype=np.int64)),
        )

    def subset(self, index: np.ndarray | Sequence[int]) -> "PairSamples":
        """The samples at `index` (integers or a boolean mask)."""
        chosen = positions(index)
        return self._with(
            {name: samples.subset(chosen) for name, samples in self.members.items()}, chosen=chosen
        )

    def with_members(self, members: Mapping[str, Samples]) -> "PairSamples":
        """The same samples, with these members instead: the same, read in another way."""
        return self._with(members, chosen=None)

    def _with(self, members: Mapping[str, Samples], *, chosen: np.ndarray | None) -> "PairSamples":
        def some(values: Any) -> Any:
            return values if values is None or chosen is None else values[chosen]

        names = self.names if self.names is None or chosen is None else chosen_of(self.names, chosen)
        made = PairSamples(members, some(self.labels), classes=self.classes, names=names)
        made.targets, made.groups, made.skipped = some(self.targets), some(self.groups), self.skipped
        return made

    def learned_on(self, index: np.ndarray) -> "PairSamples":
        return self.with_members({name: part.learned_on(index) for name, part in self.members.items()})

    def channels(self, index: np.ndarray) -> Float[Tensor, "m c"] | None:
        """None: each member has its own."""
        return None

    def fingerprint(self) -> str:
        """That of the members, one after the other."""
        return "-".join(samples.fingerprint() for samples in self.members.values())

    def parts(self, index: np.ndarray | None = None) -> list[np.ndarray]:
        """Positions (all, if none are given) in consecutive parts, of as many as the largest member allows."""
        index = np.arange(len(self)) if index is None else index
        size = min(len(samples.parts()[0]) for samples in self.members.values()) if len(self) else 1
        return [index[start : start + size] for start in range(0, len(index), size)]


def texts_of(batch: Batch, name: str) -> list[str]:
    """The texts of a member of texts."""
    return [str(text) for text in batch.x.members[name]]
