"""Reads a page: its tags, its texts, its sections; and texts that would like to be markup."""

import json
import re
from html.parser import HTMLParser

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "\"' onmouseover='alert(3)' x=\"",
    "</script><!--<svg/onload=alert(4)>\u2028\u2029",
    "</style></title>{{ 7 * 191 }}]]>",
)


class Reader(HTMLParser):
    """Tags with attributes, texts by the tag around them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.text = text
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.tags[-1][0] if self.tags else "", data))

    def map_data(self) -> dict[str, object]:
        at = next(i for i, (_, attrs) in enumerate(self.tags) if attrs.get("id") == "map-data")
        assert self.tags[at][0] == "script"
        return json.loads(re.search(r'id="map-data">(.*?)</script>', self.text, re.S)[1])  # type: ignore[index]


def section(page: str, name: str) -> str:
    """The markup of a section."""
    return re.search(rf'<section id="{name}">(.*?)</section>', page, re.S)[1]  # type: ignore[index]


def words(markup: str) -> str:
    """What is read of it, on one line."""
    return " ".join("".join(data for _, data in Reader(markup).texts).split())
