"""Python's manual on the machine that the tests run on."""

import sys

import numpy as np
import pytest

from replearn.data import DATASETS, load_data, manual


@pytest.fixture(autouse=True)
def cache(lasting_cache, monkeypatch):
    """In place of one for each test."""
    monkeypatch.setenv("REPLEARN_CACHE", str(lasting_cache))


def test_texts_and_chapters():
    before = set(sys.modules)
    samples = load_data("python-manual")
    assert not {
        name for name in set(sys.modules) - before if not name.startswith("pydoc_data")
    }  # parsed, not imported
    sizes = [len(text.split()) for text in samples.texts]
    assert min(sizes) >= manual.SHORTEST
    assert max(sizes) <= manual.LONGEST
    assert sum(map(len, samples.texts)) > 1_000_000
    assert samples.classes == manual.chapters()
    assert np.bincount(samples.labels).min() >= 50
    chapter = {
        name: samples.classes[label] for name, label in zip(samples.names, samples.labels, strict=True)
    }
    assert chapter["pdb.py"] == chapter["unittest/mock.py"] == "debugging"
    assert chapter["json/decoder.py"] == "formats"


def test_the_test_part_is_of_other_documents():
    train, test = load_data("python-manual", split="train"), load_data("python-manual", split="test")
    assert not set(train.names) & set(test.names)
    assert not set(train.texts) & set(test.texts)
    share = np.bincount(test.labels) / np.bincount(load_data("python-manual").labels)
    assert share.min() > 0.1
    assert share.max() <= 0.2


def test_the_same_each_time(monkeypatch, tmp_path):
    monkeypatch.setattr(manual, "CHAPTERS", {"mail": "smtplib", "debugging": "bdb", "text processing": "re"})
    made = []
    for name in "ab":
        monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / name))
        made.append(manual.python_manual())
    (first, test), (again, same) = made
    assert list(first.texts) == list(again.texts)
    assert list(first.names) == list(again.names)
    np.testing.assert_array_equal(test, same)


def test_documents_by_hand(monkeypatch, tmp_path):
    """Two files: programs and underlines go, what stands twice is taken once, long ones are cut."""
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(manual.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(manual, "_topics", lambda: [])
    said = " ".join(["word"] * 49) + " end."
    (tmp_path / "email" / "test").mkdir(parents=True)
    (tmp_path / "email" / "test" / "a.py").write_text(f'"""{said}"""')
    (tmp_path / "email" / "a.py").write_text(
        f'"""Title\n=====\n\n{said}\n\n>>> 1\n"""\ndef one():\n  "alpha {said}"\n  def two():\n    "hidden {said}"\n'
    )
    (tmp_path / "email" / "b.py").write_text(
        f'"""{said}\n"""\nif x:\n  class A:\n    async def one(self):\n      """beta {said} {said} {said} last."""\n'
    )
    (tmp_path / "email" / "c.py").write_text("no python")
    samples, _ = manual.python_manual()
    assert list(samples.texts) == [f"Title {said} alpha {said}", f"beta {said} {said}", f"{said} last."]
    assert list(samples.names) == ["email/a.py", "email/b.py", "email/b.py"]
    assert {samples.classes[label] for label in samples.labels} == {"mail"}


def test_no_sources(monkeypatch, tmp_path):
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(manual.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(manual, "_topics", lambda: [])
    with pytest.raises(ValueError, match="needs the sources of Python's standard library") as error:
        load_data("python-manual")
    assert "\n" not in str(error.value)


def test_its_facts_are_told():
    assert DATASETS["python-manual"].facts() == ("varies", "varies", "text")
