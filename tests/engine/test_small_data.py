"""A batch that is larger than the data shrinks with a line, and what takes long says so without a terminal."""

import logging

import pytest
from children import QUICK, little_digits

from replearn.data.progress import Lines
from replearn.engine import history
from replearn.methods import find_method
from replearn.methods.contrastive.simclr import SimCLR
from replearn.transfer import FineTune


def said(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if words in record.getMessage()]


def test_a_batch_is_as_large_as_the_data_at_most(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        large = SimCLR(**QUICK | {"batch_size": 1000}).fit(little_digits(12))
    assert said(caplog, "batches of") == [
        "batches of 12 samples, since there are no more; batch_size is 1000"
    ]
    assert large.batch_size == large.get_params()["batch_size"] == 1000
    fitting = SimCLR(**QUICK | {"batch_size": 12}).fit(little_digits(12))
    assert (large.transform(little_digits(12)) == fitting.transform(little_digits(12))).all()
    assert len(large.history_.rows) == QUICK["epochs"]


def test_fewer_samples_than_the_smallest_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="SimCLR must have at least 8 samples for a batch; got 1"):
        SimCLR(**QUICK).fit(little_digits(1))


def test_windows_of_texts_and_labelled_samples_make_smaller_batches_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        gpt = find_method("gpt").cls(encoder="gpt_tiny", window=8, vocabulary=300, epochs=1, batch_size=512)
        gpt.fit(["to be or not to be, that is the question"] * 4)
        FineTune(encoder="linear", epochs=2, batch_size=512, validation=0.25).fit(
            little_digits(16).reshape(16, -1).astype("float32"), ["a", "b"] * 8
        )
    assert len(said(caplog, "batches of")) == 2


def test_lines_instead_of_a_bar(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Lines("reading", 10)
    lines.told = -1e9
    with caplog.at_level(logging.INFO):
        lines.move(4)
        lines.move(1)  # within the half minute
    assert said(caplog, "reading")[0] == "reading: 4 of 10"
    monkeypatch.setattr(history, "EVERY", 0.0)
    with caplog.at_level(logging.INFO):
        SimCLR(**QUICK).fit(little_digits())
    assert said(caplog, "step 8 of 8 (100 %), loss ")
