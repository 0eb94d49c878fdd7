"""Formulas as pictures: a browser would need a script from elsewhere to set TeX; matplotlib draws it."""

import html
import re
from io import StringIO

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

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


def formula(tex: str) -> str:
    """TeX as HTML: an SVG picture in the colour of the text around it, or as code where it can't be drawn.

    >>> formula("x < 1")[:15], formula("\\\\nosuchword < 1")
    ('<svg role="img"', '<code>\\\\nosuchword &lt; 1</code>')
    """
    tex = " ".join(tex.split())
    try:
        picture = _svg(tex)
    except (ValueError, RuntimeError):  # what matplotlib raises where it does not know a word
        return f"<code>{html.escape(tex)}</code>"
    return picture


def _svg(tex: str) -> str:
    for word, ours in WORDS.items():
        tex = re.sub(word, ours, tex)
    figure = Figure(figsize=(0.01, 0.01))
    FigureCanvasSVG(figure)
    figure.text(0, 0, f"${tex}$", fontsize=11)
    file = StringIO()
    # A salt makes the names within the picture, and so the page, the same at every build.
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
