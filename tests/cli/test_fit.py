"""`replearn fit`: saves, resumes with the same bits, says how to go on."""

import json
import signal
import time

import pytest
from tiny_training import TINY

from replearn.cli import main
from replearn.engine.run import read_tensors

LONG = [*TINY, "--epochs", "16", "--checkpoint-minutes", "0"]


def weights(run) -> dict[str, bytes]:
    return {
        name: tensor.numpy().tobytes() for name, tensor in read_tensors(run / "weights.safetensors").items()
    }


def test_fit_says_where_and_what_next(command, data, tmp_path):
    answer = command("fit", "simclr", data, *TINY, "--epochs", "1")
    run = tmp_path / "runs" / "simclr-small"
    assert {path.name for path in run.iterdir()} == {"method.json", "weights.safetensors", "history.csv"}
    assert "96 samples, loss" in answer.out
    assert "samples/s" in answer.out
    assert f"replearn embed runs/simclr-small {data}" in answer.out
    assert "training on cpu" in answer.err


def test_fields_reach_the_method(command, data, tmp_path):
    command("fit", "simclr", data, *TINY, "--epochs=1", "--temperature", "0.2", "--warmup", "0", "--run", "x")
    fields = json.loads((tmp_path / "x" / "method.json").read_text())["fields"]
    assert (fields["temperature"], fields["warmup"], fields["dim"], fields["encoder"]) == (0.2, 0, 4, "cnn")


def test_parameters_of_scikit_learn_are_literals(command, data, tmp_path):
    options = ["--n-components", "0.5", "--svd-solver", "full", "--whiten", "True", "--random-state", "3"]
    assert command("fit", "pca", data, *options, "--run", "x").code == 0
    stored = json.loads((tmp_path / "x" / "method.json").read_text())["fields"]["parameters"]
    assert (stored["n_components"], stored["svd_solver"], stored["whiten"]) == (0.5, "full", True)


def test_built_in_data_are_learned_from_their_training_part(command, tmp_path):
    assert "1,438 samples" in command("fit", "pca", "digits8x8").out
    assert "1,797 samples" in command("fit", "pca", "digits8x8", "--split", "all", "--run", "x").out
    assert "359 samples" in command("fit", "pca", "digits8x8:test", "--run", "y").out


def test_resume_of_an_ended_run_keeps_it(command, run, data):
    before = weights(run)
    same = ["fit", "simclr", data, *TINY, "--epochs", "1", "--run", run, "--resume"]
    assert command(*same).code == 0
    assert command("fit", "simclr", data, "--run", run, "--resume").code == 0  # its own fields
    assert weights(run) == before
    assert "dim was 4, got 5" in command("fit", "simclr", data, "--run", run, "--resume", "--dim", "5").line


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    """The weights of the long training without interruption."""
    folder = tmp_path_factory.mktemp("unbroken")
    assert main(["fit", "simclr", str(data), *LONG, "--run", str(folder / "run")]) == 0
    return weights(folder / "run")


def wait_for_steps(run, started):
    while not list(run.glob("state/step-*")):
        assert started.poll() is None, started.communicate()
        time.sleep(0.02)


def test_killed_and_resumed_it_ends_with_the_same_bits(command, data, process, unbroken, tmp_path):
    started = process("fit", "simclr", data, *LONG, "--run", "run", cwd=tmp_path)
    wait_for_steps(tmp_path / "run", started)
    started.kill()
    started.communicate()
    assert not (tmp_path / "run" / "weights.safetensors").exists()
    assert command("fit", "simclr", data, *LONG, "--run", "run", "--resume").code == 0
    assert weights(tmp_path / "run") == unbroken


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.all)])
def test_a_signal_saves_and_tells_the_command_that_goes_on(
    command, data, process, unbroken, tmp_path, number
):
    started = process("fit", "simclr", data, *LONG, "--run", "run", cwd=tmp_path)
    wait_for_steps(tmp_path / "run", started)
    started.send_signal(number)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 128 + number
    assert "Traceback" not in err
    told = err.strip().splitlines()[-1].partition("To go on: replearn ")[2].split()
    assert told[-1] == "--resume"
    assert command(*told).code == 0
    assert weights(tmp_path / "run") == unbroken


def test_tensorboard_writes_into_the_run_folder(command, data, tmp_path):
    pytest.importorskip("tensorboard")
    assert command("fit", "simclr", data, *TINY, "--epochs", "1", "--tensorboard", "--run", "x").code == 0
    assert list((tmp_path / "x" / "tensorboard").glob("events.*"))


def test_tensorboard_that_is_not_installed(command, data, monkeypatch, tmp_path):
    monkeypatch.setattr("replearn.data.needed.find_spec", lambda name: None)
    assert (
        "replearn[tensorboard]" in command("fit", "simclr", data, *TINY, "--tensorboard", "--run", "x").line
    )
    assert not (tmp_path / "x").exists()


def test_what_is_stopped_before_anything_is_kept_leaves_no_run(command, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("replearn.methods.model.Model.fit", stopped)
    (tmp_path / "texts.txt").write_text("one two three\n" * 9)
    assert command("fit", "ngram", "texts.txt", "--run", "x").code == 130
    assert not (tmp_path / "x").exists()
