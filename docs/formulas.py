"""A mkdocs hook that draws the formulas of docstrings when the site is built.

A browser would need a script from elsewhere to set TeX; matplotlib, which replearn has anyway, draws it.
What it can't draw is shown as it is written.
"""

import html
import re
from io import StringIO
from typing import Any

BLOCK = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', re.DOTALL)
INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
# TeX that matplotlib has no word for, and what it calls the same.
WORDS = {
    r"\\[lr]Vert": r"\\|",
    r"\\textstyle\s*": "",
    r"\\qquad": r"\\quad\\quad",
    r"\\text\{": r"\\mathrm{",
    r"\\(Big|big)[lr]?(?![a-z])": "",
    r"\\[,;]": r"\\ ",
    r"\\frac(\w)(\w)": r"\\frac{\1}{\2}",
    r"\\sqrt\s+(\w)": r"\\sqrt{\1}",
}


def on_page_content(content: str, **_: Any) -> str:
    """Formulas of a page as pictures."""
    content = BLOCK.sub(lambda found: f'<div class="formula">{drawn(found[1])}</div>', content)
    return INLINE.sub(lambda found: f'<span class="formula-inline">{drawn(found[1])}</span>', content)


def drawn(escaped: str) -> str:
    """TeX (escaped for HTML) as an SVG picture, or as code where it can't be drawn."""
    tex = " ".join(html.unescape(escaped).split())
    try:
        picture = svg(tex)
    except (ValueError, RuntimeError):  # what matplotlib raises where it does not know a word
        return f"<code>{html.escape(tex)}</code>"
    return picture


def svg(tex: str) -> str:
    """TeX as an SVG picture in the colour of the text around it."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    for word, ours in WORDS.items():
        tex = re.sub(word, ours, tex)
    figure = Figure(figsize=(0.01, 0.01))
    FigureCanvasSVG(figure)
    figure.text(0, 0, f"${tex}$", fontsize=11)
    file = StringIO()
    # A salt makes the names within the picture, and so the site, the same at every build.
    with mpl.rc_context({"svg.hashsalt": tex, "svg.fonttype": "path", "mathtext.fontset": "cm"}):
        figure.savefig(
            file,
            format="svg",
            bbox_inches="tight",
            pad_inches=0.02,
            transparent=True,
            metadata={"Date": None},
        )
    picture = file.getvalue()
    picture = picture[picture.index("<svg") :]
    picture = re.sub(r"<metadata>.*?</metadata>", "", picture, flags=re.DOTALL)
    label = html.escape(tex, quote=True)
    return picture.replace("<svg", f'<svg role="img" aria-label="{label}"', 1).replace("\n", " ")
