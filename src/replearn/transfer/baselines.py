"""What a fine-tuned model must beat, and how sure its scores are.

The usual answer reads nothing: the most frequent class or tag, the mean. The simple baseline reads raw input or a bag
of words by one linear map (ridge regression, its strength chosen on a fifth of the training part), or tells each word's
most frequent tag.
"""

from collections import Counter, defaultdict
from typing import Any

import numpy as np
from sklearn.linear_model import Ridge

from replearn.data import Samples
from replearn.evaluate.intervals import drawn_intervals, wilson_interval
from replearn.transfer.predictor import Predictor
from replearn.transfer.reading import PairTexts, TokenSamples
from replearn.transfer.regress import Regress
from replearn.transfer.span import Span
from replearn.transfer.tag import Tag
from replearn.transfer.task_data import read_answers, read_samples

Part = tuple[Any, Any]  # samples and answers, as `FineTune.fit` takes them
MOST = 3000  # samples that the linear baseline learns from
STRENGTHS = (1e-3, 1e-2, 0.1, 1.0)  # times the number of samples
USUAL, LINEAR, FREQUENT = "usual answer", "linear, simple", "tag per word"


def baseline_scores(model: Predictor, train: Part, test: Part) -> dict[str, dict[str, float]]:
    """Scores of the usual answer and of a simple baseline, by name.

    Args:
        model: fitted.
        train, test: the parts that it learned from and is judged by.
    """
    samples, held = read_samples(model.task, train[0]), read_samples(model.task, test[0])
    _, answers = read_answers(model.task, train[1], samples, known=model.task_)
    _, truth = read_answers(model.task, test[1], held, known=model.task_)
    found = {USUAL: model.task_.scores(truth, _usual(model, samples, answers, held))}
    if isinstance(model.task_, Tag):
        found[FREQUENT] = model.task_.scores(truth, _frequent(model.task_, samples, answers, held))
    elif not isinstance(model.task_, Span):
        found[LINEAR] = model.task_.scores(truth, _linear(model, samples, answers, held))
    return found


def answered(model: Predictor, part: Part) -> int:
    """How many samples of a part have an answer to compare with."""
    _, truth = read_answers(model.task, part[1], read_samples(model.task, part[0]), known=model.task_)
    return sum(answer is not None for answer in truth)


def score_intervals(model: Predictor, test: Part) -> dict[str, tuple[float, float]]:
    """95 % intervals of all scores, over test samples: Wilson's for accuracies, else by drawing samples again."""
    held = read_samples(model.task, test[0])
    _, truth = read_answers(model.task, test[1], held, known=model.task_)
    known = np.flatnonzero([answer is not None for answer in truth])
    found = model.predict(test[0])
    intervals = drawn_intervals(
        lambda chosen: model.task_.scores([truth[i] for i in chosen], [found[i] for i in chosen]), known
    )
    own = model.task_.scores(truth, found)
    if "accuracy" in own and not model.task_.tokenwise:
        intervals["accuracy"] = wilson_interval(own["accuracy"], len(known))
    return intervals


def _usual(model: Predictor, samples: Samples, answers: list[Any], held: Samples) -> Any:
    """What a head says that has learned nothing but how frequent answers are."""
    task = model.task_
    inputs = model.inputs(samples) if isinstance(task, Span) else samples
    prior, asked = task.prior(answers, inputs).numpy(), model.inputs(held)
    every = np.arange(len(held))
    if not task.tokenwise:
        return task.answers([prior] * len(held), asked, every)
    assert isinstance(asked, TokenSamples)
    if isinstance(task, Span):
        rows = [np.vstack([prior, np.zeros((length, len(prior)))]) for length in asked.lengths]
    else:
        rows = [np.tile(prior, (length, 1)) for length in asked.lengths]
    return task.answers(rows, asked, every)


def _frequent(task: Tag, samples: Any, answers: list[Any], held: Any) -> list[list[str]]:
    """The tag that each word had most often, the usual one for words that are new."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for words, tags in zip(samples.words, answers, strict=True):
        for word, tag in zip(words, tags or (), strict=False):
            counts[word][tag] += 1
    best = {word: found.most_common(1)[0][0] for word, found in counts.items()}
    return [[best.get(word, task.usual) for word in words] for words in held.words]


def _linear(model: Predictor, samples: Samples, answers: list[Any], held: Samples) -> Any:
    """Ridge regression on simple features, to numbers or to one column per class."""
    task = model.task_
    known = np.flatnonzero([answer is not None for answer in answers])
    known = np.random.default_rng(0).permutation(known)[:MOST]
    x = _simple(samples, known)
    if isinstance(task, Regress):
        y = np.array([np.atleast_1d(answers[i]) for i in known])
        y = (y - task.mean) / task.deviation
    else:
        y = np.eye(task.outputs)[task.strata([answers[i] for i in known])]
    mean, scale = x.mean(0), max(float(x.std()), 1e-6)
    x = (x - mean) / scale
    cut = max(1, len(x) // 5)
    errors = [
        float(
            (
                (Ridge(s * len(x)).fit(x[cut:], y[cut:]).predict(x[:cut]).reshape(cut, -1) - y[:cut]) ** 2
            ).mean()
        )
        for s in STRENGTHS
    ]
    best = Ridge(STRENGTHS[int(np.argmin(errors))] * len(x)).fit(x, y)
    rows = []
    for start in range(0, len(held), MOST):
        part = _simple(held, np.arange(start, min(start + MOST, len(held))))
        rows.append(best.predict((part - mean) / scale).reshape(len(part), -1))
    return task.answers(list(np.concatenate(rows)), held, np.arange(len(held)))


def _simple(samples: Samples, index: np.ndarray) -> np.ndarray:
    """Raw input or bags of words; of pairs, where both texts agree and differ."""
    first = np.asarray(samples.subset(index).flat() if not isinstance(samples, PairTexts) else (), np.float32)
    if not isinstance(samples, PairTexts):
        return first.reshape(len(first), -1)
    from replearn.data import TextSamples

    a, b = (
        np.asarray(TextSamples([texts[i] for i in index]).flat()) for texts in (samples.texts, samples.second)
    )
    return np.hstack([np.abs(a - b), a * b])
