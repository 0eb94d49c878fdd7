"""What every page of the project is held to."""

import re
from pathlib import Path

import pytest
from pages import DOCS, ROOT

from replearn.data import DATASETS

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "NOTICE", "mkdocs.yml")]
PAGES += [*DOCS.rglob("*.md"), *DOCS.glob("*.py")]
ELSEWHERE = re.compile(r"(?<![\w.])/(work|home|root|Users)/")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_path_of_a_machine(path: Path) -> None:
    assert not ELSEWHERE.search(path.read_text(encoding="utf-8"))


def test_the_notice_credits_all_built_in_data() -> None:
    notice = " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())
    for name, data in DATASETS.items():
        assert f"{name}:" in notice
        assert data.attribution in notice, name
        assert data.licence in notice, name


def test_licence_texts_lie_beside_the_data() -> None:
    folder = ROOT / "src" / "replearn" / "data" / "builtin" / "LICENSES"
    assert {path.stem for path in folder.glob("*.txt")} >= set(DATASETS)


def test_pages_load_nothing_from_elsewhere() -> None:
    for path in DOCS.rglob("*.md"):
        assert not re.search(
            r"!\[[^\]]*\]\(https?:|<(script|img|link)\b", path.read_text(encoding="utf-8")
        ), path
