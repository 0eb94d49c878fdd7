"""From what a user gives, X and y, to samples and answers, for each task by its name."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from replearn.data import Description, Samples, as_samples
from replearn.transfer.classify import Classify
from replearn.transfer.labels import as_list, nearest, plain_labels
from replearn.transfer.reading import read_pairs, read_texts, read_words
from replearn.transfer.regress import Regress, plain_numbers
from replearn.transfer.span import Span, plain_spans
from replearn.transfer.tag import Tag, plain_tags
from replearn.transfer.tasks import Task

TASKS = ("classify", "regress", "pair", "tag", "span")
KINDS: Mapping[str, type[Task]] = {"classes": Classify, "numbers": Regress, "tags": Tag, "spans": Span}


@dataclass(frozen=True, eq=False, kw_only=True)
class TaskDescription(Description):
    """Samples without their content, and what was learned of their answers.

    Attributes:
        task: as `Task.to_json` says it.
        recipe: what makes the encoder again, where it was a method's.
        apart: whether texts of a pair are read apart.
    """

    task: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] | None = None
    apart: bool = False


def check_task(task: str) -> None:
    """Raises ValueError where there is no such task."""
    if task not in TASKS:
        raise ValueError(
            f"task must be one of {', '.join(TASKS)}; got {task!r}. Did you mean {nearest(str(task), TASKS)!r}?"
        )


def read_samples(task: str, X: Any) -> Samples:
    """The samples of a task.

    Raises:
        ValueError: no such task, or X is not as it must be.
    """
    check_task(task)
    if task in ("classify", "regress"):
        return as_samples(X)
    return {"pair": read_pairs, "tag": read_words, "span": read_texts}[task](X)


def read_answers(task: str, y: Any, samples: Samples, *, known: Task | None = None) -> tuple[str, list[Any]]:
    """What kind of answers a task has, and those of some samples; of a `known` task, of its kind.

    Raises:
        ValueError: they are missing, or not as they must be.
    """
    if y is None:
        return _own_labels(task, samples)
    if task == "tag":
        return "tags", plain_tags(y, samples.words)  # type: ignore[attr-defined]
    if task == "span":
        return "spans", plain_spans(y, samples.texts)  # type: ignore[attr-defined]
    measured = isinstance(known, Regress) if known else task == "regress" or _is_measured(y)
    if task in ("regress", "pair") and measured:
        return "numbers", plain_numbers(y, len(samples))
    return "classes", plain_labels(y, len(samples))


def task_from_json(content: dict[str, Any]) -> Task:
    """The task that `Task.to_json` told.

    Raises:
        ValueError: there is none like it.
    """
    fields = dict(content)
    kind = KINDS.get(fields.pop("answers", ""))
    try:
        assert kind is not None
        return kind(**fields)
    except (AssertionError, TypeError) as error:
        raise ValueError(
            "a run of FineTune must say what its answers are; this one does not. Fit again."
        ) from error


def described(
    samples: Description, task: Task, answers: list[Any], *, recipe: dict[str, Any] | None, apart: bool
) -> TaskDescription:
    """Samples with what was learned of their answers; other answers have another fingerprint."""
    digest = hashlib.blake2b(
        f"{samples.fingerprint} {answers!r}".encode("utf-8", "surrogatepass"), digest_size=8
    )
    own = {part.name: getattr(samples, part.name) for part in fields(samples)} | {
        "fingerprint": digest.hexdigest()
    }
    return TaskDescription(**own, task=task.to_json(), recipe=recipe, apart=apart)


def _is_measured(y: Any) -> bool:
    """Whether answers are floats."""
    return any(isinstance(row, float | np.floating) and not np.isnan(row) for row in as_list(y))


def _own_labels(task: str, samples: Samples) -> tuple[str, list[Any]]:
    if task != "classify" or samples.labels is None:
        raise ValueError(
            "y must hold the answers, or the samples have labels; got none. Pass y, or name the labels (--labels)."
        )
    return "classes", [samples.classes[label] if label >= 0 else None for label in samples.labels]
