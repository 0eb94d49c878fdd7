"""Two commands at once on one run folder: one of them is told to wait, and what is there stays."""

import pytest
from another import held_by_another
from tiny_training import TINY

from replearn.engine.owner import OWNER


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != OWNER
    }


@pytest.mark.parametrize(
    "args",
    [
        ("fit", "simclr", "DATA", *TINY, "--run", "RUN"),
        ("fit", "simclr", "DATA", "--run", "RUN", "--resume"),
        ("fit", "pca", "DATA", "--run", "RUN"),
        ("evaluate", "RUN", "DATA"),
        ("report", "RUN"),
        ("finetune", "linear", "DATA", "--to", "RUN"),
        ("compare", "pca", "--data", "DATA", "--run", "RUN"),
        ("compare", "pca", "--data", "DATA", "--run", "RUN", "--resume"),
        ("demo", "--run", "RUN"),
        ("demo", "--run", "RUN", "--resume"),
    ],
)
@pytest.mark.parametrize("new", [False, True])
def test_every_command_that_writes_into_a_run_waits_for_its_owner(command, run, data, tmp_path, args, new):
    folder = tmp_path / "new" if new else run
    folder.mkdir(exist_ok=True)
    before = contents(folder)
    with held_by_another(folder):
        answer = command(*(str({"DATA": data, "RUN": folder}.get(arg, arg)) for arg in args))
        assert "must be written by one process at a time" in answer.line
    assert contents(folder) == before


@pytest.mark.all
def test_two_commands_at_once(process, data, tmp_path):
    args = ["fit", "simclr", data, *TINY, "--epochs", "2", "--run", "run"]
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        two = [process(*args, cwd=folder) for _ in range(2)]
        told = [started.communicate(timeout=120)[1] for started in two]
        assert sorted(started.returncode for started in two) == [0, 2], told
        assert {path.name for path in (folder / "run").iterdir()} == {
            *("method.json", "weights.safetensors", "history.csv")
        }


def test_a_comparison_does_not_go_on_in_a_fits_run(command, run, data):
    assert command("evaluate", run, data, "--draws", "1").code == 0
    before = contents(run)
    for options in ((), ("--resume",)):
        answer = command("compare", "pca", "--data", data, "--run", run, *options)
        assert "holds a run, not a comparison" in answer.line
    assert contents(run) == before


def test_a_failed_command_leaves_what_was_there(command, tmp_path, data):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/history.csv").write_text("step,loss\n")
    assert command("fit", "simclr", data, *TINY, "--views", "potho", "--run", "mine").code == 2
    assert (tmp_path / "mine/history.csv").read_text() == "step,loss\n"
    (tmp_path / "empty").mkdir()
    assert command("fit", "simclr", "nowhere.csv", *TINY, "--run", "empty").code == 2
    assert (tmp_path / "empty").is_dir()
