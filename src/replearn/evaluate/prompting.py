"""Few-shot prompting: a language model classifies texts by which answer it finds likeliest after a few examples."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from replearn.evaluate.intervals import accuracy_interval

LIKELIHOOD, GAIN = "likelihood", "likelihood gained"


@runtime_checkable
class Telling(Protocol):
    """What is asked of a language model; `replearn.methods.language.text_scores.TextScores` has it."""

    @property
    def own_tokenizer(self) -> Any: ...
    @property
    def context(self) -> int: ...
    def token_log_likelihoods(self, texts: Sequence[str]) -> list[Any]: ...


def few_shot(
    model: Telling,
    examples: Sequence[str],
    labels: npt.NDArray[np.int64],
    texts: Sequence[str],
    truth: npt.NDArray[np.int64],
    *,
    answers: Sequence[str],
    template: str = "{text}\nAnswer: {answer}",
    between: str = "\n\n",
    shots: Sequence[int] = (0, 1, 4),
    draws: int = 3,
    random_state: int = 0,
) -> pd.DataFrame:
    """Accuracy of a language model that is shown `k` labelled examples and no more; nothing is trained.

    The prompt is `k` examples, drawn anew for each text, and the text, each written by the template; of all answers
    that one is taken which makes the whole likeliest:

        likelihood: argmax_a ln p(a | examples, text)
        likelihood gained: argmax_a ln p(a | examples, text) - ln p(a | examples, no text)

    The second takes off how likely an answer is by itself and after these examples, the last of which a small model
    repeats.

    Args:
        model: a fitted language model.
        examples: texts to draw examples from.
        labels: their classes, numbers of `answers`; -1: not drawn.
        texts: what is to be classified.
        truth: their classes; -1: left out.
        answers: each class in words.
        template: with `{text}` and `{answer}`, which comes last.
        between: what stands between examples.
        shots: numbers of examples.
        draws: how often examples are drawn (no examples: once).
        random_state: seed of that.

    Returns:
        A row per number of examples and measure: `shots`, `measure`, `mean`, `low`, `high` (95 %, see
        `accuracy_interval`), `draws`, `in context` (share of prompts that the model reads as a whole).

    Raises:
        ValueError: the template does not end with the answer, there are fewer than two answers, or too few examples.

    References:
        Brown et al., NeurIPS 2020, sections 2.4 (of no example, both measures) and 3. https://arxiv.org/abs/2005.14165
        Zhao et al., ICML 2021, section 5 (the second, of some). https://arxiv.org/abs/2102.09690
    """
    known, told = np.flatnonzero(np.asarray(labels) >= 0), np.flatnonzero(np.asarray(truth) >= 0)
    _check(template, answers, shots, len(known), len(told))
    said = {j: template.format(text=examples[j], answer=answers[int(labels[j])]) for j in known.tolist()}
    asked = {i: template.format(text=texts[i], answer="") for i in told.tolist()}
    nothing = template.format(text="", answer="")
    rows = []
    for k in shots:
        right: dict[str, list[float]] = {LIKELIHOOD: [], GAIN: []}
        fits = []
        for draw in range(draws if k else 1):
            rng = np.random.default_rng([random_state, k, draw])
            shown = [
                "".join(said[j] + between for j in rng.choice(known, size=k, replace=False).tolist())
                for _ in told
            ]
            prompts = [before + asked[i] for before, i in zip(shown, told.tolist(), strict=True)]
            nats = _answer_nats(model, prompts, answers)  # (n, c)
            prior = _answer_nats(model, [before + nothing for before in (shown if k else [""])], answers)
            right[LIKELIHOOD].append(float((nats.argmax(1) == np.asarray(truth)[told]).mean()))
            right[GAIN].append(float(((nats - prior).argmax(1) == np.asarray(truth)[told]).mean()))
            fits += [len(ids) < model.context for ids in model.own_tokenizer.encode(prompts)]
        for measure, found in right.items():
            interval = accuracy_interval(found, len(told))
            rows.append((k, measure, float(np.mean(found)), *interval, len(found), float(np.mean(fits))))
    return pd.DataFrame(rows, columns=["shots", "measure", "mean", "low", "high", "draws", "in context"])


def _answer_nats(model: Telling, prompts: Sequence[str], answers: Sequence[str]) -> npt.NDArray[np.float64]:
    """ln p of each prompt with each answer behind it, ends left out: `(n, c)`.

    The prompt's own part is the same for all answers, so it changes no choice; and texts need not be cut into tokens
    where the answer begins.
    """
    found = model.token_log_likelihoods([prompt + answer for prompt in prompts for answer in answers])
    nats = np.array([float(np.sum(part[:-1], dtype=np.float64)) for part in found])
    return nats.reshape(len(prompts), len(answers))


def _check(template: str, answers: Sequence[str], shots: Sequence[int], known: int, told: int) -> None:
    """Raises ValueError where a prompt can't be written."""
    if "{text}" not in template or not template.endswith("{answer}"):
        raise ValueError(
            f"template must hold {{text}} and end with {{answer}}; got {template!r}. For example "
            "'{text}\\nTopic: {answer}'."
        )
    if len(answers) < 2:
        raise ValueError(
            f"answers must be at least two, one per class; got {len(answers)}. Name the classes."
        )
    if not shots or min(shots) < 0 or max(shots) > known:
        raise ValueError(
            f"shots must lie between 0 and the {known} labelled examples; got {', '.join(map(str, shots))}. "
            "Draw fewer, or label more."
        )
    if not told:
        raise ValueError("truth must hold at least one label; all are -1. Label some texts.")
