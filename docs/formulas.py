"""A mkdocs hook that draws the formulas of docstrings when the site is built, as `replearn.report.formulas` does.

What can't be drawn is shown as it is written.
"""

import html
import re
from typing import Any

BLOCK = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', re.DOTALL)
INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)


def on_page_content(content: str, **_: Any) -> str:
    """Formulas of a page as pictures."""
    content = BLOCK.sub(lambda found: f'<div class="formula">{drawn(found[1])}</div>', content)
    return INLINE.sub(lambda found: f'<span class="formula-inline">{drawn(found[1])}</span>', content)


def drawn(escaped: str) -> str:
    """TeX (escaped for HTML) as an SVG picture, or as code where it can't be drawn."""
    from replearn.report.formulas import formula

    return formula(html.unescape(escaped))
