"""`evaluate`, `compare`, `report` and `demo`: the same rows, on disk and on the terminal."""

import json

import numpy as np
import pytest
from safetensors.torch import save_file
from tiny_training import TINY

from replearn.cli import compare, demo
from replearn.encoders import CNN

FEW = ["--draws", "2", "--fractions", "0.2", "1.0"]


def evaluation(folder):
    return json.loads((folder / "evaluation.json").read_text())


def rows(folder) -> list[str]:
    return [row["name"] for row in evaluation(folder)["rows"]]


def test_evaluate_judges_beside_raw_input_and_untrained_encoder(command, run, data):
    answer = command("evaluate", run, data, *FEW)
    assert answer.code == 0
    assert rows(run) == ["raw input", "untrained encoder", "SimCLR"]
    assert "split at random" in answer.err
    assert "77 samples to train, 19 to test" in answer.err or "76 samples" in answer.err
    assert all(name in answer.out for name in rows(run))
    assert max(len(line) for line in answer.out.splitlines()[:-2]) <= 80


def test_weights_from_elsewhere_are_a_row_of_their_own(command, data, tmp_path):
    """What a network knew before is no untrained encoder, and what training added is to be seen."""
    given, run = tmp_path / "cnn.safetensors", tmp_path / "run"
    save_file({name: value.contiguous() for name, value in CNN(1).state_dict().items()}, given)
    assert (
        command(
            "fit", "simclr", data, "--run", run, *TINY[2:], "--encoder", f"cnn@{given}", "--epochs", "1"
        ).code
        == 0
    )
    assert command("evaluate", run, data, *FEW).code == 0
    assert rows(run) == ["raw input", "encoder as given", "SimCLR"]
    assert command("report", run).code == 0
    page = (run / "report.html").read_text()
    assert "encoder as given" in page
    assert "untrained encoder" not in page


def test_report_comes_again_from_the_run_folder(command, run, data):
    command("evaluate", run, data, *FEW)
    before = evaluation(run)["scores"]
    answer = command("report", run, "--title", "<script>alert(1)</script>")
    assert answer.code == 0
    page = (run / "report.html").read_text()
    assert "<script>alert(1)" not in page
    assert "untrained encoder" in page
    assert evaluation(run)["scores"] == before


def test_a_test_part_of_its_own(command, run, data):
    (run / "evaluation.json").unlink(missing_ok=True)
    answers = [command("evaluate", run, data, "--test", data, *FEW) for _ in range(2)]
    assert [answer.code for answer in answers] == [0, 0]
    assert ["is replaced, with the scores that it held" in answer.err for answer in answers] == [False, True]
    assert evaluation(run)["data"]["test"] == str(data)


def test_an_evaluation_that_points_outside_is_not_followed(command, run, data):
    command("evaluate", run, data, *FEW)
    content = evaluation(run)
    content["rows"][-1]["run"] = "../elsewhere"
    (run / "evaluation.json").write_text(json.dumps(content))
    assert "must lie in its folder" in command("report", run).line


def test_compare_prints_one_table_and_writes_one_report(command, data, tmp_path):
    shared = [*TINY[:2], "--batch-size", "32", "--epochs", "1", "--precision", "32-true"]
    asked = ["simclr:temperature=0.2,hidden=8", "autoencoder:dim=3", "pca:n-components=4"]
    answer = command("compare", *asked, "--data", data, *shared, *FEW, "--seeds", "2")
    assert answer.code == 0
    folder = tmp_path / "runs" / "compare"
    names = ["raw input", "untrained SimCLR", "untrained Autoencoder", "SimCLR", "Autoencoder", "PCA"]
    assert rows(folder) == names
    assert all(word in answer.out for name in names for word in name.split())  # long ones wrap
    assert (folder / "report.html").is_file()
    fields = {name: json.loads((folder / name / "method.json").read_text())["fields"] for name in names[3:]}
    assert (fields["SimCLR"]["temperature"], fields["SimCLR"]["epochs"]) == (0.2, 1)
    assert (fields["Autoencoder"]["dim"], fields["Autoencoder"]["encoder"]) == (3, "cnn")
    assert fields["PCA"]["parameters"]["n_components"] == 4
    assert (folder / "SimCLR-1" / "weights.safetensors").is_file()
    assert "--resume" in command("compare", "pca", "--data", data).line
    again = command("compare", *asked, "--data", data, *shared, *FEW, "--seeds", "2", "--resume")
    assert again.out == answer.out
    assert "training on" not in again.err
    assert command("report", folder).code == 0


def test_a_method_can_be_compared_with_itself():
    methods = compare.make_methods(("pca", "pca:n-components=2"), [])
    assert {name: method.n_components for name, method in methods.items()} == {
        "PCA": None,
        "PCA n_components=2": 2,
    }


def test_flags_and_values_find_their_options():
    methods = compare.make_methods(("simclr:compile=true", "autoencoder"), ["--epochs", "3", "--dim=5"])
    assert (methods["SimCLR"].compile, methods["Autoencoder"].compile) == (True, False)
    assert {method.epochs for method in methods.values()} == {3}
    assert {method.dim for method in methods.values()} == {5}


@pytest.fixture
def small_demo(monkeypatch):
    """The demo in seconds."""
    from replearn.data import load_data
    from replearn.methods import SimCLR
    from replearn.methods.classical import PCA

    def methods(seed):
        tiny = SimCLR(
            encoder="mlp", hidden=8, dim=4, epochs=1, batch_size=64, max_minutes=2, random_state=seed
        )
        return tiny, PCA(n_components=4, random_state=seed)

    monkeypatch.setattr(demo, "methods", methods)

    def load_parts(*args):
        return [load_data("digits8x8", split=part).subset(np.arange(120)) for part in ("train", "test")]

    monkeypatch.setattr(demo, "load_parts", load_parts)
    monkeypatch.setattr(demo, "DRAWS", 2)


@pytest.mark.all
def test_demo_writes_all_it_promises_and_replaces_itself(command, small_demo, tmp_path):
    folder = tmp_path / "runs" / "demo"
    answer = command("demo")
    assert answer.code == 0
    assert "report: runs/demo/report.html" in answer.out
    made = {"method.json", "weights.safetensors", "history.csv", "evaluation.json", "report.html", "PCA"}
    assert {path.name for path in folder.iterdir()} == made
    assert rows(folder) == ["raw input", "untrained encoder", "PCA", "SimCLR"]
    (folder / "notes.txt").write_text("mine")
    assert command("demo", "--seed", "1").code == 0
    assert json.loads((folder / "method.json").read_text())["fields"]["random_state"] == 1
    assert (folder / "notes.txt").read_text() == "mine"
    again = command("demo", "--seed", "1", "--resume")
    assert again.code == 0
    assert "training on" not in again.err


def test_demo_leaves_a_folder_of_something_else_alone(command, small_demo, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    assert "something else" in command("demo", "--run", "mine").line
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_classes_of_the_test_part_are_numbered_as_in_training():
    from replearn.cli.samples import with_classes
    from replearn.data import as_samples

    images = np.zeros((3, 8, 8), np.uint8)
    train = as_samples(images, ["ant", "bee", "cat"])
    test = with_classes(as_samples(images, ["cat", None, "bee"]), train)
    assert (test.labels.tolist(), test.classes) == ([2, -1, 1], ("ant", "bee", "cat"))
    with pytest.raises(ValueError, match="'dog'"):
        with_classes(as_samples(images, ["dog", "bee", "cat"]), train)


def test_why_there_are_no_accuracies(capsys):
    """Of few labels the test part may have none."""
    from replearn import as_samples
    from replearn.cli.evaluations import print_scores
    from replearn.comparison import judge, raw_input

    x = np.random.default_rng(0).normal(size=(20, 3))
    labelled, none = as_samples(x, np.arange(20) % 4 - 1), as_samples(x + 1, np.full(20, -1))

    def told(train, test):
        print_scores(judge([(0, raw_input(train, test))], train, test, draws=1, fractions=(1.0,)))
        return capsys.readouterr().out

    assert "15 of 20 training and 0 of 20 test samples have a label" in " ".join(told(labelled, none).split())
    assert "Accuracy can't be computed" not in told(labelled, labelled)
    assert "Accuracy can't be computed" not in told(none, none)


def test_a_narrow_terminal_loses_no_name(command, run, data, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    out = command("evaluate", run, data, "--draws", "2").out
    assert "raw input" in out
    assert "untrained encoder" in out
    assert "…" not in out
