"""What `replearn evaluate` tells of a language model: what it knows of other texts, has by heart, and writes."""

from typing import Any

LONGEST = 32  # tokens of a prefix
CONTINUED = 16  # tokens that must be right
TEXTS = 100  # of each part
CHARACTERS = 500_000  # of the test part that are read
WRITTEN = 3  # texts
TOKENS = 40  # of a written text, at most
COLUMNS = 80  # of a terminal


def language_facts(method: Any, train: Any, test: Any, *, random_state: int = 0) -> dict[str, Any]:
    """Bits per character and perplexity of the test part, the check of memory, what both parts share, some writing.

    Empty for what is no language model. `held out` tells whether the run learned from exactly this training part, so
    that the test part is new to it.
    """
    from replearn.data import TextSamples, describe
    from replearn.evaluate import overlap
    from replearn.methods.language.text_scores import TextScores

    if not isinstance(method, TextScores) or not isinstance(test, TextSamples):
        return {}
    texts = _first(test.texts, CHARACTERS)
    return {
        "held out": describe(train).fingerprint == method.samples_.fingerprint,  # type: ignore[attr-defined]
        "texts": len(texts),
        "bits per character": method.bits_per_character(texts),
        "perplexity": method.perplexity(texts),
        "memorization": _by_heart(method, train.texts, test.texts, random_state),
        "continued": CONTINUED,
        "overlap": overlap(train.texts, texts).to_dict("records"),
        "written": {
            "tokens": TOKENS,
            "seed": random_state,
            "texts": method.generate(n=WRITTEN, tokens=TOKENS, random_state=random_state),
        },
    }


def print_language(facts: dict[str, Any]) -> None:
    """Print in 80 columns what `language_facts` found, if anything."""
    from replearn.report.excerpts import EMPTY, shortened
    from replearn.report.table import printable

    if not facts:
        return
    known = "which are held out" if facts["held out"] else "of which the run may have seen some"
    print(
        f"{facts['bits per character']:.3f} bits per character, perplexity {facts['perplexity']:,.1f} per token,\n"
        f"  of {facts['texts']:,} test texts, {known}"
    )
    for row in facts["memorization"]:
        print(
            f"by heart, {row['part']}, {CONTINUED} tokens after {row['prefix']}: {row['exact']:.1%} of texts, "
            f"{row['tokens right']:.1%} of tokens"
        )
    for row in facts["overlap"]:
        if row["n-grams"]:
            print(
                f"{row['seen']:.1%} of the test texts' {row['length']}-grams of words also occur in the training texts"
            )
    print(f"it writes, from nothing, {facts['written']['tokens']} tokens at most:")
    for text in facts["written"]["texts"]:
        print(f"  {_fitting(printable(shortened(text, length=COLUMNS - 2)) or EMPTY, COLUMNS - 2)}")


def _by_heart(method: Any, train: Any, test: Any, random_state: int) -> list[dict[str, Any]]:
    """The check of memory with prefixes that fit in the model and in texts; nothing where none does."""
    from replearn.evaluate import memorization

    longest = min(LONGEST, method.context - CONTINUED)
    while longest >= 1:
        try:
            found = memorization(
                method,
                train,
                test,
                prefixes=sorted({max(1, longest // 4), longest}),
                length=CONTINUED,
                texts=TEXTS,
                random_state=random_state,
            )
        except ValueError:  # texts are shorter
            longest //= 2
            continue
        return [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]
    return []


def _first(texts: Any, characters: int) -> list[str]:
    """Texts until there are enough characters, at least one."""
    found: list[str] = []
    for text in texts:
        if found and characters <= 0:
            break
        found.append(text)
        characters -= len(text)
    return found


def _fitting(text: str, columns: int) -> str:
    """The text in so many columns: some characters take two."""
    from rich.text import Text

    line = Text(text)
    line.truncate(columns, overflow="ellipsis")
    return line.plain
