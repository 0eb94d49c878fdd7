"""Files of labelled texts for tasks: pairs of texts, tags of words, spans in texts.

    read_pairs -> first texts, second texts, targets
    read_tags  -> words of each sentence, tags of each sentence
    read_spans -> texts, spans (start, end, label) of each text

An error names the file and the line.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from replearn.data.records import (
    as_text,
    check_columns,
    column_names,
    is_json_lines,
    records,
    typed,
    whole_lines,
)
from replearn.data.text_store import Notes
from replearn.data.told import warn_of_data

log = logging.getLogger("replearn")

LabelledSpan = tuple[int, int, str]

# Names that columns go by; the first that a file has counts.
FIRST_TEXTS = ("a", "text_a", "sentence_a", "sentence1", "text1", "premise", "question1")
SECOND_TEXTS = ("b", "text_b", "sentence_b", "sentence2", "text2", "hypothesis", "question2")
TARGETS = ("target", "label", "score", "relatedness", "similarity", "entailment")
LABELS = ("label", "slot", "type")  # of a span
# The columns of CoNLL-U, https://universaldependencies.org/format.html
CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
DOCUMENT = "-DOCSTART-"  # stands for a sentence between two documents
GAP = re.compile("[ \t]+")


def read_pairs(
    path: str | Path, *, a: str | None = None, b: str | None = None, target: str | None = None
) -> tuple[list[str], list[str], list[Any]]:
    """Pairs of texts, and what is known of each pair.

    Args:
        path: a CSV, TSV, JSON-lines or Parquet file, one pair per row; quotes in a TSV file are characters.
        a, b: columns of the first and the second text. Without it, the first that the file has of `a`, `text_a`,
            `sentence_a`, `sentence1`, ...
        target: column of the targets. Without it, the first of `target`, `label`, `score`, `relatedness`, ...

    Returns:
        First texts, second texts, and targets: numbers if all of them are, else names; None where there is none.

    Raises:
        ValueError: no such file or column, a row that cannot be read, a text that is none, or no row.
    """
    path = Path(path).expanduser()
    asked = ((a, FIRST_TEXTS, "a"), (b, SECOND_TEXTS, "b"), (target, TARGETS, "target"))
    wanted = [_column(path, *choice) for choice in asked]
    notes, first, second, targets = Notes(), [], [], []
    for place, (one, other, aim) in records(path, wanted):
        first.append(_text(path, place, one, notes))
        second.append(_text(path, place, other, notes))
        targets.append(_text(path, place, aim, notes) if isinstance(aim, str) else aim)
    _end(path, len(first), notes, "pair")
    found = typed(path, targets)
    unknown = sum(value is None for value in found)
    if unknown:
        log.warning("%s: %d of %d pairs have no target", path, unknown, len(found))
    return first, second, found


def read_tags(
    path: str | Path, *, column: int | str | None = None
) -> tuple[list[list[str]], list[list[str]]]:
    """The words of each sentence and their tags, from a CoNLL or CoNLL-U file.

    Columns are separated by tabs, in lines without a tab by spaces; a blank line ends a sentence. A line that begins
    with `#` and holds no tab is a comment if a space or nothing but this word follows (`#tag O` is none).

    Args:
        path: a `.conllu` file, in which words are in the second column, and ranges (`1-2`) and empty nodes (`1.1`) are
            left out; or any other, in which words are in the first.
        column: of the tags: its number from 0, or from the end if negative; or its name in CoNLL-U (`upos`, `xpos`,
            `feats`, `deprel`, ...). Without it, `upos` or the last.

    Returns:
        A list of words and a list of tags for each sentence, equally long.

    Raises:
        ValueError: no such file or column, a line with too few columns, or no sentence.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f"a file of tags must exist; got {str(path)!r}.")
    universal = path.name.lower().endswith((".conllu", ".conllu.gz"))
    at, notes = _tag_column(column, universal), Notes()
    words: list[list[str]] = [[]]
    tags: list[list[str]] = [[]]
    for place, cells in _token_lines(path, notes):
        if not cells:
            if words[-1]:
                words.append([])
                tags.append([])
            continue
        if universal and not cells[0].isdigit():
            if not re.fullmatch(r"\d+[-.]\d+", cells[0]):
                raise ValueError(f"{path}, {place}, must begin with the number of a word; got {cells[0]!r}.")
            continue
        if len(cells) < max(2, at + 1, -at):
            raise ValueError(
                f"{path}, {place}, must hold a word and a tag in column {at}; got {len(cells)} columns, "
                f"{cells[0]!r:.60}."
            )
        words[-1].append(cells[1 if universal else 0])
        tags[-1].append(cells[at])
    kept = [i for i, sentence in enumerate(words) if sentence and sentence[0] != DOCUMENT]
    _end(path, len(kept), notes, "sentence")
    return [words[i] for i in kept], [tags[i] for i in kept]


def read_spans(
    path: str | Path, *, text: str = "text", spans: str = "spans"
) -> tuple[list[str], list[list[LabelledSpan]]]:
    """Texts and the labelled spans in each, from a file of JSON lines.

    A line is `{"text": "Two at eight", "spans": [{"start": 7, "end": 12, "label": "time"}]}`; `slot` or `type` will do
    for `label`. A span is the characters from `start` up to, not with, `end`.

    Args:
        path: a JSON-lines file.
        text, spans: what they are called in it.

    Returns:
        Texts, and the spans `(start, end, label)` of each, by their place.

    Raises:
        ValueError: no such file, a line that is no JSON or lacks something, a span that is empty or does not lie in its
            text, or no text.
    """
    path = Path(path).expanduser()
    if not path.is_file() or not is_json_lines(path):
        raise ValueError(f"a file of spans must exist and end in .jsonl; got {str(path)!r}.")
    notes, texts, found = Notes(), [], []
    for place, (content, given) in records(path, [text, spans]):
        texts.append(_text(path, place, content, notes))
        if not isinstance(given, list):
            raise ValueError(
                f"{path}, {place}, must have a list of spans under {spans!r}; got {given!r:.60}."
            )
        found.append(sorted(_span(path, place, span, texts[-1]) for span in given))
    _end(path, len(texts), notes, "text")
    return texts, found


def _column(path: Path, given: str | None, known: tuple[str, ...], option: str) -> str:
    """The column that is given, or the first known one that the file has."""
    if not path.is_file():
        raise ValueError(f"a file of pairs must exist; got {str(path)!r}.")
    if given is not None:
        check_columns(path, [given])
        return given
    there = column_names(path)
    for name in known:
        if name in there:
            return name
    raise ValueError(
        f"{path} must have a column {', '.join(known[:4])}, ..., or {option}= must name it; "
        f"it has {', '.join(map(repr, there[:10])) or 'none'}."
    )


def _text(path: Path, place: str, value: Any, notes: Notes) -> str:
    if value is None:
        raise ValueError(f"{path}, {place}, must hold a text; it holds none.")
    return as_text(path, place, value, notes)


def _end(path: Path, found: int, notes: Notes, what: str) -> None:
    if not found:
        raise ValueError(f"{path} must hold at least one {what}; it holds none.")
    if notes.told():
        warn_of_data(f"{path}: {notes.told()}", strict=False)


def _tag_column(column: int | str | None, universal: bool) -> int:
    """The number of the column of tags."""
    if column is None:
        return CONLLU.index("upos") if universal else -1
    if isinstance(column, int):
        return column
    if not universal or column.lower() not in CONLLU:
        names = f"one of {', '.join(CONLLU)}" if universal else "a number, since names are for .conllu files"
        raise ValueError(f"column must be {names}; got {column!r}.")
    return CONLLU.index(column.lower())


def _token_lines(path: Path, notes: Notes) -> Iterator[tuple[str, list[str]]]:
    """The cells of each line that is no comment; none of a blank one."""
    for number, content in enumerate(whole_lines(path), start=1):
        place = f"line {number}"
        line = as_text(path, place, content.decode("utf-8", "surrogateescape"), notes).strip("\r\n")
        if not line.strip(" \t"):
            yield place, []
        elif "\t" in line:
            yield place, line.split("\t")
        elif not re.match(r"#(\s|[^\s]*$)", line):
            yield place, GAP.split(line.strip())


def _span(path: Path, place: str, span: Any, text: str) -> LabelledSpan:
    """A span that is checked."""
    if not isinstance(span, dict) or not {"start", "end"} <= set(span):
        raise ValueError(f"{path}, {place}, must have spans with start, end and label; got {span!r:.80}.")
    start, end, label = (
        span["start"],
        span["end"],
        next((span[name] for name in LABELS if name in span), None),
    )
    if not isinstance(label, str):
        raise ValueError(f"{path}, {place}, must have spans with a label that is a text; got {span!r:.80}.")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise ValueError(
            f"{path}, {place}, must have spans of at least one character within the text, of {len(text)}; "
            f"got start {start!r:.20}, end {end!r:.20}."
        )
    return start, end, label
