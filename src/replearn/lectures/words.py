"""The Markdown that chapters are written in, as HTML: headings, paragraphs, lists, code, links and formulas."""

import html
import re
from collections.abc import Callable

from replearn.report.formulas import formula

LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+|[\w.-]+\.html)\)")
BULLET = re.compile(r"^(?:[-*]|\d+\.) ")
# What stands in a line, each with the HTML that it becomes; what it holds is escaped.
INLINE: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"`([^`]+)`"), lambda found: f"<code>{html.escape(found[1])}</code>"),
    (re.compile(r"\$([^$]+)\$"), lambda found: f'<span class="formula-inline">{formula(found[1])}</span>'),
    (LINK, lambda found: f'<a href="{html.escape(found[2])}">{inline(found[1])}</a>'),
    (re.compile(r"\*\*([^*]+)\*\*"), lambda found: f"<strong>{inline(found[1])}</strong>"),
    (re.compile(r"\*([^*]+)\*"), lambda found: f"<em>{inline(found[1])}</em>"),
)


def as_html(text: str) -> str:
    """Markdown as HTML; what it does not know is text.

    >>> as_html("## Why\\n\\nSo `x < 1` is *so*.\\n\\n- one\\n- two")
    '<h2>Why</h2>\\n<p>So <code>x &lt; 1</code> is <em>so</em>.</p>\\n<ul><li>one</li><li>two</li></ul>'
    """
    return "\n".join(_block(block) for block in re.split(r"\n\s*\n", text.strip()) if block.strip())


def inline(text: str) -> str:
    """The HTML of a line.

    >>> inline("<b> is **bold**")
    '&lt;b&gt; is <strong>bold</strong>'
    """
    for pattern, made in INLINE:
        found = pattern.search(text)
        if found:
            return inline(text[: found.start()]) + made(found) + inline(text[found.end() :])
    return html.escape(text)


def _block(block: str) -> str:
    heading = re.match(r"(#{1,4}) ([^\n]*)", block)
    if heading:
        level = len(heading[1])
        rest = block[heading.end() :].strip()
        return f"<h{level}>{inline(heading[2])}</h{level}>" + (f"\n{_block(rest)}" if rest else "")
    if block.startswith("$$") and block.rstrip().endswith("$$"):
        return f'<div class="formula">{formula(block.strip().strip("$"))}</div>'
    lines = block.splitlines()
    if BULLET.match(lines[0]):
        kind = "ol" if lines[0][0].isdigit() else "ul"
        items = re.split(r"\n(?=(?:[-*]|\d+\.) )", block)
        told = "".join(f"<li>{inline(_joined(BULLET.sub('', item)))}</li>" for item in items)
        return f"<{kind}>{told}</{kind}>"
    return f"<p>{inline(_joined(block))}</p>"


def _joined(text: str) -> str:
    return " ".join(text.split())
