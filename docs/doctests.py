"""Shows the doctests of docstrings as code in the reference: Markdown would read `>>>` as quotations in quotations."""

import re
from typing import Any

import griffe

DOCTEST = re.compile(r"^>>> .*?(?=\n\n(?!>>>)|\Z)", re.MULTILINE | re.DOTALL)


class Doctests(griffe.Extension):
    """Puts a fence around each doctest that stands in the text; those in a section `Example` have one already."""

    def on_instance(self, *, obj: Any, **_: Any) -> None:
        """Called for every module, class, function and attribute that was found."""
        if obj.docstring is not None:
            obj.docstring.value = DOCTEST.sub(fenced, obj.docstring.value)


def fenced(found: re.Match[str]) -> str:
    """The doctest as a block of code."""
    return f"```pycon\n{found[0]}\n```"
