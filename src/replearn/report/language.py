"""The section "Language": what `replearn evaluate` found about a language model, from the comparison's facts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replearn.comparison import Comparison
from replearn.report.excerpts import EMPTY, LONG, shortened

LANGUAGE = "language"  # among the facts
NEEDED = (
    "bits per character",
    "perplexity",
    "texts",
)  # without these it is no finding of `replearn evaluate`
NONE = "–"


@dataclass(frozen=True)
class SmallTable:
    """A heading, columns, lines that begin with their names, and a sentence of how to read them."""

    title: str
    columns: list[str]
    lines: list[list[str]]
    note: str


@dataclass(frozen=True)
class LanguagePanel:
    """What the section shows.

    Attributes:
        numbers: number and unit, the large ones.
        note: which texts the numbers are of, and how to read them.
        tables: memory and overlap, where there was anything to count.
        written: texts by the model.
        written_note: how they were drawn.
    """

    numbers: list[tuple[str, str]]
    note: str
    tables: list[SmallTable]
    written: list[str]
    written_note: str


def language_panel(comparison: Comparison) -> LanguagePanel | None:
    """The section; None where no language model was judged."""
    facts = comparison.facts.get(LANGUAGE)
    if not isinstance(facts, Mapping) or any(name not in facts for name in NEEDED):
        return None
    written = facts.get("written", {})  # older evaluations have none
    tables = [_memory(facts), _overlap(facts)]
    return LanguagePanel(
        [
            (_number(facts["bits per character"], ".3f"), "bits per character"),
            (_number(facts["perplexity"], ",.1f"), "perplexity per token"),
        ],
        f"{judged_texts(facts, len(comparison.test))} Less is better: bits per character compare any models on the "
        "same texts, perplexities only those of models with the same tokens.",
        [table for table in tables if table.lines],
        [shortened(text, length=LONG) or EMPTY for text in written.get("texts", [])],
        f"Written from nothing: each token is drawn with the probability that the model gives it, until the text ends "
        f"or has {written.get('tokens')} tokens. These are the first ones drawn.",
    )


def judged_texts(facts: Mapping[str, Any], total: int) -> str:
    """Which texts bits and perplexity are of, as a sentence.

    >>> judged_texts({"texts": 3, "held out": True}, 5)
    'Of the first 3 of 5 test texts, which are held out: the run learned from the training part.'
    """
    count = facts["texts"]
    texts = (
        f"Of {count:,} test texts" if count >= total else f"Of the first {count:,} of {total:,} test texts"
    )
    if facts.get("held out"):
        return f"{texts}, which are held out: the run learned from the training part."
    return f"{texts}, some of which the run may have seen: it did not learn from exactly this training part."


def _memory(facts: Mapping[str, Any]) -> SmallTable:
    """Lines by measure and length of the beginning, columns by part."""
    rows = facts.get("memorization", [])
    found = {(row["part"], row["prefix"]): row for row in rows}
    parts = {row["part"]: f"{row['texts']} {row['part'].replace(' ', '-')}" for row in rows}
    prefixes = dict.fromkeys(row["prefix"] for row in rows)
    following = f"{facts['continued']} tokens" if "continued" in facts else "next tokens"
    lines = [
        [f"all {following}, after {prefix}", *(_exact(found[part, prefix]) for part in parts)]
        for prefix in prefixes
    ]
    lines += [
        [f"single tokens, after {prefix}", *(_share(found[part, prefix], "tokens right") for part in parts)]
        for prefix in prefixes
    ]
    note = (
        f"From the first tokens of {' and '.join(parts.values())} texts the model goes on with the most probable one "
        "each time (in brackets: 95 % interval). What it gets right more often in training texts than in held-out "
        "ones, it has by heart; the rest is knowledge of the language."
    )
    if not facts.get("held out"):
        note += " But the run did not learn from exactly this training part: it may know texts of either part, or none."
    return SmallTable("What does it have by heart?", ["right, in percent", *parts], lines, note)


def _overlap(facts: Mapping[str, Any]) -> SmallTable:
    """A line per length of n-grams."""
    lines = [
        [f"{row['length']} words", f"{row['n-grams']:,}", _share(row, "seen"), _share(row, "texts")]
        for row in facts.get("overlap", [])
        if row["n-grams"]
    ]
    return SmallTable(
        "What do both parts share?",
        ["runs of", "in test texts", "% also in training texts", "% of test texts with one"],
        lines,
        "Runs of words of test texts that stand word for word in training texts: where there are many, the numbers "
        "above tell of repetition as well.",
    )


def _exact(row: Mapping[str, Any]) -> str:
    """The share of texts, and its interval."""
    found = _share(row, "exact")
    return found if found == NONE else f"{found} ({_share(row, 'low')} to {_share(row, 'high')})"


def _share(row: Mapping[str, Any], name: str) -> str:
    """In percent, without the sign; a dash where there is none."""
    return _number(row.get(name), ".1%").removesuffix("%")


def _number(value: Any, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) and math.isfinite(value) else NONE
