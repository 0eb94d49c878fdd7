"""Texts in tables: CSV, TSV, JSON lines, Parquet and pandas frames."""

import csv
import gzip
import json

import numpy as np
import pandas as pd
import pytest

from replearn.data import DataWarning, as_samples
from replearn.data.records import LONGEST_CELL

frame = pd.DataFrame(
    {
        "id": [3, 4, 5, 6],
        "text": ["to be, or", 'not "to" be', "null", "☃ two\nlines"],
        "label": ["q", None, "a", "q"],
        "stars": [5, 1, 2, 3],
    }
)
FILES = ["t.csv", "t.csv.gz", "t.parquet", "t.jsonl", "t.jsonl.gz", "t.ndjson", None]


def write(table, path):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif ".csv" in path.name or ".tsv" in path.name:
        table.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")
    else:
        lines = "".join(json.dumps(row) + "\n\n" for row in table.to_dict("records"))
        path.write_bytes(gzip.compress(lines.encode()) if path.suffix == ".gz" else lines.encode())
    return path


def texts(samples):
    return list(samples[np.arange(len(samples))].x)


@pytest.mark.parametrize("name", FILES)
def test_a_column_called_text(tmp_path, name):
    data = frame if name is None else write(frame, tmp_path / name)
    samples = as_samples(data)
    assert samples.kind == "text"
    assert texts(samples) == frame["text"].tolist()
    assert samples.classes == ("a", "q")
    assert samples.labels.tolist() == [1, -1, 0, 1]


@pytest.mark.parametrize("name", FILES)
def test_columns_that_are_named(tmp_path, name):
    table = frame.rename(columns={"text": "words"})
    data = table if name is None else write(table, tmp_path / name)
    samples = as_samples(data, "stars", text="words")
    assert texts(samples) == frame["text"].tolist()
    assert samples.labels.tolist() == [5, 1, 2, 3]
    assert as_samples(data, [7, 8, -1, 9], text="words").labels.tolist() == [7, 8, -1, 9]
    with pytest.raises(ValueError, match=r"must have a column 'word'") as error:
        as_samples(data, text="word")
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=r"must have a column 'star'"):
        as_samples(data, "star", text="words")


def test_tsv_has_no_quotes_but_around_a_cell(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('text\tlabel\n"to be" or\t1\nnot 5" wide\t2\n"he said ""no"""\t3\n\n"a" and "b"\t4\r\n')
    samples = as_samples(path)
    assert texts(samples) == ['"to be" or', 'not 5" wide', 'he said "no"', '"a" and "b"']
    assert samples.labels.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet", None])
def test_numbers_stay_a_table(tmp_path, name):
    table = pd.DataFrame({"text": [1.0, 2, 3], "b": [4, 5, 6]})
    data = table if name is None else write(table, tmp_path / name)
    samples = as_samples(data)
    assert samples.kind == "table"
    assert samples.shape == (2,)


def test_missing_texts_are_empty_and_counted(tmp_path):
    table = pd.DataFrame({"text": ["one", None, "three"]})
    for data in (write(table, tmp_path / "t.parquet"), table):
        with pytest.warns(DataWarning, match="1 rows have no text"):
            assert texts(as_samples(data)) == ["one", "", "three"]


def test_bytes_that_are_no_utf8(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"text,label\nb\xffad,\xe4\ngood,b\n")
    with pytest.warns(DataWarning, match="1 texts hold bytes"):
        samples = as_samples(path)
    assert texts(samples) == ["b�ad", "good"]
    (tmp_path / "t.jsonl").write_text('{"text": "half \\ud83d a sign"}')
    with pytest.warns(DataWarning, match="1 texts hold bytes"):
        assert texts(as_samples(tmp_path / "t.jsonl")) == ["half � a sign"]


def test_a_text_as_long_as_it_may_be(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"text": "' + "x" * 2**20 + '"}')
    assert len(as_samples(tmp_path / "t.jsonl")) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "text,label\na,b\na,b,c\n", "t.csv, line 3, must have 2 cells .* got 3"),
        ("t.csv", 'text,label\na,b\n"a,b\nc,d\n', "t.csv, line 3, must be a row of a CSV file"),
        ("t.csv", 'text,n\n"a\nb",1\na,1,2\n', "t.csv, line 4, must have 2 cells"),
        ("t.csv", "text,label\n", "at least one sample; got none"),
        ("t.csv", "text,label\n ,a\n", "a character; it holds none"),
        ("t.csv", "text\n" + "x" * (LONGEST_CELL + 1), "line 2, must be a row .* field larger"),
        ("t.tsv", "text\ta\nb\n", "t.tsv, line 2, must have 2 cells"),
        ("t.jsonl", '{"text": "a"}\n{"text": \n', "t.jsonl, line 2, must be JSON"),
        ("t.jsonl", '{"text": "a"}\n[1]\n', "line 2, must be a JSON object .* got a list"),
        ("t.jsonl", '{"text": "a"}\n{"text": 3}\n', "line 2, must hold a text; got '3', a int"),
        ("t.jsonl", '{"text": "a", "label": [1]}\n', "line 1, must have a label that is a name"),
        ("t.jsonl", '{"words": "a"}\n', "texts under 'text'.*it has 'words'"),
        ("t.jsonl", "", "it has nothing"),
        ("t.jsonl", '{"text": "' + "ä" * 2**20 + '"}', "a text of at most 1,048,576 bytes; got 2,097,152"),
        ("t.jsonl", "[" * 100_000, "line 1, must be JSON"),
        ("t.parquet", "PAR1 and nothing else", "readable table"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content, newline="")
    with pytest.raises(ValueError, match=message) as error:
        as_samples(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_the_limit_of_cells_is_left_as_it_was(tmp_path):
    before = csv.field_size_limit()
    as_samples(write(frame, tmp_path / "t.csv"))
    assert csv.field_size_limit() == before


def test_a_line_of_a_table_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("replearn.data.records.LONGEST_ROW", 1000)
    monkeypatch.setattr("replearn.data.text_files.BLOCK", 100)
    (tmp_path / "t.jsonl").write_text('{"text": "' + "x" * 5000)
    with pytest.raises(ValueError, match="line 1, must have at most 1,000 bytes"):
        as_samples(tmp_path / "t.jsonl")


def test_a_table_of_words_tells_of_text(tmp_path):
    (tmp_path / "t.csv").write_text("words\nto be\n")
    with pytest.raises(ValueError, match="of texts by text="):
        as_samples(tmp_path / "t.csv")
