"""The page on adding a method: its file, listed as it says, works, and passes the tests that it names."""

import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from blocks import commands, load_file, run_command, run_python
from pages import DOCS, ROOT, Block, blocks

import replearn
from replearn.methods import find_method, reconstruction

PAGE = DOCS / "add-a-method.md"
HOME = "replearn.methods.reconstruction.denoising"


def block(file: str) -> Block:
    return next(found for found in blocks(PAGE, "python") if found.file == file)


@pytest.fixture
def method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page's method, listed in its family."""
    file = tmp_path / "denoising.py"
    file.write_text(block("denoising.py").text, encoding="utf-8")
    monkeypatch.setitem(sys.modules, HOME, ModuleType(HOME))  # so that it is gone afterwards
    module = load_file(HOME, file)
    listing: dict[str, Any] = {}
    exec(block("__init__.py").text, listing)
    monkeypatch.setattr(reconstruction, "DenoisingAutoencoder", module.DenoisingAutoencoder, raising=False)
    monkeypatch.setattr(reconstruction, "__all__", listing["__all__"])
    return module.DenoisingAutoencoder


@pytest.mark.usefixtures("desk", "_little_digits")
def test_it_is_found_and_used_as_the_page_says(method: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_method("denoisingautoencoder").cls is method
    for words in [words for shell in blocks(PAGE, "bash") for words in commands(shell)]:
        run_command(words, capsys)


def test_its_use_prints_what_the_page_says(method: Any, desk: Path) -> None:
    run_python(block("try_it.py"), {"__name__": "__page__"})


def test_it_passes_the_contract_tests(method: Any, tmp_path: Path) -> None:
    contract = load_file("contract_of_methods", ROOT / "tests" / "methods" / "test_contract.py")
    few = replearn.load_data("digits", split="train").subset(np.arange(96))
    done = 0
    for name, test in vars(contract).items():
        # Those that take other values as well, or other samples, are left to the methods that are there.
        asks = set(inspect.signature(test).parameters) if name.startswith("test_") else {"other"}
        if asks <= {"cls", "few", "tmp_path", "monkeypatch"} and method in members(test):
            (tmp_path / name).mkdir()
            with pytest.MonkeyPatch.context() as patch:
                values = {"cls": method, "few": few, "tmp_path": tmp_path / name, "monkeypatch": patch}
                test(**{name: values[name] for name in asks})
            done += 1
    assert done >= 5


def members(test: Any) -> list[type]:
    """The methods that a contract test runs over."""
    return next(mark.args[1] for mark in test.pytestmark if mark.args[0] == "cls")


def test_it_learns_as_its_own_test_says(method: Any) -> None:
    namespace: dict[str, Any] = {}
    exec(block("test_denoising_learns.py").text, namespace)
    namespace["test_it_beats_the_untrained_encoder"]()
