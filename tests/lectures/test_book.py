"""Pages and notebooks: what is made, what is kept, what is escaped, what fails."""

import html
import json
import re

import pandas as pd
import pytest

from lanes import one_of_each
from replearn.lectures import chapters, find_chapter, make_chapter, read_chapter, write_index
from replearn.lectures.page import _table
from replearn.lectures.words import as_html


@pytest.fixture
def made(lesson, tmp_path):
    """The quick chapter, made: its record, its page, its notebook."""
    found = make_chapter(tmp_path, read_chapter(lesson))
    page = (tmp_path / "lesson.html").read_text()
    return found, page, json.loads((tmp_path / "lesson.ipynb").read_text())


def test_the_page_holds_text_code_and_what_was_shown(made):
    found, page, _ = made
    assert (found.stem, found.claimed, found.seen, found.failed) == ("lesson", 2, 1, None)
    assert "✓ A half or more." in page
    assert "✗ Not seen here: Four &amp; more. Take &lt;more&gt;." in page
    assert page.count("data:image/svg+xml;base64,") == 1
    assert 'alt="figure: y against x' in page
    assert "<summary>A solution</summary>" in page
    assert ">1.5</pre>" in page
    assert ">0.123</td>" in page
    assert '<svg role="img" aria-label="x^2 + y"' in page
    assert "0.75</span>" in page
    assert "script-src 'none'" in page


def test_what_chapters_print_and_are_called_is_escaped(made):
    _, page, _ = made
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<lesson>" not in page
    assert "<b></th>" not in page
    assert "&lt;hidden&gt;" in page


def test_the_notebook_is_one_of_version_4_5(made):
    _, _, notebook = made
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert [cell["cell_type"] for cell in cells] == [
        "code",
        "markdown",
        "code",
        "markdown",
        "code",
        "code",
        "code",
    ]
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"]) for cell in cells)
    for cell in cells:
        assert "".join(cell["source"])
        assert ("outputs" in cell) == ("execution_count" in cell) == (cell["cell_type"] == "code")
    assert cells[1]["source"][0].startswith("# A <lesson>")
    shown = [output["output_type"] for output in cells[4]["outputs"]]
    assert shown == ["stream", "execute_result"]
    assert cells[4]["outputs"][1]["data"]["image/png"].startswith("iVBOR")
    assert "&lt;b&gt;" in "".join(cells[5]["outputs"][0]["data"]["text/html"])
    assert cells[6]["metadata"]["tags"] == ["solution"]
    assert [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"] == [None, 1, 2, 3, 4]


def test_the_notebook_is_as_nbformat_asks(made):
    nbformat = pytest.importorskip("nbformat", reason="is no dependency")
    nbformat.validate(made[2])


def test_what_has_not_changed_is_not_made_again(made, lesson, tmp_path):
    page = tmp_path / "lesson.html"
    chapter, before = read_chapter(lesson), page.stat().st_mtime_ns
    again = make_chapter(tmp_path, chapter)
    assert not again.made
    assert again == made[0]
    assert page.stat().st_mtime_ns == before
    assert make_chapter(tmp_path, chapter, again=True).made
    assert make_chapter(tmp_path, chapter, size="small").made
    lesson.write_text(lesson.read_text().replace("share * 2", "share * 3"))
    assert make_chapter(tmp_path, read_chapter(lesson), size="small").made
    (tmp_path / "lesson.ipynb").unlink()
    assert make_chapter(tmp_path, read_chapter(lesson), size="small").made


def test_a_stop_leaves_other_chapters_and_makes_this_one_again(made, lesson, tmp_path):
    (tmp_path / "other.py").write_text(lesson.read_text())

    def stop(number, cells):
        if number == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_chapter(tmp_path, read_chapter(tmp_path / "other.py"), on_cell=stop)
    assert not make_chapter(tmp_path, read_chapter(lesson)).made
    assert make_chapter(tmp_path, read_chapter(tmp_path / "other.py")).made


def test_another_number_makes_another_page(made, lesson, tmp_path):
    chapter = read_chapter(lesson)
    other = make_chapter(tmp_path, chapter, changed={"share": 0.25, "sizes": (4,)})
    assert other.stem == "lesson-share-0.25-sizes-4"
    page = (tmp_path / f"{other.stem}.html").read_text()
    assert "✗ Not seen here: A half or more." in page
    assert f"replearn lectures {lesson} --share 0.25 --sizes 4" in page
    assert not make_chapter(tmp_path, chapter).made
    assert not make_chapter(tmp_path, chapter, changed={"share": 0.75}).made  # its own
    with pytest.raises(ValueError, match="--share must lie between"):
        make_chapter(tmp_path, chapter, changed={"share": 1.0})
    with pytest.raises(ValueError, match="numbers of lesson are share, sizes, steps; got 'x'"):
        make_chapter(tmp_path, chapter, changed={"x": 1})


def test_a_cell_that_fails_is_named_and_the_rest_not_run(lesson, tmp_path):
    lesson.write_text(
        lesson.read_text().replace("import pandas as pd\n", "import pandas as pd\n\nprint(7)\n1 / 0\n")
    )
    found = make_chapter(tmp_path, read_chapter(lesson))
    assert found.failed == 5
    page = html.unescape((tmp_path / "lesson.html").read_text())
    assert "Cell 5 failed" in page
    assert "ZeroDivisionError: division by zero" in page
    assert '<pre class="printed">7</pre>' in page
    assert "1 / 0" in page
    assert "replearn/lectures/running.py" not in page
    assert page.count("This was not run, since a cell before it failed.") == 1
    outputs = json.loads((tmp_path / "lesson.ipynb").read_text())["cells"][5]["outputs"]
    assert [output["output_type"] for output in outputs] == ["stream", "error"]
    assert make_chapter(tmp_path, read_chapter(lesson)).made  # what failed is tried again


@pytest.mark.parametrize(
    ("line", "error"),
    [("x = (", "SyntaxError"), ("raise SystemExit(0)", "SystemExit"), ("é = 'a\n", "SyntaxError")],
)
def test_whatever_ends_a_cell_is_told_on_its_page(line, error, lesson, tmp_path):
    lesson.write_text(lesson.read_text().replace("import pandas as pd\n", f"{line}\n"), encoding="utf-8")
    found = make_chapter(tmp_path, read_chapter(lesson))
    assert found.failed == 5
    assert error in (tmp_path / "lesson.html").read_text(encoding="utf-8")


def test_a_file_named_like_a_chapter_and_more_is_in_the_index(lesson, tmp_path):
    own = lesson.rename(lesson.with_name("pca-mine.py"))
    make_chapter(tmp_path, read_chapter(own))
    assert 'href="pca-mine.html"' in write_index(tmp_path).read_text()


def test_a_warning_stands_on_the_page(lesson, tmp_path):
    text = "import logging\nlog = logging.getLogger('replearn')\nlog.warning('a collapse: %d', 3)\nlog.info('x y z')"
    lesson.write_text(lesson.read_text().replace("import pandas as pd\n", f"import pandas as pd\n{text}\n"))
    make_chapter(tmp_path, read_chapter(lesson))
    page = (tmp_path / "lesson.html").read_text()
    assert '<p class="alarms">a collapse: 3</p>' in page
    assert '<p class="alarms">x y z</p>' not in page


def test_the_index_lists_all_chapters_made_or_not(made, lesson, tmp_path):
    make_chapter(tmp_path, read_chapter(lesson), changed={"steps": 5})
    page = write_index(tmp_path).read_text()
    assert page.count("not made yet") == len(chapters())
    assert all(html.escape(find_chapter(name).title) in html.unescape(page) for name in chapters())
    assert '<a href="lesson.html">lesson</a>' in page
    assert "lesson-steps-5.html" in page
    assert "1 of 2" in page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# a\nb `c < d`", "<h1>a</h1>\n<p>b <code>c &lt; d</code></p>"),
        ("- a\n  b\n- **c**", "<ul><li>a b</li><li><strong>c</strong></li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("[x](https://a.b/c?d&e)", '<p><a href="https://a.b/c?d&amp;e">x</a></p>'),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        ("<img onerror=x>", "<p>&lt;img onerror=x&gt;</p>"),
    ],
)
def test_markdown(text, told):
    assert as_html(text) == told


@pytest.mark.parametrize("name", one_of_each(chapters(), ["pca"]))
def test_every_chapter_runs_at_its_smallest(name, tmp_path):
    found = make_chapter(tmp_path, find_chapter(name), size="small")
    page = (tmp_path / f"{name}.html").read_text()
    assert found.failed is None, re.findall(r'<pre class="broken">(.*?)</pre>', page, re.DOTALL)
    assert found.claimed >= 3
    assert page.count("<figure") >= 1
    assert "<code>\\" not in page  # a formula that could not be drawn
    words = re.sub(r"<pre.*?</pre>|<!--.*?-->", "", page, flags=re.DOTALL).partition("<main>")[2]
    assert "$" not in words  # nor one that is none


@pytest.mark.parametrize(("name", "head"), [(None, ["a"]), ("digit", ["digit", "a"])])
def test_a_count_of_rows_is_shown_where_it_has_a_name(name, head):
    table = pd.DataFrame({"a": [0.5, 2.0]}).rename_axis(name)
    assert _table(table)["head"] == head
