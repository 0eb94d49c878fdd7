"""Beginnings of texts, cut at a word's end."""

import re

from replearn.data import Samples
from replearn.report.kinds import LOOKS
from replearn.report.strips import sample_name

SHORT = 120  # characters that are shown
LONG = 600  # characters that are shown on demand
EMPTY = "(empty)"
NO_TEXT = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]"
)  # control characters, halves of pairs


def excerpt(samples: Samples, index: int, *, length: int = SHORT) -> str:
    """The beginning of a text among samples; of a sample that is no text, nothing."""
    looks = LOOKS[samples.kind]
    if looks.shown != "text":
        return ""
    return shortened(looks.text(samples, index), length=length) or EMPTY


def map_name(samples: Samples, index: int) -> str:
    """What the map tells of a sample: its name or number; of a text, its beginning after its name, if it has one."""
    begun = excerpt(samples, index)
    if not begun:
        return sample_name(samples, index)
    return begun if samples.names is None else f"{sample_name(samples, index)}: {begun}"


def shortened(text: str, *, length: int) -> str:
    """The text on one line; of a longer one its beginning, up to a word's end.

    A word that takes more than half of the length is cut all the same: some languages write no spaces.

    Args:
        text: any string; control characters become question marks.
        length: characters at most, the ellipsis included.

    >>> shortened("to be or not to be", length=12)
    'to be or…'
    >>> shortened(" to\\nbe ", length=12)
    'to be'
    """
    text = text.strip()
    begun = text[: 4 * length]  # no more is looked at of a long one
    line = " ".join(without_controls(begun).split())
    if len(line) <= length and len(begun) == len(text):
        return line
    cut = line[: length - 1]
    end = cut.rfind(" ")
    if line[len(cut) : len(cut) + 1].strip() and end >= length // 2:
        cut = cut[:end]
    return f"{cut.rstrip(' .,;:')}…"


def without_controls(text: str) -> str:
    """The text with a mark in place of each character that is no text but moves cursors, or half of a pair.

    >>> without_controls("a\\x1bb\\n")
    'a�b\\n'
    """
    return NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)
