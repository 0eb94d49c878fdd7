"""Runs blocks of Python and lines of shell as a reader would, one after the other."""

import builtins
import importlib.util
import re
import shlex
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pages import ROOT, Block

from replearn.cli import COMMANDS, main
from replearn.data import DataWarning

SECONDS = 900  # that a command of a page may take, on a busy machine, too
# `print(...)  # what it prints`
PROMISE = re.compile(r"^\s*print\(.*\)  # (.+)$")
# The same cut into lines, of which nobody would notice that it is not checked.
LOST = re.compile(r"^\s*\)  # ", re.MULTILINE)


def run_python(block: Block, namespace: dict[str, Any]) -> None:
    """Run a block, and hold every `print(...)  # so` to its word.

    Raises:
        AssertionError: something else was printed.
    """
    assert not LOST.search(block.text), f"line {block.line}: print on one line what is told in its comment"
    said: dict[int, str] = {}

    def shown(*values: object) -> None:
        said[sys._getframe(1).f_lineno] = " ".join(map(str, values))

    namespace["print"] = shown
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # of the broken photo, which is there on purpose
        exec(compile(block.text, f"line {block.line}", "exec"), namespace)
    namespace["print"] = builtins.print
    for number, line in enumerate(block.text.splitlines(), start=1):
        if promised := PROMISE.match(line):
            assert said[number] == promised[1], f"line {block.line + number - 1}"


def commands(block: Block) -> list[list[str]]:
    """The command lines of a block, without comments."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def run_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command of ours; of others check that what they name is there.

    Raises:
        AssertionError: it failed, or names nothing.
    """
    if words[0] == "torchrun":  # the same command, in one process
        assert words[3:6] == ["-m", "--", "replearn"]
        words = words[5:]
    if words[0] == "replearn":
        assert words[1] in COMMANDS or words[1].startswith("--")
        # The demo has tests of its own: minutes are too long here.
        arguments = [*words[1:], "--help"] if words[1] == "demo" else words[1:]
        with at_most(SECONDS, shlex.join(words)):
            code = main(arguments)
        told = capsys.readouterr()
        assert code == 0, told.err
        return
    if words[0] == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in words[1:])
        return
    files = [word for word in words[1:] if word.endswith((".py", ".md", ".txt")) or "/" in word]
    assert words[0] in ("pip", "git", "towncrier", "cd") or files, words
    for file in files:
        assert words[0] in ("pip", "git") or Path(ROOT, file.partition("::")[0]).exists(), file


@contextmanager
def at_most(seconds: float, what: str) -> Iterator[None]:
    """Ends what is done within, by an error that names it, where it takes longer: a page must not hang all tests."""

    def late(*_: object) -> None:
        raise TimeoutError(f"`{what}` was not done after {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def load_file(name: str, path: Path) -> ModuleType:
    """The module in a file, under a name of our choice."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
