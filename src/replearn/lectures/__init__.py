"""The lectures as a book that runs: a chapter is one plain file of text and code, and its page is made by running it.

`replearn lectures` makes the book. Chapters lie in `replearn/lectures/chapters`; see `replearn.lectures.cells` for how
one is written, and `replearn.lectures.numbers` for the numbers that a reader may change.
"""

import importlib
from typing import TYPE_CHECKING, Any

from replearn.lectures.cells import Cell, Chapter, chapters, find_chapter, read_chapter
from replearn.lectures.numbers import Number

if TYPE_CHECKING:
    from replearn.lectures.book import Made, make_chapter, write_index
    from replearn.lectures.figures import chart, expect, pictures

__all__ = [
    "Cell",
    "Chapter",
    "Made",
    "Number",
    "chapters",
    "chart",
    "expect",
    "find_chapter",
    "make_chapter",
    "pictures",
    "read_chapter",
    "write_index",
]

# Modules that import torch, which the help of the command does without.
_LATER = {
    **dict.fromkeys(("Made", "make_chapter", "write_index"), "book"),
    **dict.fromkeys(("chart", "expect", "pictures"), "figures"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
