"""Texts on the page: nearest neighbours in words, beginnings on the map, and no text that becomes markup."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_reader import HOSTILE, Reader, section, words

from replearn.comparison import Comparison, Representation
from replearn.data import ArraySamples, TextSamples
from replearn.report import write_report
from replearn.report.appearance import appearance
from replearn.report.excerpts import shortened
from replearn.report.page import render
from replearn.report.strips import neighbour_strips

Make = Callable[..., Any]


def test_neighbours_are_the_nearest_texts_with_their_classes(make_texts: Make) -> None:
    texts = [f"text number {i} of these" for i in range(24)]
    made = make_texts(texts)
    strips = neighbour_strips(made, neighbours=4)
    queries = section(render(made, title="t"), "neighbours").split('<div class="text-query">')[1:]
    assert [re.search(r"number (\d+)", query)[1] for query in queries] == [  # type: ignore[index]
        str(i) for i in strips.queries
    ]
    marked = 0
    for at, markup in zip(strips.queries, queries, strict=True):
        lines = markup.split('<div class="text-line">')[1:]
        for row, line in zip(made.rows, lines, strict=True):
            unit = row.train / np.linalg.norm(row.train, axis=1, keepdims=True)
            nearest = np.argsort(-unit @ row.test[at])[:4]
            items = re.findall(r"<li( class=\"wrong-text\")? title=\"(.*?)\">(.*?)</li>", line)
            assert [title for _, title, _ in items] == [texts[i] for i in nearest]
            wrong = [bool(i % 2 != at % 2) for i in nearest]
            assert [bool(mark) for mark, _, _ in items] == wrong
            told = [
                f"{'ab'[i % 2]}{', another class' * bad} {texts[i]}"
                for i, bad in zip(nearest, wrong, strict=True)
            ]
            assert [words(content) for _, _, content in items] == told
            assert f'<span class="right">{4 - sum(wrong)}/4</span>' in line
            marked += sum(wrong)
    assert 0 < marked < 4 * 2 * len(queries)


def test_texts_are_asked_as_images_are(make_comparison: Make, make_texts: Make) -> None:
    images = make_comparison(n=24, classes=("a", "b"))
    texts = make_texts([str(i) for i in range(24)])
    assert (neighbour_strips(images).queries == neighbour_strips(texts).queries).all()
    page = render(images, title="t")
    assert "text-query" not in page.split("</style>")[1]
    assert "Red frames" in page
    assert "Red frames" not in render(texts, title="t")


def test_long_texts_are_cut_at_a_words_end(make_texts: Make) -> None:
    long = "syllable " * 15 + "again " * 300
    page = section(render(make_texts([long] * 4), title="t"), "neighbours")
    shown = re.findall(r"<li[^>]*>.*?<bdi>([^<]*)</bdi></li>", page)
    assert set(shown) == {"syllable " * 12 + "syllable…"}
    titles = {
        attrs["title"] or "" for tag, attrs in Reader(page).tags if tag in ("li", "p") and "title" in attrs
    }
    assert len(titles) == 1
    title = titles.pop()
    assert title.endswith(" again…")
    assert 590 < len(title) <= 600


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("to be or not", "to be or not"),
        ("to be or not to", "to be or…"),
        ("to be or nots", "to be or…"),
        ("be, or not. be", "be, or not…"),
        ("日本語の文章には空白がありません", "日本語の文章には空白が…"),
        ("to incomprehensible", "to incompre…"),
        (" \n\t ", ""),
        ("a\x00b\x1b[2J \ud83d", "a�b�[2J �"),
        ("x" + " " * 100 + "y", "x…"),
        ("   " * 100 + "x", "x"),
        ("a\u200db", "a\u200db"),  # letters of emoji and Persian are joined so
    ],
)
def test_beginnings(text: str, told: str) -> None:
    assert shortened(text, length=12) == told


def test_hostile_texts_stay_texts(make_texts: Make, tmp_path: Path) -> None:
    made = make_texts([*HOSTILE * 3, "\ud83d \x00", ""], classes=HOSTILE, names=[*HOSTILE * 3, *"ab"])
    page = write_report(tmp_path / "report.html", made, title="t").read_text(encoding="utf-8")
    tags = Reader(page).tags
    assert not {tag for tag, _ in tags} & {"img", "iframe", "object", "embed", "form", "base"}
    assert [tag for tag, _ in tags].count("script") == 2
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]
    shown = section(page, "neighbours")
    read = words(shown)
    assert all(
        word in read for word in ("<script>alert(1)</script>", "onerror=alert(2)", "{{ 7 * 191 }}", "(empty)")
    )
    assert "\0" not in page
    assert all(text.strip() for text in Reader(page).map_data()["samples"])  # type: ignore[attr-defined]


def test_map_tells_the_beginning(make_texts: Make) -> None:
    texts = [f"{i} " + "word " * 200 for i in range(9)]
    told = Reader(render(make_texts(texts), title="t")).map_data()["samples"]
    assert [text.split()[0] for text in told] == [str(i) for i in range(9)]  # type: ignore[attr-defined]
    assert all(100 < len(text) <= 120 for text in told)  # type: ignore[attr-defined]
    named = make_texts(texts, names=[f"{i}.txt" for i in range(9)])
    told = Reader(render(named, title="t")).map_data()["samples"]
    assert all(text.startswith(f"{i}.txt: {i} word") for i, text in enumerate(told))  # type: ignore[arg-type, var-annotated]


def test_texts_without_labels_have_no_counts(make_texts: Make) -> None:
    made = make_texts([f"text {i}" for i in range(9)], labelled=False)
    page = section(render(made, title="t"), "neighbours")
    assert "text 3" in page
    assert "another class" not in page
    assert "text-class" not in page
    assert 'class="right"' not in page


def test_a_choice_of_texts_is_shown(make_texts: Make) -> None:
    made = make_texts([f"text {i}" for i in range(12)])
    part = made.test.subset(np.arange(6, 12))
    rows = [Representation(row.name, row.train, row.test[6:]) for row in made.rows]
    page = render(Comparison(made.train, part, rows, made.scores), title="t")
    asked = re.findall(r'<p class="asked-text" title="text (\d+)"', page)
    assert sorted(map(int, asked)) == [6, 7, 8, 9, 10, 11]


def test_what_samples_look_like() -> None:
    assert appearance(TextSamples(["a"])) == "text"
    assert appearance(ArraySamples(np.zeros((2, 1, 3, 3), dtype=np.uint8))) == "picture"
    assert appearance(ArraySamples(np.zeros((2, 3), dtype=np.float32))) is None
