"""Texts are shown by their words."""

from typing import Any, ClassVar

from replearn.report.kinds.base import Looks, Shown


class TextLooks(Looks):
    """Strings."""

    shown: ClassVar[Shown | None] = "text"

    def text(self, samples: Any, index: int) -> str:
        found: str = samples.texts[index]
        return found
