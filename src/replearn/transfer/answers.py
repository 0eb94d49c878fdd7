"""Answers of a fitted model about many samples as a table: what each sample is, and how sure the model is of it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from replearn.data import Samples
from replearn.transfer.finetune import FineTune
from replearn.transfer.scene_model import SceneModel

ROWS = 2048  # samples at a time
DIGITS = 6  # of confidences and probabilities
ONE_ANSWER = ("classify", "regress")  # tasks that answer once for a sample


def answer_table(model: Any, samples: Samples, *, probabilities: bool = False) -> Iterator[pd.DataFrame]:
    """Of some samples after others a row each: `answer`, of classes `confidence`, too.

    Of a model of several targets, each has columns of its own: `answer NAME`, `confidence NAME`. Of several numbers a
    sample, `answer 1`, `answer 2` and so on. A confidence is the probability of the class that is answered, as the
    network says it (nothing makes it right so often), rounded to six digits.

    Args:
        model: `check_answers` lets it pass.
        samples: like those it learned from.
        probabilities: whether each class has a column, `p CLASS` (of several targets `p NAME CLASS`), too.

    Raises:
        ValueError: samples are not like those of `fit`.
    """
    for start in range(0, len(samples), ROWS):
        part = samples.subset(np.arange(start, min(start + ROWS, len(samples))))
        yield pd.DataFrame(_columns(model, part, probabilities))


def check_answers(model: Any) -> None:
    """Raises ValueError where a model has no answer, or several, for a sample."""
    name = type(model).__name__
    if isinstance(model, FineTune) and model.task not in ONE_ANSWER:
        raise ValueError(
            f"a run must be of --task {' or '.join(ONE_ANSWER)}, or of a method with labels; this one is of --task "
            f"{model.task}. In Python: replearn.load(RUN).predict(X)."
        )
    if isinstance(model, SceneModel):
        raise ValueError(
            f"a run must answer once for each sample; {name} tells what is where in scenes. In Python: "
            "replearn.load(RUN).predict(scenes)."
        )
    if not isinstance(model, FineTune) and not hasattr(model, "predict_proba"):
        raise ValueError(
            f"a run must have learned to answer; {name} has learned a representation. Put it to a task with some "
            "labels: `replearn finetune RUN DATA`."
        )


def _columns(model: Any, samples: Samples, probabilities: bool) -> dict[str, Any]:
    if isinstance(model, FineTune) and model.task == "regress":
        numbers = np.asarray(model.predict(samples))
        if numbers.ndim == 1:
            return {"answer": numbers}
        return {f"answer {i}": column for i, column in enumerate(numbers.T, 1)}
    found, names = model.predict_proba(samples), model.classes_
    if not isinstance(found, dict):
        return _classes("", names, found, probabilities)
    answered = model.predict(samples)
    columns: dict[str, Any] = {}
    for name in answered.columns:
        if name in found:
            columns |= _classes(f" {name}", names[name], found[name], probabilities)
        else:
            columns[f"answer {name}"] = answered[name].to_numpy()
    return columns


def _classes(target: str, names: Any, found: np.ndarray, probabilities: bool) -> dict[str, Any]:
    shares = found.round(DIGITS)
    columns = {f"answer{target}": np.asarray(names)[found.argmax(1)], f"confidence{target}": shares.max(1)}
    if probabilities:
        columns |= {f"p{target} {each}": column for each, column in zip(names, shares.T, strict=True)}
    return columns
