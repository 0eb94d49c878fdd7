"""Whose warnings fail a test, whose are told at the end, and that none of our own is lost on the command line."""

import ast
import builtins
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OTHERS = """
import logging
import warnings

def old():
    warnings.warn("old is deprecated", DeprecationWarning, stacklevel=2)

def calls_its_own():
    old()

def deeper():
    warnings.warn("deeper is deprecated", FutureWarning)

def says(category):
    warnings.warn("read resized", category)

def divides():
    warnings.warn("divided by zero", RuntimeWarning)

def logs():
    logging.getLogger("transformers.made_up").warning("the argument is deprecated")
"""
CASE = """
import another

def test_it():
    exec({line!r}, {{"__name__": "replearn.made_up", "another": another}})
"""


@pytest.mark.parametrize(
    ("line", "fails", "told"),
    [
        ("another.old()", True, "old is deprecated"),
        ("import warnings; warnings.warn('ours')", True, "UserWarning: ours"),
        (
            "another.says(type('Ours', (UserWarning,), {'__module__': 'replearn.made_up'}))",
            True,
            "FAILED by a warning of ours that no test expects: ::test_it: read resized",
        ),
        pytest.param("another.divides()", True, "divided by zero", marks=pytest.mark.all),
        pytest.param(
            "another.calls_its_own()", False, "DeprecationWarning: old is deprecated", marks=pytest.mark.all
        ),
        pytest.param("another.deeper()", False, "FutureWarning: deeper is deprecated", marks=pytest.mark.all),
        ("another.logs()", False, "DeprecationWarning: the argument is deprecated"),
    ],
)
def test_whose_warnings_fail_a_test_and_whose_are_told(
    line: str, fails: bool, told: str, tmp_path: Path
) -> None:
    (tmp_path / "another.py").write_text(OTHERS)
    (tmp_path / "test_case.py").write_text(CASE.format(line=line))
    as_here = ("-c", ROOT / "pyproject.toml", "--rootdir", ROOT, "-p", "conftest")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *as_here, tmp_path / "test_case.py"],
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == int(fails), ran.stdout
    assert told in ran.stdout
    assert fails or "1 passed, 1 warning in" in ran.stdout


def test_each_warning_of_ours_has_a_class_of_ours() -> None:
    """The command line shows no others: they would be told to nobody."""
    unheard = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in (ROOT / "src").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "warnings.warn"
        and not (len(call.args) > 1 and not hasattr(builtins, ast.unparse(call.args[1])))
    ]
    assert not unheard
