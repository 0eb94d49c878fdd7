"""`replearn lectures`."""

import pytest

from replearn.lectures import chapters

LESSON = """# %% [markdown]
# # A lesson
#
# Very short.

# %%
k = 2  # of all [1 to 5; small 1]
sizes = (0.5, 1.0)  # shares [0 to 1]

# %%
from replearn.lectures import expect

expect("Two.", k == 2)
"""


@pytest.fixture
def lesson(tmp_path):
    path = tmp_path / "lesson.py"
    path.write_text(LESSON)
    return path


def test_the_list_fits_80_columns(command):
    found = command("lectures", "--list")
    assert found.code == 0
    assert max(map(len, found.out.splitlines())) <= 80
    assert all(any(line.startswith(f"{name} ") for line in found.out.splitlines()) for name in chapters())


def test_a_chapter_is_made_once_and_its_numbers_are_options(command, lesson, tmp_path):
    found = command("lectures", lesson, "--to", "book")
    assert found.code == 0
    first, second = found.out.splitlines()
    assert first.startswith("lesson           1 of 1 claims seen, 0.")
    assert second == "written: book/lesson.html"
    assert (tmp_path / "book/index.html").is_file()
    assert "not changed since" in command("lectures", lesson, "--to", "book").out
    other = command("lectures", lesson, "--k", "3", "--sizes", "0", "0.25", "--to", "book")
    assert other.code == 0
    assert "0 of 1 claims seen" in other.out
    assert (tmp_path / "book/lesson-k-3-sizes-0.0-0.25.html").is_file()
    assert not (tmp_path / "book/owner.lock").exists()


def test_help_shows_the_numbers(command, lesson):
    found = command("lectures", lesson, "--help")
    assert found.code == 0
    assert "--k" in found.out
    assert "of all (usually 2)" in found.out
    assert max(map(len, found.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["maee"], "a chapter must be one of why, pca"),
        (["pcaa"], "Did you mean 'pca'?"),
        (["LESSON", "--j", "3"], "got --j."),
        (["LESSON", "--k", "6"], "--k must lie between 1 and 5; got 6. It is of all."),
        (["LESSON", "--k", "1.5"], "--k"),
        (["LESSON", "--sizes", "0.5", "2"], "--sizes must lie between 0 and 1; got 2."),
        (["pca", "LESSON", "--k", "2"], "numbers must be given to one chapter; --k came with 2."),
        (["--full", "--small"], "--full and --small must not be given together"),
        (["--to", "x", "LESSON"], "chapters must stand before the options"),
        (["--list", "pca"], "chapters must stand before the options"),
        (["LESSON", "/.LESSON"], "chapters must have names of their own"),
        (["missing.py"], "a chapter must be a file; missing.py is none."),
    ],
)
def test_bad_input(args, told, command, lesson, tmp_path):
    found = command("lectures", *[arg.replace("LESSON", str(lesson)) for arg in args])
    assert told in found.line
    assert not (tmp_path / "runs").exists()


def test_a_chapter_that_fails_leaves_the_others(command, lesson, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text(LESSON.replace("k == 2", "k == 1 / 0"))
    found = command("lectures", broken, lesson, "--to", "book")
    assert found.code == 1
    assert "1 of 2 chapters failed: broken (cell 3)" in found.err
    assert "broken           cell 3 failed after 0." in found.out
    assert "lesson           1 of 1 claims seen" in found.out
    assert (tmp_path / "book/broken.html").is_file()
