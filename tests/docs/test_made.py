"""What the docs make when they are built: tables of the code and of measurements, formulas."""

import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from blocks import load_file
from pages import DOCS, ROOT

from replearn.cli import COMMANDS
from replearn.methods import SimCLR, registry
from replearn.views import __all__ as view_names

SCORES = {
    "facts": {"title": "Two lines", "command": ["replearn", "demo"], "seeds": [0], "draws": 5},
    "scores": [
        {
            "representation": "raw",
            "measure": "kNN",
            "labels": 9,
            "mean": 0.5,
            "low": 0.4,
            "high": 0.6,
            "draws": 1,
        },
        {
            "representation": "SimCLR",
            "measure": "kNN",
            "labels": 9,
            "mean": 0.8,
            "low": None,
            "high": None,
            "draws": 1,
        },
    ],
}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The hook, with a folder of results of its own."""
    module = load_file("docs_tables", DOCS / "tables.py")
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    return module


def test_every_marker_of_every_page_can_be_filled(made: ModuleType) -> None:
    for path in DOCS.rglob("*.md"):
        assert "<!-- made:" not in made.filled(path.read_text(encoding="utf-8")), path
    with pytest.raises(KeyError):
        made.filled("<!-- made: nothing -->")


def test_tables_name_all_members(made: ModuleType) -> None:
    listed = made.methods()
    assert all(f"`{name}`" in listed for name in registry())
    page = made.filled((DOCS / "stages" / "views.md").read_text(encoding="utf-8"))
    classes = [name for name in view_names if name[0].isupper() and name not in ("View", "Split")]
    assert [name for name in classes if f"| `{name}(" not in page] == []
    assert all(re.search(rf"^  {name} ", made.command_line(), re.MULTILINE) for name in COMMANDS)


def test_fields_are_told_with_default_and_meaning(made: ModuleType) -> None:
    for name in ("Method", "SimCLR", "Autoencoder", "Supervised"):
        lines = made.fields(name).splitlines()[2:]
        assert lines
        assert not [line for line in lines if line.endswith("|  |")], name
    assert f"| `temperature` | `{SimCLR.temperature}` |" in made.fields("SimCLR")
    assert "batch_size" not in made.fields("SimCLR")


def test_results_are_those_that_were_recorded(made: ModuleType, tmp_path: Path) -> None:
    assert "No result is recorded" in made.results()
    assert "Not recorded yet" in made.demo_table()
    (tmp_path / "speed.md").write_text("# Speed\n\n## Start\n\n| a |\n| --- |\n| 7.25 |\n", encoding="utf-8")
    (tmp_path / "speed.json").write_text("{}", encoding="utf-8")
    (tmp_path / "demo.json").write_text(json.dumps(SCORES), encoding="utf-8")
    page = made.results()
    assert "## Speed\n\n### Start" in page
    assert "7.25" in page
    assert "## Two lines" in page
    assert "| SimCLR | **80.0** |" in page
    assert "Repeat: `replearn demo`. Seeds: 0; draws of labels: 5." in page


def test_the_readme_is_filled_between_its_marks_only(made: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(json.dumps(SCORES), encoding="utf-8")
    text = "before\n<!-- demo table -->\nold\n<!-- end of demo table -->\nafter\n"
    filled = made.fill_demo_table(text)
    assert filled.startswith("before\n<!-- demo table -->\n| representation | kNN |")
    assert filled.endswith("\n<!-- end of demo table -->\nafter\n")
    assert "\nold\n" not in filled
    assert made.fill_demo_table(filled) == filled


def test_the_readme_shows_the_recorded_demo() -> None:
    made = load_file("docs_tables", DOCS / "tables.py")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if not (made.RESULTS / "demo.json").is_file():
        pytest.skip("no demo is recorded")
    assert made.fill_demo_table(text) == text, "run: python docs/tables.py README.md"


def test_every_decision_is_in_the_index_and_the_navigation(made: ModuleType) -> None:
    index = made.decision_list()
    nav = made.on_config({"nav": [{"Decisions": "decisions/index.md"}]})["nav"][0]["Decisions"]
    records = [path.name for path in (DOCS / "decisions").glob("0*.md")]
    assert records
    for record in records:
        assert f"]({record})" in index
        assert any(f"decisions/{record}" in entry.values() for entry in nav if isinstance(entry, dict))


def test_formulas_are_drawn_and_unknown_ones_shown() -> None:
    formulas = load_file("docs_formulas", DOCS / "formulas.py")
    assert formulas.drawn(r"\frac{1}{n} \sum_i x_i").startswith("<svg role=")
    assert formulas.drawn(r"\nosuchword &lt; 1") == r"<code>\nosuchword &lt; 1</code>"
    page = formulas.on_page_content(r'<p><span class="arithmatex">\(\tau\)</span></p>')
    assert page.startswith('<p><span class="formula-inline"><svg')
