"""The page: one file, nothing from outside, no text from data that becomes markup, all kinds of samples."""

import base64
import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_reader import HOSTILE, Reader
from PIL import Image

from replearn.comparison import Comparison, Representation
from replearn.report import write_report
from replearn.report.page import render

Make = Callable[..., Any]


def hostile_comparison(make_comparison: Make) -> Comparison:
    made = make_comparison(
        classes=HOSTILE,
        names=[HOSTILE[i % 5] + str(i) for i in range(24)],
        rows=("raw input", *HOSTILE),
        command=f"replearn {HOSTILE[0]}",
        **{HOSTILE[1]: {HOSTILE[0]: HOSTILE[2]}, "fact": [*HOSTILE]},
    )
    rows = [Representation(r.name, r.train, r.test, r.method, 1.0, r.history, HOSTILE) for r in made.rows]
    made.train.skipped = [(HOSTILE[0], HOSTILE[1])]  # type: ignore[misc]
    return Comparison(made.train, made.test, rows, made.scores, made.facts)


def test_hostile_texts_stay_texts(make_comparison: Make) -> None:
    text = render(hostile_comparison(make_comparison), title=HOSTILE[0])
    page = Reader(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"img", "iframe", "object", "embed", "form", "base"}
    assert [tag for tag, _ in page.tags].count("script") == 2  # data and the map's own
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert "<script>alert" not in text
    assert "<!--" not in text
    assert "\u2028" not in re.search(r'id="map-data">(.*?)</script>', text, re.S)[1]  # type: ignore[index]
    shown = "".join(data for _, data in page.texts)
    assert all(
        shown.count(word) > 2 for word in ("<script>alert(1)</script>", "onerror=alert(2)", "{{ 7 * 191 }}")
    )
    assert page.map_data()["names"][0] in HOSTILE  # type: ignore[index]
    assert set(page.map_data()["classes"]) == set(HOSTILE)  # type: ignore[attr-defined]


def test_bands_are_said_to_cover_what_the_table_says(make_comparison: Make) -> None:
    made = make_comparison()
    scores = made.scores.assign(tested=made.scores["measure"].isin(["linear probe", "kNN"]) * 24)
    page = " ".join(
        render(Comparison(made.train, made.test, made.rows, scores, made.facts), title="t").split()
    )
    covered = "over 24 test samples and 5 draws of labels. One training each: its luck is not covered."
    assert f"±: half of a 95 % interval, {covered}" in page
    assert f"Bands: 95 % intervals, {covered}" in page


def test_nothing_comes_from_outside(make_comparison: Make) -> None:
    text = render(hostile_comparison(make_comparison), title="t")
    page = Reader(text)
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "action", "poster", "srcset", "data"):
            assert (attrs.get(name) or "#").startswith(("#", "data:")), (tag, attrs)
    style = "".join(data for tag, data in page.texts if tag == "style")
    assert "@import" not in style
    assert all(url.startswith('"data:image/png;base64,') for url in re.findall(r"url\((.{0,30})", style))
    script = "".join(data for tag, data in page.texts if tag == "script")
    assert not re.search(
        r"fetch\(|XMLHttpRequest|import\(|innerHTML|eval\(|https?://", script.split("use strict")[-1]
    )


def test_policy_names_the_one_script_by_its_hash(make_comparison: Make) -> None:
    text = render(make_comparison(), title="t")
    policy = next(
        a["content"] for _, a in Reader(text).tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    script = re.search(r"<script>(.*?)</script>", text, re.S)[1]  # type: ignore[index]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy
    assert "unsafe-eval" not in policy


def test_sections_stand_in_order(make_comparison: Make) -> None:
    sections = [
        attrs["id"] for tag, attrs in Reader(render(make_comparison(), title="t")).tags if tag == "section"
    ]
    assert sections == ["table", "few-labels", "map-section", "neighbours", "training", "spectrum", "run"]


def test_page_tells_what_was_run(make_comparison: Make) -> None:
    text = render(
        make_comparison(command="replearn compare pca", seeds=[0, 1], versions={"torch": "2.6"}), title="t"
    )
    assert all(
        word in text
        for word in ("replearn compare pca", "0, 1", "2.6", "n_components", "10 samples/s", "1.5 s")
    )
    assert "step 3: it stalls" in text


@pytest.mark.parametrize(
    "options",
    [
        {"shape": (5,)},
        {"labelled": False},
        {"shape": (7,), "labelled": False},
        {"rows": ("pca",)},
        {"rows": ("raw input",)},
        {"n": 5},
        {"n": 2},
        {"shape": (3, 9, 4)},
        {"shape": (2, 1, 1)},
        {"shape": (13, 5, 5)},
        {"n": 230, "classes": [f"class {i}" for i in range(115)]},
    ],
    ids=[
        "table",
        "no labels",
        "bare table",
        "one learned row",
        "raw alone",
        "five",
        "two",
        "tall",
        "one pixel",
        "channels",
        "115",
    ],
)
def test_all_kinds_of_samples(options: dict[str, object], make_comparison: Make) -> None:
    made = make_comparison(**options)  # type: ignore[arg-type]
    text = render(made, title="t")
    page = Reader(text)
    image, labelled = len(made.train.shape) == 3, made.test.labels is not None
    assert ('id="neighbours"' in text) == image
    assert ("data:image/png" in text) == image
    assert ('id="few-labels"' in text) == labelled
    assert ("data-label=" in text) == labelled
    assert len(page.map_data()["labels"]) == len(made.test)  # type: ignore[arg-type]
    assert len([1 for tag, a in page.tags if tag == "button" and "data-label" in a]) == (
        len(made.test.classes)
        if labelled and len(made.test) >= len(made.test.classes)
        else 2
        if labelled
        else 0
    )


def test_collapsed_and_one_column_representations_are_drawn(make_scores: Make, make_comparison: Make) -> None:
    made = make_comparison()
    rows = [
        Representation("collapsed", made.rows[0].train * 0 + 1, made.rows[0].test * 0 + 1),
        Representation("zero", made.rows[0].train * 0, made.rows[0].test * 0),
        Representation("one column", made.rows[0].train[:, :1], made.rows[0].test[:, :1]),
    ]
    scores = make_scores({row.name: 0.3 for row in rows})
    assert "NaN" not in render(Comparison(made.train, made.test, rows, scores), title="t")


def test_pictures_on_the_page_are_of_the_samples_they_name(make_comparison: Make) -> None:
    made = make_comparison(shape=(1, 20, 20))
    text = render(made, title="t")
    uri = re.search(r'url\("data:image/png;base64,([^"]+)"', text)[1]  # type: ignore[index]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri))))
    rows, columns = (size // 20 for size in picture.shape)
    cells = picture.reshape(rows, 20, columns, 20).swapaxes(1, 2).reshape(-1, 20, 20)
    for i, name in enumerate(Reader(text).map_data()["samples"]):  # type: ignore[arg-type,var-annotated]
        np.testing.assert_array_equal(cells[i], made.test.x[int(name.removeprefix("no. "))][0])
    place_and_name = r'style="background-position:(\S+)% (\S+)%"[^>]*aria-label="[abc] \(no. (\d+)'
    thumbs = re.findall(rf'<(div|span) class="thumb[^"]*" {place_and_name}', text)
    assert len(thumbs) == 8 + 8 * 2 * 8  # queries, and neighbours by two representations
    for tag, x, y, number in thumbs:
        place = round(float(y) / 100 * (rows - 1)) * columns + round(float(x) / 100 * (columns - 1))
        source = made.test if tag == "div" else made.train
        np.testing.assert_array_equal(cells[place], source.x[int(number)][0])


def test_unlabelled_samples_have_no_class(make_comparison: Make) -> None:
    made = make_comparison()
    made.test.labels[:12] = -1  # type: ignore[index]
    page = Reader(render(made, title="t"))
    assert page.map_data()["classes"].count("") == 12  # type: ignore[attr-defined]
    assert any("no label" in data for _, data in page.texts)


def test_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_comparison: Make
) -> None:
    path = write_report(tmp_path / "new" / "report.html", make_comparison(names=["\udcff"] * 24), title="ö")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    before = path.read_bytes()
    monkeypatch.setattr("replearn.report.page.render", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(path, make_comparison(), title="t")
    assert path.read_bytes() == before


def test_same_comparison_same_bytes(make_comparison: Make) -> None:
    assert render(make_comparison(), title="t") == render(make_comparison(), title="t")
