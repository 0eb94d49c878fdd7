"""An index is explored: its columns, its samples where they are at hand, and names where they are not."""

import numpy as np
import pandas as pd
import pytest

from replearn.cli.explore import POINTS, ExploreOptions
from replearn.cli.explore_index import explored_index

pytest.importorskip("uvicorn", reason="needs replearn[serve]")
pytest.importorskip("fastapi", reason="needs replearn[serve]")
pytest.importorskip("lancedb", reason="needs replearn[serve]")


def shown(index, data=None, most=POINTS, **others):
    return explored_index(ExploreOptions(run=str(index), data=data, map="pca", **others), most)


@pytest.fixture
def table(command, tmp_path):
    """A table of 40 rows, a run of it, and an index with two columns kept."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(40, 3)), columns=list("abc"))
    frame = frame.assign(label=["x", "y"] * 20, who=["Ada", "Eve", None, "Ada"] * 10, when=np.arange(40) / 3)
    frame.to_csv("t.csv", index=False)
    assert command("fit", "pca", "t.csv", "--columns", "a", "b", "c", "--run", "run").code == 0
    made = command("index", "run", "t.csv", "--labels", "label", "--keep", "who", "when", "--to", "index")
    assert made.code == 0, made.err
    return tmp_path / "index"


def test_columns_are_colours_and_neighbours_are_those_of_search(table, command):
    found = shown(table)
    assert [one.name for one in found.colours] == ["label", "who", "when"]
    assert found.colours[0].at(1) == "y"
    assert found.colours[1].at(2) == ""
    assert len(found) == 40
    assert found.told[0].startswith("Map: ")
    assert len(found.told) == 1
    assert command("search", table, "7", "--top", "5", "--out", "s.csv").code == 0
    near = [one["position"] for one in found.neighbours(7, 5)["neighbours"]]
    assert near == pd.read_csv("s.csv")["number"].tolist()


def test_rows_that_were_deleted_are_not_there_and_others_keep_their_samples(table, command):
    assert command("index", table, "--delete", "number < 30 OR number = 35").code == 0
    found = shown(table)
    assert [found.samples.names[i] for i in (0, 5, 8)] == ["30", "36", "39"]
    frame = pd.read_csv("t.csv")
    x = found.samples[np.array([5])].x.numpy()
    from replearn.cli.runs import described
    from replearn.data import read_alike

    own = read_alike("t.csv", described("run"))[np.array([36])].x.numpy()
    np.testing.assert_array_equal(x, own)
    assert found.colours[2].values[5] == pytest.approx(frame["when"][36])


def test_a_source_that_is_gone_or_another_leaves_names(table, command):
    frame = pd.read_csv("t.csv")
    frame.iloc[::-1].to_csv("t.csv", index=False)
    told = shown(table).told[1]
    assert told.startswith("Names and columns alone: t.csv does not hold the samples of the index any more")
    assert "differs from the one in the index (cosine" in told
    (table.parent / "t.csv").unlink()
    found = shown(table)
    assert found.told[1].startswith(
        "Names and columns alone: no one source of the samples is at hand (t.csv)"
    )
    assert found.whole(3)["name"] == "3"
    assert dict(found.whole(3)["values"])["label"] == "y"
    frame.to_csv("elsewhere.csv", index=False)
    assert len(shown(table, "elsewhere.csv").told) == 1
    frame.head(20).to_csv("few.csv", index=False)
    answer = command("explore", table, "few.csv", "--map", "pca", "--port", "0")
    assert "DATA must hold the samples of the index; few.csv does not" in answer.line


@pytest.mark.filterwarnings("ignore:.*names become a column per value")
def test_a_run_that_is_gone_is_said(table, tmp_path, caplog):
    (tmp_path / "run").rename(tmp_path / "moved")
    found = shown(table)
    assert "the run that made the index" in caplog.text
    assert found.read_text is None
    assert len(found) == 40


def test_more_than_a_map_holds(table):
    found = shown(table, most=10)
    assert found.told[0].startswith("10 of 40 samples, drawn at random.")
    assert len(found.samples) == 10


def test_what_an_index_does_not_take_is_one_line(table, command):
    for option, value in (("--classifier", "run"), ("--beside", "run"), ("--keep", "who")):
        answer = command("explore", table, option, value, "--port", "0")
        assert f"{option} is for RUN DATA" in answer.line
    assert "missing: DATA" in command("explore", "run", "--port", "0").line


def test_a_table_for_other_programs(table, command):
    assert command("explore", table, "--map", "pca", "--parquet", "m.parquet").code == 0
    assert list(pd.read_parquet("m.parquet")) == ["id", "name", "x", "y", "label", "who", "when", "neighbors"]
