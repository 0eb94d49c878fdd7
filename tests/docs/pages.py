"""The README and the pages of the docs, and the blocks of code in them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code: language, name of its file if the page gives one, text, and the line it starts at."""

    language: str
    file: str
    text: str
    line: int


def pages() -> list[Path]:
    """All pages that have code, the README first."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
    return [path for path in found if BLOCK.search(path.read_text(encoding="utf-8"))]


def blocks(path: Path, *languages: str) -> list[Block]:
    """The blocks of a page in some languages, in order."""
    text = path.read_text(encoding="utf-8")
    found = [Block(m[1], m[2] or "", m[3], text[: m.start()].count("\n") + 2) for m in BLOCK.finditer(text)]
    return [block for block in found if block.language in languages]


def name(path: Path) -> str:
    """A page's name in the list of tests."""
    return path.relative_to(ROOT).as_posix()
