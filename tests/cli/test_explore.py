"""The command: what it shows of runs and data, labels that `finetune` reads, refusals in one line, the table."""

import json
import re
import signal
import urllib.request

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from replearn import NGram, as_samples
from replearn.cli.explore import ExploreOptions, make_explored
from replearn.cli.exploring import reader
from replearn.data import describe

pytest.importorskip("uvicorn", reason="needs replearn[serve]")
pytest.importorskip("fastapi", reason="needs replearn[serve]")
testclient = pytest.importorskip("starlette.testclient", reason="needs httpx")

from replearn.service.explore import make_app  # noqa: E402


def options(run, data, **others):
    return ExploreOptions(run=str(run), data=str(data), map="pca", **others)


@pytest.fixture
def photos(data, tmp_path):
    """The images as files in one folder, and their classes."""
    found = np.load(data)
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, image in enumerate(found["images"]):
        Image.fromarray(image).save(folder / f"{i:03}.png")
    return folder, found["labels"]


def test_finetune_reads_what_was_clicked(command, run, photos, tmp_path, monkeypatch):
    folder, labels = photos
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "clicked.csv"
    asked = testclient.TestClient(make_app(make_explored(options(run, folder, labels=str(file)))))
    for number, name in enumerate(["dark", "light"]):
        positions = np.flatnonzero(labels == number).tolist()
        assert asked.post("/labels", json={"positions": positions, "label": name}).status_code == 200
    answer = command(
        *("finetune", run, folder, "--labels", file, "--trained", "frozen", "--epochs", "20", "--to", "tuned")
    )
    assert answer.code == 0
    assert "accuracy" in answer.out
    again = make_explored(options(run, folder, labels=str(file), classifier="tuned"))
    assert again.labels.read() == [["dark", "light"][label] for label in labels]
    assert [one.name for one in again.colours] == ["prediction", "confidence"]
    told = np.array(again.colours[0].classes)[again.colours[0].values]
    assert (told == np.array(["dark", "light"])[labels]).mean() > 0.9
    answer = command(
        "explore", run, folder, "--map", "pca", "--classifier", "tuned", "--parquet", "m.parquet"
    )
    assert answer.code == 0
    frame = pd.read_parquet("m.parquet")
    assert list(frame) == ["id", "name", "x", "y", "prediction", "confidence", "neighbors"]
    assert frame["name"][3] == "003.png"


def test_samples_without_names_are_labelled_by_number(run, data, tmp_path):
    from replearn import as_samples

    file = tmp_path / "clicked.csv"
    found = make_explored(options(run, data, labels=str(file)))
    assert [one.name for one in found.colours] == ["label"]
    found.labels.assign(range(96), "b")
    found.labels.assign([4, 95], "a")
    told = as_samples(str(data), str(file))
    assert np.flatnonzero(told.labels == 0).tolist() == [4, 95]


def test_columns_of_a_table_are_colours(command, tmp_path):
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(40, 3)), columns=list("abc"))
    frame = frame.assign(label=["x", "y"] * 20, who=["Ada", "Eve", None, "Ada"] * 10, when=np.arange(40) / 3)
    frame.to_csv("t.csv", index=False)
    assert command("fit", "pca", "t.csv", "--columns", "a", "b", "c", "--run", "four").code == 0
    found = make_explored(options("four", "t.csv", labels="label", keep=("who", "when")))
    assert [one.name for one in found.colours] == ["label", "who", "when"]
    assert found.colours[1].at(2) == ""
    assert not found.colours[2].classes
    assert found.labels is None


def test_a_second_run_beside(run, data, command):
    assert command("fit", "pca", data, "--run", "second").code == 0
    found = make_explored(options(run, data, beside="second"))
    assert found.beside.places.xy.shape == (96, 2)
    assert found.colours[-1].name == "neighbours changed"
    assert any("are others in the second representation" in line for line in found.told)


def test_texts_are_searched_by_meaning(command, tmp_path):
    pytest.importorskip("tokenizers", reason="needs replearn[text]")
    lines = [
        f"{who} {does} the {what}"
        for who in ("ada", "eve")
        for does in ("sees", "likes")
        for what in "abcdef"
    ]
    (tmp_path / "lines.txt").write_text("\n".join(lines))
    assert command("fit", "frozen", "lines.txt", "--encoder", "words", "--run", "words").code == 0
    found = make_explored(options("words", "lines.txt"))
    answer = found.search("eve likes the f")
    assert answer["positions"] == [23]
    assert answer["meant"][0]["position"] == 23


def test_more_than_a_map_holds_is_drawn_at_random(run, data, monkeypatch):
    from replearn.cli import explore

    monkeypatch.setattr(explore, "POINTS", 30)
    found = make_explored(options(run, data))
    assert len(found) == 30
    assert found.told[0].startswith("30 of 96 samples, drawn at random.")
    assert found.small([29])[0]["name"] == found.samples.names[29]
    assert 29 < int(found.samples.names[29]) < 96


def test_images_of_a_run_of_clip_are_found_by_text(data, tmp_path):
    pytest.importorskip("tokenizers", reason="needs replearn[text]")
    from replearn import CLIP, as_samples

    images = as_samples(str(data))
    told = {"image": images, "text": [("dark", "light")[label] for label in images.labels]}
    few = {"encoder": "image=linear,text=words", "epochs": 30, "batch_size": 32, "device": "cpu"}
    CLIP(**few, learning_rate=1e-2).fit(told, run=tmp_path / "pairs")
    found = make_explored(options(tmp_path / "pairs", data))
    for name, label in (("dark", "0"), ("light", "1")):
        assert [one["told"] for one in found.search(name)["meant"]].count(label) >= 18


def test_pairs_are_represented_by_one_member_and_shown_as_pairs(command, tmp_path):
    pytest.importorskip("tokenizers", reason="needs replearn[text]")
    from replearn import CLIP, load, load_data

    pairs = load_data("captions", split="test").subset(np.arange(48))
    few = {"encoder": "image=linear,text=words", "epochs": 1, "batch_size": 16, "device": "cpu"}
    CLIP(**few).fit(pairs, run=tmp_path / "pairs")
    found = make_explored(options(tmp_path / "pairs", "captions:test"))
    images = load_data("captions", split="test").members["image"]
    np.testing.assert_allclose(found.rows, load(tmp_path / "pairs").project(images, of="image"), atol=1e-5)
    assert found.small([0])[0]["picture"]
    words = found.samples.names[7]
    assert 7 in found.search(words)["positions"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("RUN", "DATA", "--host", "0.0.0.0"), "--tokens must be given"),
        (("RUN", "DATA", "--parquet", "DATA"), "--parquet must be a new file"),
        (("RUN", "DATA", "--labels", "l.parquet"), "must name a CSV file"),
        (("RUN", "digits8x8", "--labels", "l.csv"), "for files and folders"),
        (("RUN", "DATA", "--classifier", "RUN"), "--classifier must be a run of"),
        (("RUN", "DATA", "--keep", "who"), "--keep is for DATA in a table"),
        (("RUN", "DATA", "--of", "image"), "--of is for runs of clip"),
        (("none", "DATA"), "none"),
    ],
)
def test_refusals_are_one_line(command, run, data, args, told):
    given = [str({"RUN": run, "DATA": data}.get(arg, arg)) for arg in args]
    assert told in command("explore", *given, "--port", "0").line


@pytest.mark.all
def test_a_page_is_served_until_it_is_stopped(run, data, process, tmp_path):
    server = process("explore", run, data, "--port", "0", cwd=tmp_path)
    try:
        lines = iter(server.stderr.readline, "")
        base = next(filter(None, (re.search(r"http://127\.0\.0\.1:\d+", line) for line in lines)))[0]
        with urllib.request.urlopen(f"{base}/map", timeout=60) as answer:
            assert json.load(answer)["n"] == 96
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=60)
    finally:
        server.kill()
    assert server.returncode == 0
    assert out == "stopped\n"
    assert "Traceback" not in err


def test_a_text_that_is_searched_for_is_never_a_path(tmp_path, monkeypatch):
    pytest.importorskip("tokenizers", reason="needs replearn[text]")
    monkeypatch.chdir(tmp_path)
    Image.new("L", (8, 8)).save("cat.png")
    texts = as_samples(["a cat sits", "a dog runs", "cat.png is a name"] * 5)
    read = reader(NGram(vocabulary=300).fit(texts), describe(texts), None)
    assert read is not None
    for text in ("cat.png", str(tmp_path / "cat.png"), "../gone.jpg"):
        assert read(text).shape == read("a cat").shape
