"""Each bad input is one line that says what to do, and exit code 2."""

import copy
import errno
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from tiny_training import TINY

from replearn.cli import failures


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["lsit"], "'list'"),
        (["fit", "simlcr", "digits"], "simclr"),
        (["fit", "simclr", "digits", "--temprature", "1"], "--temperature"),
        (["fit", "simclr", "digits", "--epochs", "many"], "--epochs must be of its type; got 'many'"),
        (["fit", "simclr", "digits", "--optimizer", "adam"], "'adamw', 'sgd', 'lars'; got 'adam'"),
        (["fit", "simclr", "digits", "--epochs"], "--epochs"),
        (["fit", "simclr"], "DATA"),
        (["fit", "simclr", "digits", "more"], "more"),
        (["fit", "--epochs", "3", "simclr", "digits"], "METHOD must come first"),
        (["fit", "simclr", "digts"], "'digits'"),
        (["fit", "simclr", "digits8x8", "--encoder", "resnet81"], "resnet18"),
        (["fit", "simclr", "digits8x8", "--views", "potho"], "'photo'"),
        (["fit", "simclr", "digits8x8", "--precision", "12"], "'12'"),
        (["fit", "simclr", "digits8x8", "--image-size", "8"], "--image-size"),
        (["fit", "pca", "digits8x8", "--n-components", "9999"], "n_components=9999"),
        (["fit", "pca", "digits8x8", "--n-componets", "3"], "--n-components"),
        (["compare", "pca", "--data", "digits8x8", "--epochs", "3"], "--epochs"),
        (["compare", "simclr:temprature=1", "--data", "digits8x8"], "--temperature"),
        (["compare", "simclr:temperature", "--data", "digits8x8"], "option=value"),
        (["compare", "simclr:dim=3,dim=4", "--data", "digits8x8"], "got dim twice"),
        (["compare", "simclr", "--data", "digits8x8", "--dim", "3", "--dim=4"], "got --dim and --dim=4"),
        (["compare", "simclr", "--data", "digits8x8", "--data", "digits"], "got --data and --data"),
        (["fit", "simclr", "digits8x8", "--epochs", "3", "--epochs", "5"], "got --epochs and --epochs"),
        (
            ["fit", "simclr", "digits8x8", "--batch-size=3", "--batch_size", "5"],
            "--batch-size=3 and --batch_size",
        ),
        (["fit", "simclr", "digits8x8", "--compile", "--no-compile"], "got --compile and --no-compile"),
        (["fit", "pca", "digits8x8", "--columns", "a", "--columns", "b"], "all of its values behind it"),
        (["evaluate", "x", "digits8x8", "--draws", "2", "--draws", "3"], "got --draws and --draws"),
        (["compare", "pca", "pca", "--data", "digits8x8"], "PCA twice"),
        (["compare", "pca"], "--data"),
        (["compare", "--data", "digits8x8"], "METHOD"),
        (["embed"], "missing: RUN, DATA. See"),
        (["evaluate", "x"], "missing: DATA. See"),
        (["fit"], "METHOD and DATA"),
        (["embed", "nowhere", "digits"], "method.json"),
        (["report", "nowhere"], "evaluation.json"),
        (["demo", "--sede", "3"], "--seed"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line_and_leaves_nothing(command, tmp_path, args, told):
    answer = command(*args)
    assert told in answer.line
    assert answer.out == ""
    assert not list(tmp_path.glob("runs/*"))


def test_one_sample(command, tmp_path):
    np.save("one.npy", np.zeros((1, 8, 8), np.uint8))
    assert "at least 8 samples for a batch; got 1" in command("fit", "simclr", "one.npy", *TINY).line


def test_empty_folder(command, tmp_path):
    (tmp_path / "photos").mkdir()
    assert "at least one image" in command("fit", "simclr", "photos").line


def test_not_a_number(command):
    np.save("gaps.npy", np.full((64, 4), np.nan, np.float32))
    assert "finite" in command("fit", "simclr", "gaps.npy").line


def test_a_file_in_the_way_of_the_run_folder(command, data, tmp_path):
    (tmp_path / "taken").write_text("mine")
    assert "writable" in command("fit", "simclr", data, *TINY, "--run", "taken").line
    assert "writable" in command("fit", "simclr", data, *TINY, "--run", "taken/below").line
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_run_folder(command, data, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "writable" in command("fit", "simclr", data, *TINY, "--run", "locked").line


def test_a_run_is_not_overwritten(command, run, data):
    before = (run / "weights.safetensors").read_bytes()
    assert "--resume" in command("fit", "simclr", data, *TINY, "--run", run).line
    assert (run / "weights.safetensors").read_bytes() == before


def test_a_pickle_in_a_run_folder_is_never_read(command, run, data, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    for name in ("weights.pkl", "weights.pt", "method.pkl", "evaluation.pkl"):
        (run / name).write_bytes(pickle.dumps(Trap()))
    assert command("embed", run, data).code == 0
    (run / "weights.safetensors").write_bytes(pickle.dumps(Trap()))
    assert "safetensors" in command("embed", run, data, "--out", "other.npy").line
    assert not (tmp_path / "sprung").exists()


def test_a_link_that_leaves_the_run_folder(command, run, data, tmp_path):
    (run / "weights.safetensors").rename(tmp_path / "elsewhere")
    (run / "weights.safetensors").symlink_to(tmp_path / "elsewhere")
    assert "points outside" in command("embed", run, data).line


def test_truncated_weights(command, run, data):
    weights = run / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "whole safetensors file" in command("embed", run, data).line


@pytest.mark.parametrize("content", ["{", "[]", '{"class": "SimCLR", "fields": {}, "samples": {}}'])
def test_a_broken_method_file(command, run, data, content):
    (run / "method.json").write_text(content)
    assert command("evaluate", run, data).line


def places(value, path=()):
    """Where in a JSON file something stands; of lists, the first two."""
    yield path
    pairs = (
        value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    )
    for key, part in pairs:
        yield from places(part, (*path, key))


def altered(content, path, value):
    content = copy.deepcopy(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


WRONG = (None, 3, "x", [], {}, -1, [[1]])


@pytest.mark.all
def test_a_method_file_with_anything_wrong_in_it(command, run, data):
    content = json.loads((run / "method.json").read_text())
    for path in list(places(content))[1:]:
        for value in (
            WRONG if path[0] in ("class", "samples") or path[-1] in ("device", "dim") else [-1, [[1]]]
        ):
            (run / "method.json").write_text(json.dumps(altered(content, path, value)))
            answer = command("embed", run, data, "--out", "e.npy")
            assert answer.code in (0, 2), (path, value, answer.err)
            Path("e.npy").unlink(missing_ok=True)


@pytest.mark.parametrize("epochs", ["1", "2"])
def test_a_method_file_with_anything_wrong_in_it_is_not_resumed(command, run, data, epochs):
    content = json.loads((run / "method.json").read_text())
    numbers = [name for name, value in content["fields"].items() if isinstance(value, int | float)]
    for name in [
        ("class",),
        ("fields",),
        ("samples",),
        ("samples", "fingerprint"),
        *(("fields", n) for n in numbers),
    ]:
        for value in ("8", [[1]], None) if len(name) == 1 or name[1] == "epochs" else ("8",):
            (run / "method.json").write_text(json.dumps(altered(content, name, value)))
            answer = command("fit", "simclr", data, "--run", run, "--resume", "--epochs", epochs)
            assert answer.code == 2, (name, value, answer.err)
            assert answer.line


@pytest.mark.all
def test_an_evaluation_file_with_anything_wrong_in_it(command, run, data, monkeypatch):
    assert command("evaluate", run, data, "--draws", "1").code == 0
    monkeypatch.setattr("replearn.report.write_report", lambda path, *_, **__: path)  # which draws for long
    content = json.loads((run / "evaluation.json").read_text())
    for path in list(places(content))[1:]:
        if path[0] == "facts" or (path[0] == "scores" and path[1:2] == (1,)):
            continue
        for value in WRONG if path[0] == "data" else [3, [[1]], {}]:
            (run / "evaluation.json").write_text(json.dumps(altered(content, path, value)))
            answer = command("report", run)
            assert answer.code in (0, 2), (path, value, answer.err)


def test_absurd_numbers_in_an_evaluation_file_are_told(command, run, data):
    assert command("evaluate", run, data, "--draws", "1").code == 0
    content = json.loads((run / "evaluation.json").read_text())
    for place, values in {
        ("rows", 1, "alarms"): (10**12, "x", [3], None),
        ("rows", 0, "seconds"): (-1, 1e308, None, [3]),
        **{("scores", 0, name): (-1, 1e308, 10**400, 0.5) for name in ("labels", "tested", "draws", "seed")},
        ("scores", 0, "mean"): (-1, 1e308, 7, "x"),
        ("scores", 0, "low"): (1e308, -1e308, "x"),
        ("facts", "seeds"): (10**12, [], [-1], [10**12], ["x"], [1e308], None),
    }.items():
        for value in values:
            (run / "evaluation.json").write_text(json.dumps(altered(content, place, value)))
            assert "evaluation.json must be as replearn wrote it" in command("report", run).line, (
                place,
                value,
            )


@pytest.mark.parametrize("content", ["{", "[]", '{"data": 3}'])
def test_a_broken_evaluation_file(command, run, content):
    (run / "evaluation.json").write_text(content)
    assert "evaluation.json" in command("report", run).line


def test_samples_of_another_kind(command, run, tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n3,4\n")
    assert "must be like those of fit" in command("embed", run, "table.csv").line


def test_a_full_disk_is_told_with_what_to_do(command, data, monkeypatch):
    from replearn.engine import run as run_module

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "weights.safetensors")

    monkeypatch.setattr(run_module, "save_file", full)
    assert "Free" in command("fit", "simclr", data, *TINY, "--epochs", "1").line


def test_a_failure_of_ours_is_one_line_and_exit_code_1(command, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("one\ntwo")

    monkeypatch.setattr("replearn.methods.registry", broken)
    answer = command("list")
    assert answer.code == 1
    assert answer.err.count("\n") == 1
    assert "one two" in answer.err
    monkeypatch.setenv("REPLEARN_TRACEBACK", "1")
    assert "Traceback" in command("list").err


def test_a_value_error_of_ours_and_one_from_elsewhere_differ():
    def caught(code: str) -> Exception:
        try:
            exec(compile(code, "x", "exec"), {"__name__": "elsewhere"})
        except ValueError as error:
            return error
        raise AssertionError

    assert failures.bad_input(caught("raise ValueError('bug')")) is None
    assert failures.bad_input(caught("from replearn.data import load_data; load_data('x')")) is not None


def test_a_failed_fit_can_be_given_again(command, data, tmp_path):
    again = ["fit", "simclr", data, *TINY[:-2], "--epochs", "1", "--run", "again"]
    assert "12" in command(*again, "--precision", "12").line
    assert not (tmp_path / "again").exists()
    assert command(*again, "--precision", "32-true").code == 0


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("fit", "pca", "digits8x8", "--to", "x"), "Did you mean --run?"),
        (("finetune", "run", "digits8x8", "--run", "x"), "Did you mean --to?"),
        (("predict", "run", "digits8x8", "--to", "x"), "Did you mean --out?"),
    ],
)
def test_the_name_for_where_to_write_is_told(command, args, hint):
    assert hint in command(*args).line
