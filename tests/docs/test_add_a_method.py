"""The page on adding a method shows the library's own file, and what it says of it works."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from blocks import commands, load_file, run_command, run_python
from pages import BLOCK, DOCS, ROOT, Block, blocks

from replearn.methods import DenoisingAutoencoder, find_method, reconstruction

PAGE = DOCS / "add-a-method.md"


def block(file: str) -> Block:
    return next(found for found in blocks(PAGE, "python") if found.file == file)


def test_the_file_is_the_librarys_own() -> None:
    made = load_file("docs_tables", DOCS / "tables.py").filled(PAGE.read_text(encoding="utf-8"))
    module = inspect.getmodule(DenoisingAutoencoder)
    assert module is not None
    assert module.__file__ is not None
    path = Path(module.__file__)
    shown = next(found for found in BLOCK.finditer(made) if found[2] == path.name)
    assert shown[3] == path.read_text(encoding="utf-8")
    assert f"`{path.relative_to(ROOT)}`" in made


def test_it_is_listed_as_the_page_says() -> None:
    listing: dict[str, Any] = {}
    exec(block("__init__.py").text, listing)
    assert listing["DenoisingAutoencoder"] is DenoisingAutoencoder
    assert set(listing["__all__"]) - {...} <= set(reconstruction.__all__)
    assert find_method("denoisingautoencoder").cls is DenoisingAutoencoder


@pytest.mark.all
@pytest.mark.usefixtures("desk", "_little_digits")
def test_its_commands_run(capsys: pytest.CaptureFixture[str]) -> None:
    for words in [words for shell in blocks(PAGE, "bash") for words in commands(shell)]:
        run_command(words, capsys)


@pytest.mark.usefixtures("desk")
def test_its_use_prints_what_the_page_says() -> None:
    run_python(block("try_it.py"), {"__name__": "__page__"})


@pytest.mark.all
def test_it_learns_as_its_own_test_says() -> None:
    namespace: dict[str, Any] = {}
    exec(block("test_denoising_learns.py").text, namespace)
    namespace["test_it_beats_the_untrained_encoder"]()
