"""Files of pairs, tags and spans."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from replearn.data import DataWarning, read_pairs, read_spans, read_tags

BENCH = Path(__file__).parents[3] / "shared" / "data" / "bench"
needs_bench = pytest.mark.skipif(not BENCH.is_dir(), reason="the data of the benchmarks are not here")

PAIRS = pd.DataFrame(
    {
        "id": [1, 2],
        "sentence_a": ["to be", "or"],
        "sentence_b": ["not", "to be"],
        "score": [1.5, 2],
        "kind": ["x", "y"],
    }
)


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.parquet", "p.jsonl"])
def test_pairs(tmp_path, name):
    path = tmp_path / name
    if name == "p.parquet":
        PAIRS.to_parquet(path)
    elif name == "p.jsonl":
        path.write_text("\n".join(json.dumps(row) for row in PAIRS.to_dict("records")))
    else:
        PAIRS.to_csv(path, index=False, sep="\t" if name == "p.tsv" else ",")
    assert read_pairs(path) == (["to be", "or"], ["not", "to be"], [1.5, 2])
    assert read_pairs(str(path), a="sentence_b", b="kind", target="kind")[:2] == (
        ["not", "to be"],
        ["x", "y"],
    )
    assert read_pairs(path, target="kind")[2] == ["x", "y"]
    assert read_pairs(path, target="id")[2] == [1, 2]


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("p.csv", "a,c,label\n1,2,3\n", {}, "p.csv must have a column b, text_b.*it has 'a', 'c', 'label'"),
        ("p.csv", "a,b,label\n", {}, "at least one pair"),
        ("p.csv", "a,b,label\nx,y,1\nx,y\n", {}, "p.csv, line 3, must have 3 cells"),
        ("p.csv", "a,b,label\n", {"target": "labels"}, "column 'labels'.*Did you mean 'label'"),
        (
            "p.jsonl",
            '{"a": "x", "b": "y", "label": 1}\n{"a": "x", "label": 1}\n',
            {},
            "line 2, must hold a text; it holds",
        ),
        ("p.jsonl", '{"a": "x", "b": 2, "label": 1}\n', {}, "line 1, must hold a text; got '2', a int"),
        ("p.txt", "a", {"a": "a", "b": "b", "target": "c"}, "exist and end in .csv|must have a column"),
    ],
)
def test_bad_pairs(tmp_path, name, content, options, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        read_pairs(tmp_path / name, **options)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="must exist"):
        read_pairs(tmp_path / "none.csv")


def test_tags(tmp_path):
    path = tmp_path / "t.conll"
    path.write_text(
        "-DOCSTART- -X- O\n\n# a comment\n#\n#alone\nBerlin NN B-LOC\nis  VB   O\r\n\n\n#tag NN O\n#\tSYM\tO\n"
    )
    assert read_tags(path) == ([["Berlin", "is"], ["#tag", "#"]], [["B-LOC", "O"], ["O", "O"]])
    assert read_tags(path, column=1)[1] == [["NN", "VB"], ["NN", "SYM"]]


def test_tags_of_conllu(tmp_path):
    path = tmp_path / "t.conllu"
    rows = [
        *(("1-2", "zum", *"_" * 8), ("1", "zu", "zu", "ADP", "APPR", *"_" * 5)),
        *(("2", "dem", "der", "DET", "ART", *"_" * 5), ("2.1", "leer", *"_" * 8)),
        ("3", "neuen Haus", "Haus", "NOUN", "NN", *"_" * 5),
    ]
    path.write_text("# text = zum Haus\n" + "".join("\t".join(row) + "\n" for row in rows) + "\n")
    assert read_tags(path) == ([["zu", "dem", "neuen Haus"]], [["ADP", "DET", "NOUN"]])
    assert read_tags(path, column="xpos")[1] == [["APPR", "ART", "NN"]]
    assert read_tags(path, column=2)[1] == [["zu", "der", "Haus"]]
    with pytest.raises(ValueError, match=r"column must be one of id, form.*got 'pos'"):
        read_tags(path, column="pos")


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        (
            "t.conll",
            "a O\nb\n",
            {},
            "t.conll, line 2, must hold a word and a tag in column -1; got 1 columns, 'b'",
        ),
        ("t.conll", "a O\n", {"column": 2}, "line 1, .* in column 2; got 2"),
        ("t.conll", "a O\n", {"column": "upos"}, "a number, since names are for .conllu"),
        ("t.conll", "\n# only\n\n", {}, "at least one sentence"),
        ("t.conllu", "a\tO\n", {}, "line 1, must begin with the number of a word; got 'a'"),
    ],
)
def test_bad_tags(tmp_path, name, content, options, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        read_tags(tmp_path / name, **options)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="must exist"):
        read_tags(tmp_path / "none.conll")


def span(start, end, **label):
    return {"start": start, "end": end} | label


def test_spans(tmp_path):
    path = tmp_path / "s.jsonl"
    rows = [
        {"text": "two ☃ at eight", "spans": [span(9, 14, slot="time"), span(0, 3, label="people", slot="x")]},
        {"text": "", "spans": []},
        {"text": "x", "spans": [span(0, 1, type="all")]},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    texts, spans = read_spans(path)
    assert texts == ["two ☃ at eight", "", "x"]
    assert spans == [[(0, 3, "people"), (9, 14, "time")], [], [(0, 1, "all")]]
    assert texts[0][9:14] == "eight"


def test_spans_where_bytes_are_replaced(tmp_path):
    (tmp_path / "s.jsonl").write_bytes(
        b'{"text": "a\xff\xfeb", "spans": [{"start": 3, "end": 4, "label": "x"}]}'
    )
    with pytest.warns(DataWarning, match="1 texts hold bytes"):
        texts, spans = read_spans(tmp_path / "s.jsonl")
    assert texts[0][slice(*spans[0][0][:2])] == "b"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"text": "abc", "spans": [span(0, 4, label="x")]},
            "line 2, must have spans .* within the text, of 3; got start 0, end 4",
        ),
        ({"text": "abc", "spans": [span(2, 2, label="x")]}, "of at least one character"),
        ({"text": "abc", "spans": [span(2, 1, label="x")]}, "of at least one character"),
        ({"text": "abc", "spans": [span(-1, 1, label="x")]}, "of at least one character"),
        ({"text": "abc", "spans": [span(0.0, 1, label="x")]}, "of at least one character"),
        ({"text": "abc", "spans": [span(False, True, label="x")]}, "of at least one character"),
        ({"text": "abc", "spans": [span(0, 1)]}, "line 2, must have spans with a label"),
        ({"text": "abc", "spans": [{"start": 0, "label": "x"}]}, "with start, end and label"),
        ({"text": "abc", "spans": [3]}, "with start, end and label"),
        ({"text": "abc"}, "line 2, must have a list of spans under 'spans'; got None"),
        ({"spans": []}, "line 2, must hold a text"),
    ],
)
def test_bad_spans(tmp_path, row, message):
    path = tmp_path / "s.jsonl"
    path.write_text('{"text": "", "spans": []}\n' + json.dumps(row))
    with pytest.raises(ValueError, match=message) as error:
        read_spans(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_bad_files_of_spans(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text('{"text": "", "spans": []}\nnot json')
    with pytest.raises(ValueError, match=r"s\.jsonl, line 2, must be JSON"):
        read_spans(path)
    path.write_text('{"text": "", "spans": []}\n{"text": "", "other": []}')
    with pytest.raises(ValueError, match="must have a column 'span'; it has 'text', 'spans', 'other'"):
        read_spans(path, spans="span")
    with pytest.raises(ValueError, match=r"must exist and end in \.jsonl"):
        read_spans(tmp_path / "s.csv")
    path.write_text("")
    with pytest.raises(ValueError, match="must have a column 'text'; it has none"):
        read_spans(path)


@needs_bench
def test_sick():
    first, second, scores = read_pairs(BENCH / "sick.tsv")
    assert len(first) == len(second) == len(scores) == 9927
    assert (min(scores), max(scores)) == (1, 5)
    splits = Counter(read_pairs(BENCH / "sick.tsv", target="split")[2])
    assert splits == {"train": 4500, "dev": 500, "test": 4927}


@needs_bench
@pytest.mark.parametrize(
    ("name", "sentences", "tokens"),
    [
        ("wnut17_train.conll", 3394, 62_730),
        ("wnut17_dev.conll", 1009, 15_733),
        ("wnut17_test.conll", 1287, 23_394),
        ("pud.conllu", 1000, 21_180),
    ],
)
def test_tags_of_the_benchmarks(name, sentences, tokens):
    words, tags = read_tags(BENCH / name)
    assert (len(words), sum(map(len, words))) == (sentences, tokens)
    assert list(map(len, words)) == list(map(len, tags))
    assert len({tag for row in tags for tag in row}) == (13 if "wnut" in name else 17)


@needs_bench
@pytest.mark.parametrize(("part", "texts", "spans"), [("train", 8198, 7635), ("test", 3731, 3477)])
def test_spans_of_the_benchmarks(part, texts, spans):
    found, marked = read_spans(BENCH / f"restaurants8k_{part}.jsonl")
    assert (len(found), sum(map(len, marked))) == (texts, spans)
    assert {label for row in marked for _, _, label in row} == {
        "people",
        "time",
        "date",
        "first_name",
        "last_name",
    }
