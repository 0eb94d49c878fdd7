"""Files of chapters: cells, numbers, and what is refused."""

import math
import shutil

import pytest

from replearn.lectures import chapters, find_chapter, read_chapter
from replearn.lectures.cells import cut
from replearn.lectures.numbers import read_numbers, with_values


def test_a_chapter_is_cut_into_cells(lesson):
    found = read_chapter(lesson)
    assert (found.name, found.title) == ("lesson", 'A <lesson> of "two"')
    assert found.about == "What it shows: `x < 1`, and more."
    assert [cell.kind for cell in found.cells] == ["text", "code", "text", "code", "code", "solution"]
    lines = lesson.read_text().splitlines()
    for cell in found.cells:
        if cell.kind != "text":
            assert cell.source.splitlines()[0] in lines[cell.line - 1 :][:2]


def test_its_numbers_are_those_of_the_first_cell_of_code(lesson):
    share, sizes, steps = read_chapter(lesson).numbers.values()
    assert share.sizes == {"small": 0.5, "usual": 0.75, "full": 0.75}
    assert (share.low, share.high, share.meaning, share.whole) == (0.05, 0.95, "of what is <hidden>", False)
    assert sizes.sizes == {"small": (2, 8), "usual": (2, 8), "full": (2, 8, 32)}
    assert sizes.whole
    assert (steps.low, steps.high) == (-math.inf, math.inf)


def test_a_file_of_ones_own_must_not_take_the_place_of_a_chapter(lesson):
    for name in ("pca.py", "index.py", "20_pca.py"):
        with pytest.raises(ValueError, match="must not have the name of a chapter of the book, or index"):
            find_chapter(str(shutil.copy(lesson, lesson.with_name(name))))


def test_values_take_the_place_of_those_that_are_written():
    assert with_values("größe = 30  # of all", {"größe": 7}) == "größe = 7  # of all"
    source = "a = 0.5  # one [0 to 1]\nb = (1, 2)  # two\nc = 3  # three"
    told = with_values(source, {"a": 0.25, "b": (7,)})
    assert told == "a = 0.25  # one [0 to 1]\nb = (7,)  # two\nc = 3  # three"
    assert read_numbers(told)["a"].sizes["usual"] == 0.25


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("a = b", "must be a number"),
        ("a = True  # yes", "must be a number"),
        ("a = ()  # none", "must be a number"),
        ("import os", "one to a line"),
        ("a = 1", "must have a comment"),
        ("to = 1  # where", "not be named as"),
        ("chapters = 1  # of the book", "not be named as"),
        ("a = 1  # one [tiny 2]", "a note must be"),
        ("a = 1  # one [2 to 3]", "must lie between 2 and 3; got 1"),
        ("a = 1  # one [small (2,)]", "in every size"),
        ("a = (", "must be Python"),
    ],
)
def test_numbers_that_are_none(source, told):
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        read_numbers(source)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# %% [markdow]\n# x", "line 1: a cell must be marked"),
        ("# %% [markdown]\n# x\nprint(1)", "line 3: text must stand behind"),
    ],
)
def test_cells_that_are_none(text, told):
    with pytest.raises(ValueError, match=told):
        cut(text)


def test_a_file_that_is_no_chapter(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("# %%\na = 1  # one\n")
    with pytest.raises(ValueError, match=r"x\.py must begin with a cell"):
        read_chapter(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"^x\.py: "):
        read_chapter(path)
    with pytest.raises(ValueError, match="a chapter must be a file"):
        find_chapter(str(tmp_path / "y.py"))


def test_names_of_chapters():
    assert list(chapters())[:2] == ["why", "pca"]
    with pytest.raises(ValueError, match="Did you mean 'pca'"):
        find_chapter("pcaa")


@pytest.mark.parametrize("name", chapters())
def test_every_chapter_has_what_a_chapter_has(name):
    found = find_chapter(name)
    assert found.numbers
    kinds = [cell.kind for cell in found.cells]
    assert kinds.count("solution") == 1
    text = "\n".join(cell.source for cell in found.cells if cell.kind == "text")
    assert "## Exercise" in text
    assert "## Paper" in text
    assert "$$" in text
    assert "https://" in text
    code = "\n".join(cell.source for cell in found.cells if cell.kind != "text")
    assert code.count("expect(") >= 3
    assert all(math.isfinite(n.low) and math.isfinite(n.high) for n in found.numbers.values())
