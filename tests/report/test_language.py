"""The section on a language model: what was found about it, and that it stands on the page once."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from page_reader import HOSTILE, Reader, section, words

from replearn.comparison import Comparison
from replearn.report.language import LanguagePanel, language_panel
from replearn.report.page import render

Make = Callable[..., Any]
TEXTS = [f"text {i}" for i in range(12)]


def found(**changed: Any) -> dict[str, Any]:
    """What `replearn evaluate` finds, with changes."""
    memorization = [
        {
            "part": part,
            "prefix": prefix,
            "exact": exact,
            "low": exact / 2,
            "high": 2 * exact,
            "tokens right": right,
        }
        | {"texts": texts}
        for part, prefix, exact, right, texts in (
            ("training", 8, 0.25, 0.5, 90),
            ("training", 32, 0.376, 0.6, 90),
            ("held out", 8, 0.01, 0.125, 70),
            ("held out", 32, 0.02, 0.25, 70),
        )
    ]
    overlap = [
        {"length": 8, "seen": 0.031, "texts": 0.131, "n-grams": 38712},
        {"length": 13, "seen": math.nan, "texts": 0.0, "n-grams": 0},
    ]
    written = {"tokens": 40, "seed": 0, "texts": ["it wrote this", ""]}
    facts = {"held out": True, "texts": 12, "bits per character": 2.0031, "perplexity": 1114.52}
    facts |= {"memorization": memorization, "continued": 16, "overlap": overlap, "written": written}
    return facts | changed


def panel(comparison: Comparison) -> LanguagePanel:
    made = language_panel(comparison)
    assert made is not None
    return made


def test_section_tells_all_and_tells_it_once(make_texts: Make) -> None:
    page = render(make_texts(TEXTS, language=found(), seeds=[0, 1]), title="t")
    told = words(section(page, "language"))
    assert "2.003 bits per character" in told
    assert "1,114.5 perplexity per token" in told
    assert "Of 12 test texts, which are held out" in told
    assert "it wrote this" in told
    assert "40 tokens" in told
    assert "(empty)" in told
    run = words(section(page, "run"))
    assert "seeds" in run
    assert not any(word in run for word in ("bits per character", "memorization", "wrote", "language"))
    sections = [attrs["id"] for tag, attrs in Reader(page).tags if tag == "section"]
    assert sections[sections.index("language") - 1 :][:3] == ["neighbours", "language", "spectrum"]
    assert '<a href="#language">' in page


def test_tables(make_texts: Make) -> None:
    memory, overlap = panel(make_texts(TEXTS, language=found())).tables
    assert memory.columns[1:] == ["training", "held out"]
    assert memory.lines == [
        ["all 16 tokens, after 8", "25.0 (12.5 to 50.0)", "1.0 (0.5 to 2.0)"],
        ["all 16 tokens, after 32", "37.6 (18.8 to 75.2)", "2.0 (1.0 to 4.0)"],
        ["single tokens, after 8", "50.0", "12.5"],
        ["single tokens, after 32", "60.0", "25.0"],
    ]
    assert "90 training and 70 held-out texts" in memory.note
    assert overlap.lines == [["8 words", "38,712", "3.1", "13.1"]]


def test_texts_that_may_have_been_seen(make_texts: Make) -> None:
    made = panel(make_texts(TEXTS, language=found(**{"held out": False, "texts": 5})))
    assert made.note.startswith("Of the first 5 of 12 test texts, some of which the run may have seen")
    assert "did not learn from exactly this training part" in made.tables[0].note
    assert "did not learn" not in panel(make_texts(TEXTS, language=found())).tables[0].note


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_what_is_no_number_is_a_dash(nothing: float | None, make_texts: Make) -> None:
    facts = found(perplexity=nothing)
    facts["memorization"][0]["exact"] = nothing
    facts["overlap"][0]["seen"] = nothing
    made = panel(make_texts(TEXTS, language=facts))
    assert made.numbers[1][0] == "–"
    assert made.tables[0].lines[0][1] == "–"
    assert made.tables[1].lines[0][2] == "–"


def test_evaluations_from_before_have_no_writing(make_texts: Make) -> None:
    facts = found()
    del facts["written"], facts["continued"]
    made = make_texts(TEXTS, language=facts)
    assert panel(made).tables[0].lines[0][0] == "all next tokens, after 8"
    told = words(section(render(made, title="t"), "language"))
    assert "2.003" in told
    assert "write" not in told


def test_nothing_to_count_is_no_table(make_texts: Make) -> None:
    assert panel(make_texts(TEXTS, language=found(memorization=[], overlap=[]))).tables == []


@pytest.mark.parametrize("other", ["Danish", {"name": "Danish"}])
def test_another_fact_of_that_name_stays_with_what_was_run(other: object, make_texts: Make) -> None:
    page = render(make_texts(TEXTS, language=other), title="t")
    assert 'id="language"' not in page
    assert "Danish" in words(section(page, "run"))


def test_hostile_writing_stays_text(make_texts: Make) -> None:
    facts = found(written={"tokens": 40, "seed": 0, "texts": [*HOSTILE, "\x1b\0"]})
    page = render(make_texts(TEXTS, language=facts), title="t")
    assert not {tag for tag, _ in Reader(page).tags} & {"img", "svg/onload", "form"}
    told = words(section(page, "language"))
    assert "<script>alert(1)</script>" in told
    assert "onerror=alert(2)" in told
    assert "\0" not in page
