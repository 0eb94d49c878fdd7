"""Packages that are missing are told in one way, which names the extra that brings them."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

import replearn
from replearn.data.needed import EXTRAS, check_installed, needed

NAMES = {
    "open_clip": "open_clip_torch",
    "umap": "umap_learn",
}  # of packages that are imported by another name
SOURCES = Path(replearn.__file__).parent
DECLARED = SOURCES.parents[1] / "pyproject.toml"
OURS = {"bench", "docs", "dev", "all"}  # extras that no one needs to use what is there


@pytest.mark.skipif(not DECLARED.is_file(), reason="an installed package has no pyproject.toml")
def test_each_extra_brings_what_is_said():
    extras = tomllib.loads(DECLARED.read_text())["project"]["optional-dependencies"]
    brought = {
        (re.split(r"[\[<>=]", requirement)[0].replace("-", "_"), extra)
        for extra, requirements in extras.items()
        if extra not in OURS
        for requirement in requirements
    }
    assert {(NAMES.get(name, name), extra) for name, extra in EXTRAS.items()} == brought


def test_what_is_missing_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(
        ValueError, match=r"^molecules need rdkit, which is not installed\. Run: pip install "
    ) as told:
        needed("rdkit.Chem", "molecules need")
    assert str(told.value).endswith("'replearn[molecules]', or in a clone pip install '.[molecules]'.")
    monkeypatch.setattr("replearn.data.needed.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="this needs nibabel, which is not installed"):
        check_installed("this needs", "nibabel")


def test_a_package_that_is_broken_says_why(tmp_path, monkeypatch):
    (tmp_path / "sgfmill.py").write_text("raise OSError('libgo.so is not there')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sgfmill", raising=False)
    with pytest.raises(ValueError, match=r"sgfmill, which can't be imported \(libgo\.so is not there\)"):
        needed("sgfmill", "records need")


def test_nobody_says_it_otherwise():
    said = [path.name for path in SOURCES.rglob("*.py") if "pip install 'replearn[" in path.read_text()]
    assert said == ["needed.py"]
