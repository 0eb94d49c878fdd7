"""A run whose history is broken or foreign is read without it, with a line that says why."""

import pytest

from replearn.engine.history import read_history


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("history.csv", "", "it is empty"),
        ("history.csv", "a,b\n1,2\n", "no columns step and loss in its first line, 'a,b'"),
        ("history.csv", "step,loss\n1,many\n", "could not convert"),
        ("history.csv", "step,loss\n1,2,3\n", "must hold numbers"),
        ("history.csv", "\x89PNG\x00\n\x00\n", "must hold numbers"),
        ("alarms.json", "[3]", "must hold alarms"),
        ("alarms.json", "3", "must hold alarms"),
        ("alarms.json", '[{"x": 1}]', "must hold alarms"),
    ],
)
def test_what_is_no_history_is_left_out_with_a_line(tmp_path, caplog, file, content, told):
    (tmp_path / file).write_text(content)
    past = read_history(tmp_path)
    assert not past.rows
    assert not past.alarms
    assert [told in record.message and file in record.message for record in caplog.records] == [True]


def test_a_whole_history_is_read_without_a_word(tmp_path, caplog):
    (tmp_path / "history.csv").write_text("step,loss,rate\n1,0.5,\n2,0.25,0.1\n3,0.")
    assert read_history(tmp_path).rows == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25, "rate": 0.1}]
    assert not caplog.records
