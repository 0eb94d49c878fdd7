"""Labelled spans of characters in a text: at most one for each label is found."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Samples
from replearn.transfer.entities import match_scores
from replearn.transfer.labels import known_values
from replearn.transfer.ragged import Ragged, ragged
from replearn.transfer.reading import TokenSamples
from replearn.transfer.tasks import Task

Place = tuple[int, int, str]


class Span(Task):
    r"""For each label where its span begins and ends, by two softmaxes over a text's tokens and "there is none".

    The score of a span is `S_i + E_j`, `i <= j` (Devlin et al., NAACL 2019, section 4.3); a label's best is an answer
    where it beats the score of none. Where a text has several spans of one label, any of them is right in training
    (the sum of their probabilities counts), and one is found.

    Args:
        values: the labels.
    """

    tokenwise = True
    main = "f1"

    def __init__(self, values: Sequence[str]) -> None:
        self.values = tuple(values)

    @classmethod
    def learned(cls, answers: list[Any]) -> "Span":
        labels = [label for spans in answers for _, _, label in spans or ()]
        return cls([str(label) for label in known_values(labels, least=1)])

    @property
    def outputs(self) -> int:
        return 2 * len(self.values)

    def targets(self, answers: list[Any], samples: Samples) -> Tensor | Ragged:
        assert isinstance(samples, TokenSamples)
        return ragged(
            [self._target(spans or [], samples.spans.row(i)) for i, spans in enumerate(answers)], fill=False
        )

    def _target(self, spans: list[Place], tokens: np.ndarray) -> np.ndarray:
        """Which tokens are right, `(1 + t, 2 k)`: beginnings of all labels, then ends; the first row stands for none.

        A span beyond what is read counts as none.
        """
        right = np.zeros((1 + len(tokens), self.outputs), dtype=bool)
        for start, end, label in spans:
            inside = np.flatnonzero(
                (tokens[:, 0] < end) & (tokens[:, 1] > start) & (tokens[:, 1] > tokens[:, 0])
            )
            if len(inside) and label in self.values:
                at = self.values.index(label)
                right[1 + inside[0], at] = right[1 + inside[-1], len(self.values) + at] = True
        right[0] = ~right.any(0)
        return right

    def prior(self, answers: list[Any], samples: Samples) -> Float[Tensor, " c"]:
        """That there is none, beside as many tokens as a text has in the mean, of which each says 0."""
        assert isinstance(samples, TokenSamples)
        known = [{label for _, _, label in spans} for spans in answers if spans is not None]
        there = torch.tensor([1.0 + sum(label in labels for labels in known) for label in self.values])
        odds = (2.0 + len(known) - there) / there * float(samples.lengths.mean())
        return odds.log().repeat(2)

    def counts(self, targets: Tensor) -> Float[Tensor, " n"]:
        return torch.full((len(targets),), float(self.outputs), device=targets.device)

    def loss(self, logits: Tensor, targets: Tensor) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
        """Minus the log-probability of the right tokens, in nats, over beginnings and ends of all labels."""
        told = logits.float().log_softmax(1).masked_fill(~targets, float("-inf")).logsumexp(1)  # (n, 2 k)
        return -told.sum(1), self.counts(targets)

    def answers(self, rows: Sequence[np.ndarray], samples: Samples, index: Int[np.ndarray, " n"]) -> Any:
        assert isinstance(samples, TokenSamples)
        each = zip(rows, index.tolist(), strict=True)
        return [self._spans(row, samples.spans.row(i), samples.raw.texts[i]) for row, i in each]

    def _spans(self, logits: np.ndarray, tokens: np.ndarray, text: str) -> list[Place]:
        there = np.flatnonzero(tokens[:, 1] > tokens[:, 0])
        found: list[Place] = []
        for at, label in enumerate(self.values):
            begin, end = logits[:, at], logits[:, len(self.values) + at]
            both = begin[1 + there][:, None] + end[1 + there]  # (t, t)
            both[np.tril_indices(len(there), -1)] = -np.inf  # an end before its beginning
            if both.size and both.max() > begin[0] + end[0]:
                i, j = np.unravel_index(both.argmax(), both.shape)
                found.append((*_bare(int(tokens[there[i], 0]), int(tokens[there[j], 1]), text), label))
        return sorted(found)

    def scores(self, truth: list[Any], found: Any) -> dict[str, float]:
        """`f1`, `precision` and `recall` of spans whose beginning, end and label are right."""
        known = [i for i, spans in enumerate(truth) if spans is not None]
        both = [{(i, *span) for i in known for span in side[i]} for side in (truth, found)]
        return match_scores(*both)

    def labels_in(self, answer: Any) -> Iterable[Any]:
        return (label for _, _, label in answer)

    def to_json(self) -> dict[str, Any]:
        return {"answers": "spans", "values": list(self.values)}


def plain_spans(y: Any, texts: Sequence[str]) -> list[list[Place] | None]:
    """The spans of each text.

    Raises:
        ValueError: a span that does not lie in its text, or is none.
    """
    rows = list(y)
    if len(rows) != len(texts):
        raise ValueError(f"y must hold one list of spans per text; got {len(rows):,} for {len(texts):,}.")
    return [
        None if spans is None else [_checked(span, texts[i], i) for span in spans]
        for i, spans in enumerate(rows)
    ]


def _checked(span: Any, text: str, position: int) -> Place:
    try:
        start, end, label = span
        start, end = int(start), int(end)
    except (TypeError, ValueError) as error:
        raise ValueError(f"spans must be (start, end, label); text {position} has {span!r:.60}.") from error
    if not 0 <= start < end <= len(text):
        raise ValueError(
            f"spans must lie in their text; text {position} has {len(text)} characters and a span from {start} to "
            f"{end}. Count characters, the end not included."
        )
    return start, end, str(label)


def _bare(start: int, end: int, text: str) -> tuple[int, int]:
    """A span without blanks at its ends: some tokens begin with the space before a word."""
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), end - len(inner) + len(inner.rstrip())
