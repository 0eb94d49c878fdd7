"""A quote that isn't closed swallows rows: they are told by the line where it stands, or the file is refused."""

import gzip
import warnings

import pytest

from replearn.data import DataWarning, as_samples

ROWS = [f"{i * i % 17},{i * 7 % 13 / 3},note,{'ab'[i % 2]}" for i in range(40)]
TEXTS = [f"a text of number {i},{'ab'[i % 2]}" for i in range(40)]


def written(path, header, rows, changed):
    """A file whose rows at the given places are others."""
    text = "\n".join([header, *(changed.get(i, row) for i, row in enumerate(rows))]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv"])
@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({5: '5,1.2,"note,a', 20: '20,1.2,note",a'}, 25),
        ({5: '5,1.2,"note,a', 6: '20,1.2,note",a'}, 39),
        ({5: '5,1.2,note,"a', 30: '5,1.2,note,"a'}, 15),
    ],
)
def test_rows_of_a_table(tmp_path, name, changed, left):
    def as_in(row):
        return row.replace(",", "\t") if "tsv" in name else row

    changed = {i: as_in(row) for i, row in changed.items()}
    path = written(tmp_path / name, as_in("n,x,note,label"), map(as_in, ROWS), changed)
    with pytest.warns(
        DataWarning, match="the row of line 7 goes over lines that look like rows of their own"
    ):
        assert len(as_samples(path, drop=["note"])) == left
    with pytest.raises(ValueError, match=r"strict: .*line 7"):
        as_samples(path, strict=True)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_rows_of_texts(tmp_path, name):
    path = written(tmp_path / name, "text,label", TEXTS, {5: '"some text,a', 30: 'more text",a'})
    for _ in range(2):  # the second comes from the cache
        with pytest.warns(DataWarning, match="the row of line 7 goes over lines"):
            assert len(as_samples(path)) == 15
    with pytest.raises(ValueError, match=r"strict: .*line 7"):
        as_samples(path, strict=True)


@pytest.mark.parametrize(("header", "rows"), [("n,x,note,label", ROWS), ("text,label", TEXTS)])
def test_a_quote_that_is_never_closed(tmp_path, header, rows):
    changed = {38: '"5,1.2,note,a' if header != "text,label" else '"a text,a'}
    with pytest.raises(ValueError, match="Is a quote not closed"):
        as_samples(written(tmp_path / "t.csv", header, rows, changed))


def test_cells_of_several_lines_are_fine(tmp_path):
    verse = '"Roses are red, so they say\nViolets are blue\nhoney, I mean, is sweet\nand, well, so are you",a'
    path = written(tmp_path / "t.csv", "text,label", TEXTS, {5: verse, 9: '"two\nlines, of it",b'})
    table = written(tmp_path / "u.csv", "n,x,note,label", ROWS, {5: '5,1.2,"a note\nof, two",a'})
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        assert len(as_samples(path)) == 40
        assert as_samples(path).texts[5].count("\n") == 3
        as_samples(table, drop=["note"], columns=["n", "x"])
