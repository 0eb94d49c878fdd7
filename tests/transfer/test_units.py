"""Copies and members of a group stay on one side of every split that a task makes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up import model, pairs, spans, tags, texts

import replearn
from replearn.data import Samples
from replearn.data.table_reading import learn_reading
from replearn.transfer import FineTune, finetune
from replearn.transfer.parts import split_at

COPIES = np.random.default_rng(0).permutation(np.repeat(np.arange(20), 3))  # of which sample each is a copy
GROUPS = np.arange(60) // 6  # that share nothing else


def twice(made: tuple[Any, Any]) -> tuple[Any, Any]:
    """Each of 20 samples three times, in any order."""
    return [made[0][i] for i in COPIES], [made[1][i] for i in COPIES]


def grouped() -> Samples:
    rows = replearn.as_samples(np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32))
    rows.groups = np.array([f"patient {group}" for group in GROUPS])
    return rows


NUMBERS = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32)
CASES = {
    "classify": ("classify", *twice(texts(20)), COPIES),
    "classify groups": ("classify", grouped(), (np.arange(60) % 2).tolist(), GROUPS),
    "regress": ("regress", *twice((NUMBERS, NUMBERS[:, 0].tolist())), COPIES),
    "regress groups": ("regress", grouped(), np.linspace(0, 1, 60).tolist(), GROUPS),
    "pair": ("pair", *twice(pairs(20)), COPIES),
    "tag": ("tag", *twice(tags(20)), COPIES),
    "span": ("span", *twice(spans(20)), COPIES),
}


def assert_apart(learned: np.ndarray, held: np.ndarray, units: np.ndarray) -> None:
    assert sorted([*learned, *held]) == list(range(60))
    assert len(held)
    assert not set(units[learned]) & set(units[held])


@pytest.mark.parametrize("case", CASES)
def test_no_unit_is_on_both_sides(case, monkeypatch):
    task, X, y, units = CASES[case]
    X = np.array(X) if case == "regress" else X
    assert_apart(*split_at(task, X, test=0.2), units)
    parted, found = finetune.parted, []
    monkeypatch.setattr(
        finetune, "parted", lambda *given, **named: found.append(parted(*given, **named)) or found[-1]
    )
    own = (
        {}
        if task in ("pair", "tag", "span") or isinstance(X, list)
        else {"encoder": "linear", "length": None}
    )
    model(task=task, validation=0.25, **own).prepare(X, y)
    assert_apart(*found[0], units)


def test_pairs_that_share_one_text_are_no_copies():
    X = [("a", str(i)) for i in range(60)]
    assert len(split_at("pair", X, test=0.2)[1]) == 12


@pytest.mark.filterwarnings("ignore:the frame")
def test_validation_samples_are_not_learned_from_to_read_a_table(monkeypatch):
    numbers = np.random.default_rng(0).normal(size=(60, 2))
    numbers[::7, 0] = np.nan
    frame, found = pd.DataFrame(numbers, columns=["a", "b"]), []
    parted = finetune.parted
    monkeypatch.setattr(
        finetune, "parted", lambda *given, **named: found.append(parted(*given, **named)) or found[-1]
    )
    fitted = FineTune(encoder="linear", validation=0.25, epochs=1).prepare(frame, np.arange(60) % 2)
    assert fitted.samples_.reading == learn_reading(frame.iloc[found[0][0]])
    assert fitted.samples_.reading != learn_reading(frame)
