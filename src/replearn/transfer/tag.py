"""A tag for each word, told from its first token."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax
from torch import Tensor
from torch.nn.functional import cross_entropy

from replearn.data import Samples
from replearn.transfer.entities import entity_scores, is_entity_tag
from replearn.transfer.labels import known_values
from replearn.transfer.ragged import Ragged, ragged
from replearn.transfer.reading import TokenSamples, WordTexts
from replearn.transfer.tasks import Task, log_shares


class Tag(Task):
    """Tags of words.

    Args:
        values: the tags.
        usual: the tag of words that no token stands for: beyond the length that is read, or of signs that the
            tokenizer drops.
    """

    tokenwise = True

    def __init__(self, values: Sequence[str], *, usual: str) -> None:
        self.values = tuple(values)
        self.usual = usual
        self.main = "entity_f1" if any(is_entity_tag(value) for value in self.values) else "accuracy"

    @classmethod
    def learned(cls, answers: list[Any]) -> "Tag":
        counts = Counter(tag for tags in answers for tag in tags or ())
        values = known_values(counts)
        return cls(
            [str(value) for value in values], usual="O" if "O" in counts else counts.most_common(1)[0][0]
        )

    @property
    def outputs(self) -> int:
        return len(self.values)

    def targets(self, answers: list[Any], samples: Samples) -> Tensor | Ragged:
        assert isinstance(samples, TokenSamples)
        number = {value: i for i, value in enumerate(self.values)}
        rows = []
        for i, tags in enumerate(answers):
            row = np.full(samples.ids.lengths[i], -1, dtype=np.int64)
            first = first_tokens(samples, i)
            seen = first >= 0
            if tags is not None:
                row[first[seen]] = [number.get(tag, -1) for tag, here in zip(tags, seen, strict=True) if here]
            rows.append(row)
        return ragged(rows, fill=-1)

    def prior(self, answers: list[Any], samples: Samples) -> Float[Tensor, " c"]:
        return log_shares(self.values, (tag for tags in answers for tag in tags or ()))

    def counts(self, targets: Tensor) -> Float[Tensor, " n"]:
        return (targets >= 0).sum(1).float()

    def loss(self, logits: Tensor, targets: Tensor) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
        """Cross-entropy in nats, over words."""
        losses = cross_entropy(logits.float().mT, targets, ignore_index=-1, reduction="none")  # (n, t)
        return losses.sum(1), self.counts(targets)

    def answers(self, rows: Sequence[np.ndarray], samples: Samples, index: Int[np.ndarray, " n"]) -> Any:
        assert isinstance(samples, TokenSamples)
        return [
            self._tags(row, first_tokens(samples, i)) for row, i in zip(rows, index.tolist(), strict=True)
        ]

    def probabilities(self, rows: Sequence[np.ndarray], samples: Samples) -> Any:
        """A table per sentence, a row per word; words that no token stands for have their usual tag."""
        assert isinstance(samples, TokenSamples)
        sure = np.eye(len(self.values))[self.values.index(self.usual)]
        found = []
        for i, row in enumerate(rows):
            told, first = softmax(row, axis=1), first_tokens(samples, i)
            found.append(np.where(first[:, None] >= 0, told[first], sure))
        return found

    def _tags(self, logits: np.ndarray, first: np.ndarray) -> list[str]:
        best = logits.argmax(1)
        return [self.values[best[place]] if place >= 0 else self.usual for place in first]

    def scores(self, truth: list[Any], found: Any) -> dict[str, float]:
        """`accuracy` of words, and where tags are of entities (B-..., I-..., O) `entity_f1`, precision and recall."""
        known = [i for i, tags in enumerate(truth) if tags is not None]
        pairs = [(a, b) for i in known for a, b in zip(truth[i], found[i], strict=True)]
        accuracy = float(np.mean([a == b for a, b in pairs]))
        if self.main == "accuracy":
            return {"accuracy": accuracy}
        return {"accuracy": accuracy} | entity_scores([truth[i] for i in known], [found[i] for i in known])

    def labels_in(self, answer: Any) -> Iterable[Any]:
        return answer  # type: ignore[no-any-return]

    def to_json(self) -> dict[str, Any]:
        return {"answers": "tags", "values": list(self.values), "usual": self.usual}


def first_tokens(samples: TokenSamples, position: int) -> Int[np.ndarray, " w"]:
    """The place of the first token of each word of a sentence, -1 where it has none.

    A token is of the word in which its last character lies: some begin with the space before it.
    """
    raw = samples.raw
    assert isinstance(raw, WordTexts)
    spans, ends = samples.spans.row(position), raw.ends(position)  # (t, 2), (w,)
    starts = ends - [len(word) for word in raw.words[position]]
    first = np.full(len(ends), -1, dtype=np.int64)
    there = np.flatnonzero(spans[:, 1] > spans[:, 0])
    last = spans[there, 1] - 1
    word = np.searchsorted(ends, last, side="right")
    inside = (word < len(ends)) & (last >= starts[np.minimum(word, len(ends) - 1)]) if len(ends) else word < 0
    found, at = np.unique(word[inside], return_index=True)
    first[found] = there[inside][at]
    return first


def plain_tags(y: Any, words: Sequence[Sequence[str]]) -> list[list[str] | None]:
    """Tags of each sentence.

    Raises:
        ValueError: a sentence has another number of tags than of words.
    """
    rows = list(y)
    if len(rows) != len(words):
        raise ValueError(f"y must hold one list of tags per sentence; got {len(rows):,} for {len(words):,}.")
    return [None if tags is None else _checked(list(tags), words[i], i) for i, tags in enumerate(rows)]


def _checked(tags: list[Any], words: Sequence[str], position: int) -> list[str]:
    if len(tags) != len(words):
        raise ValueError(
            f"y must hold one tag per word; sentence {position} has {len(words)} words and {len(tags)} tags. "
            "Check where it was split."
        )
    return [str(tag) for tag in tags]
