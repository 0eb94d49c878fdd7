"""The lectures as a book that runs: a chapter is one plain file of text and code, and its page is made by running it.

`replearn lectures` makes the book. Chapters lie in `replearn/lectures/chapters`; see `replearn.lectures.cells` for how
one is written, and `replearn.lectures.numbers` for the numbers that a reader may change.
"""

from replearn.lectures.book import Made, make_chapter, write_index
from replearn.lectures.cells import Cell, Chapter, chapters, find_chapter, read_chapter
from replearn.lectures.figures import chart, expect, pictures
from replearn.lectures.numbers import Number

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
