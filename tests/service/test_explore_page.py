"""The page as a user drives it, in a headless Chromium: with the mouse, by the keyboard, at 1280 and 400 pixels."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from browser import CHROMIUM, Browser
from replearn import as_samples, load_data
from replearn.service.explore import Beside, Colour, Explored, LabelFile, place
from replearn.service.explore.explored import changed_neighbours, label_colour
from serving import listening

pytest.importorskip("uvicorn", reason="needs replearn[serve]")
pytest.importorskip("fastapi", reason="needs replearn[serve]")

from replearn.service.explore import make_app

pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"), pytest.mark.all]
N = 200
FRAMES = """new Promise((done) => {
  const canvas = document.querySelector("canvas"), began = performance.now();
  let left = 5;
  const step = () => {
    canvas.dispatchEvent(new KeyboardEvent("keydown", { key: left % 2 ? "+" : "-" }));
    const next = () => (--left ? step() : done((performance.now() - began) / 5));
    requestAnimationFrame(() => requestAnimationFrame(next));
  };
  step();
})"""
SEEN = os.environ.get("REPLEARN_SCREENSHOTS")  # a folder for what was seen


@pytest.fixture(scope="module")
def digits():
    return load_data("digits8x8").subset(np.arange(N))


@pytest.fixture
def asked(digits, tmp_path):
    """A page's address, and its file of labels."""
    rows = digits.flat()
    file = tmp_path / "labels.csv"
    known = Explored(
        title="<b>digits</b>",
        samples=digits,
        rows=rows,
        places=place(rows),
        colours=[label_colour(digits)],
        told=["Map: by a test."],
        labels=LabelFile(file, [str(i) for i in range(N)]),
    )
    with listening(make_app(known)) as address:
        yield address, file


@pytest.fixture
def page(request):
    with Browser(*getattr(request, "param", (1280, 900))) as browser:
        yield browser
        assert browser.errors == []


def shown(page, address):
    page.open(address)
    page.wait("document.body && document.body.dataset.ready === 'yes'")


def seen(page, name):
    if SEEN:
        page.picture(Path(SEEN) / f"{name}.png")


def text(page, selector):
    return page.run(f"document.querySelector({selector!r}).textContent")


def canvas(page):
    """Left, top, width and height of the map."""
    return page.run(
        "(() => { const b = document.querySelector('canvas').getBoundingClientRect();"
        " return [b.left, b.top, b.width, b.height]; })()"
    )


SIZES = pytest.mark.parametrize("page", [(1280, 900), (400, 800)], indirect=True, ids=["wide", "narrow"])


@SIZES
def test_a_map_with_legend_and_an_opened_sample(page, asked, request):
    shown(page, f"{asked[0]}/#12")
    assert text(page, "h1") == "<b>digits</b>"
    assert page.run("document.querySelector('#error').hidden")
    page.run(
        "document.querySelector('#colour').value = 'label'; "
        "document.querySelector('#colour').dispatchEvent(new Event('change'))"
    )
    assert page.run("document.querySelectorAll('#legend .swatch').length") == 10
    assert page.run("document.querySelectorAll('#opened .cards button').length") == 10
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    drawn = page.run(
        "(() => { const c = document.querySelector('canvas'), p = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0;"
        " for (let i = 3; i < p.length; i += 4) n += p[i] > 0; return n; })()"
    )
    assert drawn > N
    seen(page, f"opened-{request.node.callspec.id}")


def test_by_the_keyboard_alone(page, asked):
    shown(page, asked[0])
    page.run("document.querySelector('canvas').focus()")
    page.press("ArrowRight")
    page.wait("document.querySelector('#status').textContent.startsWith('no. ')")
    first = text(page, "#status")
    page.press("ArrowRight")
    page.wait(f"document.querySelector('#status').textContent !== {first!r}")
    second = text(page, "#status")
    assert second.startswith("no. ")
    page.press("Enter")
    page.wait("!document.querySelector('#opened').hidden")
    assert text(page, "#opened h2") == second.partition(",")[0]
    page.press("Escape")
    assert page.run("document.querySelector('#opened').hidden")
    page.press(" ")
    page.wait("document.querySelector('#listed h2')?.textContent === '1 selected'")
    page.press("+", "+", "-", "0", "Escape")


def test_hovering_shows_a_sample_and_a_click_opens_it(page, asked):
    shown(page, asked[0])
    left, top, width, height = canvas(page)
    found = None
    for x in np.linspace(left + 0.3 * width, left + 0.7 * width, 60):
        page.mouse("mouseMoved", float(x), top + height / 2)
        if page.run(
            "(() => new Promise((done) => setTimeout(() => done(!document.querySelector('.tip').hidden), 80)))()"
        ):
            found = float(x)
            break
    assert found is not None
    name = text(page, ".tip span")
    assert page.run("document.querySelector('.tip img').naturalWidth") > 0
    seen(page, "hovered")
    page.drag((found, top + height / 2))
    page.wait("!document.querySelector('#opened').hidden")
    assert text(page, "#opened h2") == name


def test_a_selection_is_labelled_and_saved_at_once(page, asked, digits):
    address, file = asked
    shown(page, address)
    page.run("document.querySelector('[data-tool=box]').click()")
    left, top, width, height = canvas(page)
    page.drag((left + 4, top + 4), (left + width / 2, top + height / 2), (left + width / 2, top + height - 4))
    page.wait("!document.querySelector('#listed').hidden")
    count = int(text(page, "#listed h2").partition(" ")[0].replace(",", ""))
    assert 10 < count < N
    page.run(
        "document.querySelector('#class').value = 'left, \"half\"'; document.querySelector('#new').requestSubmit()"
    )
    page.wait("document.querySelector('#labelled').textContent.startsWith('" + str(count) + " of')")
    frame = pd.read_csv(file, dtype=str)
    assert len(frame) == count
    assert set(frame["label"]) == {'left, "half"'}
    with pytest.warns(UserWarning, match="stay unlabelled"):
        told = as_samples(digits.flat(), file)
    assert (told.labels >= 0).sum() == count
    page.run("document.querySelector('#next').click()")
    page.wait("document.querySelector('#listed h2')?.textContent === 'Label these next'")
    assert page.run("document.querySelectorAll('#listed .cards button').length") == 12
    seen(page, "labelled")


def test_labels_by_the_keyboard(page, asked):
    address, file = asked
    shown(page, f"{address}/#7")
    page.run(
        "document.querySelector('#class').value = 'seven'; document.querySelector('#new').requestSubmit()"
    )
    page.wait("document.querySelector('#labelled').textContent.startsWith('1 of')")
    page.run("document.querySelector('canvas').focus()")
    page.press("ArrowUp", "Enter")
    page.wait("location.hash !== '#7'")
    page.press("1")
    page.wait("document.querySelector('#labelled').textContent.startsWith('2 of')")
    assert set(pd.read_csv(file, dtype=str)["label"]) == {"seven"}


def test_a_lasso_and_a_search(page, asked):
    shown(page, asked[0])
    page.run("document.querySelector('[data-tool=lasso]').click()")
    left, top, width, height = canvas(page)
    around = [
        (left + width * (0.5 + 0.3 * np.cos(a)), top + height * (0.5 + 0.3 * np.sin(a)))
        for a in np.linspace(0, 6, 20)
    ]
    page.drag(*[(float(x), float(y)) for x, y in around])
    page.wait("!document.querySelector('#listed').hidden")
    assert 0 < int(text(page, "#listed h2").partition(" ")[0]) < N
    page.run(
        "document.querySelector('#search input').value = 'no. 17'; document.querySelector('#search').requestSubmit()"
    )
    page.wait("document.querySelector('#listed h2')?.textContent?.includes('no. 17')")
    assert page.run(
        "[...document.querySelectorAll('#listed .cards button')].map((b) => b.title).join()"
    ).startswith("no. 17")


@SIZES
def test_two_maps_beside_each_other(page, digits, request):
    rows, other = digits.flat(), np.random.default_rng(0).normal(size=(N, 6)).astype(np.float32)
    changed, told = changed_neighbours(rows, other)
    beside = Beside("a second run", other, place(other), changed, told)
    known = Explored(
        title="digits",
        samples=digits,
        rows=rows,
        places=place(rows),
        beside=beside,
        colours=[label_colour(digits), Colour("neighbours changed", changed)],
    )
    with listening(make_app(known)) as address:
        shown(page, f"{address}/#3")
        assert page.run("document.querySelectorAll('canvas').length") == 2
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        assert "are the same" in text(page, "#opened")
        page.run(
            "(() => { const s = document.querySelector('#colour'); s.value = 'neighbours changed';"
            " s.dispatchEvent(new Event('change')); document.querySelectorAll('#legend button')[1].click(); })()"
        )
        page.wait("document.querySelector('#listed h2')?.textContent === 'neighbours changed: highest'")
        first = page.run("document.querySelector('#listed .cards button').title")
        assert first == f"no. {np.argsort(-changed.astype(np.float32), kind='stable')[0]}"
        seen(page, f"beside-{request.node.callspec.id}")


def test_a_token_is_asked_for(page, digits):
    known = Explored(title="digits", samples=digits, rows=digits.flat(), places=place(digits.flat(), "pca"))
    with listening(make_app(known, tokens=["t" * 20])) as address:
        page.open(address)
        page.wait("document.body && document.body.dataset.locked === 'yes'")
        seen(page, "token")
        form = "document.querySelector('#token')"
        give = f"(t) => {{ {form}.querySelector('input').value = t; {form}.requestSubmit(); }}"
        page.run(f"({give})('wrong')")
        page.wait("document.querySelector('#error').textContent.includes('none of those')")
        page.run(f"({give})('{'t' * 20}')")
        page.wait("document.body.dataset.ready === 'yes'")
        assert text(page, "h1") == "digits"
        assert page.run("document.querySelector('#error').hidden && document.querySelector('#token').hidden")


def test_texts_are_no_markup(page):
    samples = as_samples(
        ["<img src=x onerror=alert(1)>", "</script><b>b</b>", "plain"] * 4, ["<i>1</i>", "2", "3"] * 4
    )
    rows = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    known = Explored(
        title="texts", samples=samples, rows=rows, places=place(rows), colours=[label_colour(samples)]
    )
    with listening(make_app(known)) as address:
        shown(page, f"{address}/#0")
        assert page.run("document.querySelectorAll('img, b, main i').length") == 0
        assert "<img src=x" in text(page, "#opened")
        seen(page, "texts")


@pytest.mark.parametrize("page", [(1280, 900)], indirect=True)
def test_a_hundred_thousand_points(page):
    """A frame takes less than half a second even where pixels are drawn by the processor."""
    n = 100_000
    rows = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    samples = as_samples(rows, np.arange(n) % 12)
    known = Explored(
        title="many", samples=samples, rows=rows, places=place(rows, "pca"), colours=[label_colour(samples)]
    )
    with listening(make_app(known)) as address:
        shown(page, address)
        took = page.run(FRAMES)
        print(f"{took:.0f} ms a frame of {n:,} points")
        seen(page, "many")
    assert took < 500
