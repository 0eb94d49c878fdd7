"""An index finds what exact search by cosine finds, with conditions; it changes while the old one is searched."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from replearn import load
from replearn.cli import main

pytest.importorskip("lancedb", reason="needs replearn[serve]")

from replearn.service.indexes import Version, open_index, write_version, writing
from replearn.service.indexes.recall import approximate

N = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A table, a run of PCA on it, and an index that keeps a column."""
    folder = tmp_path_factory.mktemp("made")
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(N, 5)), columns=list("abcde"))
    table.assign(label=np.array(["x", "y"])[np.arange(N) % 2], year=2000 + np.arange(N) % 3).to_csv(
        folder / "t.csv", index=False
    )
    data, run, index = (str(folder / name) for name in ("t.csv", "run", "index"))
    assert main(["fit", "pca", data, "--n-components", "3", "--drop", "year", "--run", run]) == 0
    assert main(["index", run, data, "--to", index, "--keep", "year"]) == 0
    return folder


@pytest.fixture
def index(made, tmp_path):
    """A copy, to be changed."""
    return shutil.copytree(made / "index", tmp_path / "index")


def rows_of(made):
    frame = pd.read_csv(made / "t.csv")
    h = load(made / "run").transform(frame[list("abcde")].to_numpy(np.float32))
    return h / np.linalg.norm(h, axis=1, keepdims=True), frame


def found(path):
    return pd.read_csv(path)


def test_a_sample_finds_what_cosines_say_without_itself(made, command, tmp_path):
    h, frame = rows_of(made)
    answer = command("search", made / "index", "7", "--top", "5", "--out", "f.csv")
    assert answer.code == 0
    best = [i for i in np.argsort(-h @ h[7]) if i != 7][:5]
    table = found(tmp_path / "f.csv")
    assert table["number"].tolist() == best
    np.testing.assert_allclose(table["cosine"], (h @ h[7])[best], atol=1e-5)
    assert table["label"].tolist() == frame["label"][best].tolist()
    assert all(len(line) <= 80 for line in answer.out.splitlines())


def test_a_condition_holds_for_all_that_is_found(made, command, tmp_path):
    h, frame = rows_of(made)
    options = ("--where", "label = 'y' AND year > 2000", "--top", "8", "--out", "f.csv")
    assert command("search", made / "index", "7", *options).code == 0
    fit = np.flatnonzero((frame["label"] == "y") & (frame["year"] > 2000))
    best = [i for i in fit[np.argsort(-h[fit] @ h[7])] if i != 7][:8]
    assert found(tmp_path / "f.csv")["number"].tolist() == best


def test_a_file_asks_for_each_of_its_rows(made, command, tmp_path):
    lines = (made / "t.csv").read_text().splitlines()
    (tmp_path / "q.csv").write_text("\n".join([lines[0], lines[4], lines[9]]))
    assert command("search", made / "index", "q.csv", "--top", "1", "--out", "f.csv").code == 0
    table = found(tmp_path / "f.csv")
    assert table["number"].tolist() == [3, 8]
    assert table["query"].tolist() == ["row 0", "row 1"]
    np.testing.assert_allclose(table["cosine"], 1, atol=1e-5)


def test_rows_are_deleted_and_added(made, index, command, tmp_path):
    assert "20 deleted, 40 left" in command("index", index, "--delete", "year = 2001").out
    frame = pd.read_csv(made / "t.csv")
    frame[frame["year"] == 2001].to_csv(tmp_path / "again.csv", index=False)
    answer = command("index", made / "run", "again.csv", "--to", index, "--keep", "year", "--add")
    assert "20 added, 60 in all" in answer.out
    opened = open_index(index)
    assert opened.version.data == (str(made / "t.csv"), "again.csv")
    assert opened.table.next_number() == N + 20  # no number is given twice
    numbers = opened.table.search(opened.table.direction(N), 1, where=f"number >= {N}")["number"]
    assert numbers.to_pylist() == [N]


def test_columns_that_added_rows_lack_are_empty_and_told(made, index, command):
    answer = command("index", made / "run", made / "t.csv", "--to", index, "--add")
    assert f"{N} rows that are added have no year, which is left empty" in answer.err
    assert f"{N} deleted, {N} left" in command("index", index, "--delete", "year IS NULL").out


def test_the_old_index_is_searched_until_the_new_one_is_whole(made, index, command, monkeypatch):
    old = open_index(index)
    from replearn.service.indexes import folder

    def stops(*args):
        raise ValueError("a stop in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(folder, "write_lance", stops)
        args = ("index", made / "run", made / "t.csv", "--to", index, "--renew")
        assert "a stop in the middle" in command(*args).err
    assert json.loads((index / "index.json").read_text()) == {"current": "v1"}
    assert not list(index.glob(".v*"))
    before = old.table.search(old.table.direction(3), 4)["number"].to_pylist()
    assert command(*args).code == 0
    assert old.table.search(old.table.direction(3), 4)["number"].to_pylist() == before
    new = open_index(index)
    assert (new.name, new.table.columns) == ("v2", ["number", "label"])
    assert command(*args).code == 0
    assert sorted(one.name for one in index.glob("v*")) == ["v2", "v3"]


def test_what_was_represented_before_a_stop_is_not_represented_again(made, tmp_path, command, monkeypatch):
    from replearn.cli import index as module
    from replearn.service import reading

    args = ("index", made / "run", made / "t.csv", "--to", tmp_path / "new", "--rows", "16")
    whole = reading.rows_of

    def stops_at(number):
        calls = []

        def rows_of(*given):
            calls.append(given)
            if len(calls) == number:
                raise ValueError("killed")
            return whole(*given)

        monkeypatch.setattr(reading, "rows_of", rows_of)
        return calls

    stops_at(3)
    assert "killed" in command(*args).err
    calls = stops_at(0)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_with_direction", lambda *_: (_ for _ in ()).throw(ValueError("later")))
        assert "later" in command(*args).err
    assert len(calls) == 2  # of four parts
    assert command(*args).code == 0
    assert len(calls) == 2
    h, _ = rows_of(made)
    table = open_index(tmp_path / "new").table
    np.testing.assert_allclose(np.stack([table.direction(i) for i in range(N)]), h, atol=1e-5)
    assert not list((tmp_path / "new").glob(".rows*"))


def test_samples_without_a_direction_are_left_out_and_counted(made, command, tmp_path, monkeypatch):
    from replearn.service import reading

    whole = reading.rows_of

    def some(*given):
        rows = whole(*given)
        rows[[2, 5]] = 0
        return rows

    monkeypatch.setattr(reading, "rows_of", some)
    answer = command("index", made / "run", made / "t.csv", "--to", "new")
    assert "2 samples are left out" in answer.err
    assert f"{N - 2} samples" in answer.out
    assert "must be that of a sample in the index; got 5" in command("search", "new", "5").line


def write(folder, rows):
    import pyarrow as pa

    told = Version("run", "hash", None, ("x",), rows.shape[1])
    with writing(folder) as place:
        write_version(place, told, rows, {"number": pa.array(np.arange(len(rows)), pa.int64())})
    return open_index(folder).table


@pytest.mark.all
def test_approximate_search_says_what_it_finds(tmp_path):
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(40, 12))
    rows = (centres[np.arange(4000) % 40] + 0.7 * draw.normal(size=(4000, 12))).astype(np.float32)
    table = write(tmp_path / "large", rows)
    recall = approximate(table)
    assert recall.partitions.of == 63
    assert recall.partitions.probes < 63
    h = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    asked = draw.permutation(4000)[:100]
    shares = []
    for i in asked:
        near = {n for n in table.search(h[i], 11)["number"].to_pylist() if n != i}
        best = {int(n) for n in np.argsort(-h @ h[i])[:11] if n != i}
        shares.append(len(near & best) / 10)
    assert abs(np.mean(shares) - recall.recall) < 0.05
    assert 0.85 < recall.recall <= 1
    exact = table.search(h[5], 10, exact=True)["number"].to_pylist()
    assert exact == np.argsort(-h @ h[5])[:10].tolist()


@pytest.mark.all
def test_fewer_probes_find_less(tmp_path):
    from replearn.service.indexes.table import Partitions

    draw = np.random.default_rng(0)
    rows = draw.normal(size=(2000, 16)).astype(np.float32)
    table = write(tmp_path / "even", rows)
    recall = approximate(table)
    table.partitions = Partitions(recall.partitions.of, 1)
    found = [
        len(
            {*table.search(row, 10)["number"].to_pylist()}
            & {*table.search(row, 10, exact=True)["number"].to_pylist()}
        )
        for row in rows[:20]  # partitions begin at random: one may hold all neighbours of a row
    ]
    assert sum(found) < 200


WRONG = [
    (("search", "INDEX", "7", "--where", "yer > 3"), "one of SQL on the columns number, label, year"),
    (("search", "INDEX", "7", "--where", "1; drop table samples"), "a condition must be one of SQL"),
    (("search", "INDEX", "hello"), "since the run reads tables; there is no file 'hello'"),
    (("search", "INDEX", "999"), "must be that of a sample in the index; got 999"),
    (("search", "INDEX", "-3", "--by", "number"), "must be a number of a sample in the index; got '-3'"),
    (("search", "RUN", "7"), "must hold index.json"),
    (("index", "RUN", "DATA", "--to", "INDEX"), "holds an index already: --add"),
    (("index", "RUN", "DATA", "--to", "none", "--add"), "holds no index to change"),
    (("index", "RUN", "DATA", "--to", "RUN"), "must be empty"),
    (("index", "RUN", "DATA", "--to", "new", "--approximate"), "for 1,000 samples and more; got 60"),
    (("index", "RUN", "DATA", "--to", "new", "--keep", "years"), "must name columns"),
    (("index", "RUN", "DATA", "--to", "new", "--keep", "number"), "other columns than number"),
    (("index", "RUN", "DATA", "--to", "new", "--of", "image"), "for runs of clip"),
    (("index", "RUN", "DATA", "--to", "INDEX", "--add", "--keep", "a"), "must have 3 numbers and no columns but label"),
    (("index", "RUN"), "missing: DATA"),
    (("index", "INDEX", "DATA", "--delete", "year = 1"), "INDEX alone must be given; got data"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "says"), WRONG)
def test_what_can_not_be_is_one_line(args, says, made, index, command, tmp_path):
    places = {"INDEX": index, "RUN": made / "run", "DATA": made / "t.csv"}
    assert says in command(*(places.get(arg, arg) for arg in args)).line
    assert not (tmp_path / "new" / "index.json").exists()


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("index.json", '{"current": "../../etc"}', "must name an existing version"),
        ("index.json", "[]", "must name an existing version"),
        ("index.json", "{", "must be JSON"),
        ("v1/version.json", "{}", "must be as `replearn index` wrote it"),
    ],
)
def test_a_broken_index_is_one_line(file, content, says, index, command):
    (index / file).write_text(content)
    assert says in command("search", index, "7").line


def test_a_run_that_was_fitted_again_is_told(made, index, command, tmp_path):
    run = tmp_path / "other"
    assert command("fit", "pca", made / "t.csv", "--n-components", "2", "--run", run).code == 0
    says = "must be the one that the index was made by"
    assert says in command("search", index, made / "t.csv", "--run", run).line
    args = ("index", run, made / "t.csv", "--to", index, "--add", "--keep", "year")
    assert "must be represented by the run of the index" in command(*args).line


def test_an_image_is_asked_for_by_its_file(run, command, tmp_path):
    from PIL import Image

    draw = np.random.default_rng(1)
    (tmp_path / "photos").mkdir()
    for number in range(6):
        image = draw.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / "photos" / f"{number}.png")
    assert command("index", run, "photos", "--to", "i").code == 0
    assert command("search", "i", "photos/4.png", "--top", "2", "--out", "f.csv").code == 0
    table = found(tmp_path / "f.csv")
    assert table["name"][0] == "4.png"
    assert table["cosine"][0] == pytest.approx(1, abs=1e-5)
    large = np.asarray(Image.open(tmp_path / "photos/4.png").resize((30, 20)))
    Image.fromarray(large).convert("RGB").save(tmp_path / "large.png")  # is made like those of the run
    assert command("search", "i", "large.png").code == 0


@pytest.mark.all
def test_texts_find_images_by_a_run_of_pairs(command, data, tmp_path):
    pytest.importorskip("tokenizers", reason="needs replearn[text]")
    from replearn import CLIP, as_samples

    images = as_samples(data)
    told = {"image": images, "text": [("dark", "light")[label] for label in images.labels]}
    CLIP(encoder="image=linear,text=words", epochs=30, batch_size=32, device="cpu").fit(
        told, run=tmp_path / "pairs"
    )
    assert command("index", "pairs", data, "--to", "i").code == 0
    for label, text in enumerate(("dark", "light")):
        assert command("search", "i", text, "--top", "10", "--out", f"{text}.csv").code == 0
        assert (found(tmp_path / f"{text}.csv")["label"] == label).mean() >= 0.9
