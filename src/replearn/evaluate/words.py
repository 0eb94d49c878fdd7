"""Do vectors of words know what people know? Similarity of pairs, and analogies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.stats import spearmanr

from replearn.evaluate.checks import Array

CHUNK = 2**22  # similarities held at once


@dataclass(frozen=True)
class WordSimilarity:
    """How a table of words orders pairs, beside people.

    Attributes:
        correlation: Spearman's, of cosines and people's scores, over the pairs whose words are both known.
        known: share of the pairs whose words are both known.
        pairs: number of all pairs.
    """

    correlation: float
    known: float
    pairs: int


@dataclass(frozen=True)
class Analogies:
    """How many questions `a is to b as c is to ?` are answered.

    Attributes:
        accuracy: share of right answers among the questions whose four words are known; NaN where there is none.
        known: share of the questions whose four words are known.
        questions: number of all questions.
        sections: accuracy by section, of those with known questions.
    """

    accuracy: float
    known: float
    questions: int
    sections: Mapping[str, float]


def word_similarity(
    words: Sequence[str], vectors: Array, pairs: Sequence[tuple[str, str, float]]
) -> WordSimilarity:
    """Spearman's correlation of cosines with people's scores.

    Words are looked up as they are and, if that fails, in lower case. Pairs with an unknown word are left out and
    counted: tables of other words are compared by both numbers.

    Args:
        words: spelled.
        vectors: one row per word; a row of zeros is no vector.
        pairs: two words and a score, of `read_word_pairs` say.

    Raises:
        ValueError: words and vectors do not pair up, or fewer than 3 pairs are known.

    Reference: Finkelstein et al., "Placing search in context", ACM TOIS 2002 (WordSim-353);
        Hill et al., Computational Linguistics 2015 (SimLex-999). https://aclanthology.org/J15-4004

    >>> vectors = np.array([[1.0, 0.0], [1.0, 0.1], [1.0, 1.0], [0.0, 1.0]])
    >>> word_similarity(["a", "b", "c", "d"], vectors, [("a", "b", 9), ("a", "c", 5), ("A", "d", 1)]).correlation
    1.0
    """
    index, unit = _table(words, vectors)
    found = [(_row(index, a), _row(index, b), score) for a, b, score in pairs]
    known = [(a, b, score) for a, b, score in found if a is not None and b is not None]
    if len(known) < 3:
        raise ValueError(
            f"word similarity needs at least 3 pairs of known words; {len(known)} of {len(pairs)} are known. "
            "Train on more text, or on text that has these words."
        )
    first, second = unit[[a for a, _, _ in known]], unit[[b for _, b, _ in known]]
    correlation = spearmanr((first * second).sum(1), [score for *_, score in known]).statistic
    return WordSimilarity(float(correlation), len(known) / len(pairs), len(pairs))


def analogies(
    words: Sequence[str],
    vectors: Array,
    sections: Mapping[str, Sequence[tuple[str, str, str, str]]],
    *,
    most: int | None = 30_000,
) -> Analogies:
    """Share of questions whose answer is the nearest word to `b - a + c`, of vectors of length 1 (3CosAdd).

    The three words of the question are no answers. Words are looked up as they are and, if that fails, in lower case.
    A table of little text answers hardly any: what it does not know is counted, and what it guesses is near 0.

    Args:
        words: spelled, most frequent first where `most` is to mean something.
        vectors: one row per word; a row of zeros is no vector.
        sections: questions by section, of `read_analogies` say.
        most: answers are looked for among so many words, the first; None: among all.

    Raises:
        ValueError: words and vectors do not pair up.

    Reference: Mikolov et al., ICLR 2013 workshop, section 4. https://arxiv.org/abs/1301.3781

    >>> vectors = np.array([[3.0, 0.1], [1.0, 0.1], [3.0, 2.1], [1.0, 2.0]])
    >>> analogies(["king", "man", "queen", "woman"], vectors, {"sex": [("man", "king", "woman", "queen")]}).accuracy
    1.0
    """
    index, unit = _table(words[:most], np.asarray(vectors)[:most])
    right: dict[str, list[bool]] = {}
    for section, questions in sections.items():
        rows = [[_row(index, word) for word in question] for question in questions]
        known = [row for row in rows if None not in row]
        if known:
            right[section] = _answered(unit, np.array(known, dtype=np.int64)).tolist()
    every = [answer for answers in right.values() for answer in answers]
    total = sum(len(questions) for questions in sections.values())
    return Analogies(
        accuracy=float(np.mean(every)) if every else float("nan"),
        known=len(every) / max(1, total),
        questions=total,
        sections={section: float(np.mean(answers)) for section, answers in right.items()},
    )


def read_word_pairs(path: str | Path) -> list[tuple[str, str, float]]:
    """Pairs and scores: a line each, two words and a number, by tabs, commas or spaces; `#` begins a comment.

    A first line that holds no number is taken for the columns' names.

    Raises:
        ValueError: a line holds something else.
    """
    found = []
    for number, line in enumerate(_content(path)):
        parts = line.replace(",", "\t").split("\t") if "\t" in line or "," in line else line.split()
        try:
            first, second, score = parts[0].strip(), parts[1].strip(), float(parts[2])
        except (IndexError, ValueError) as error:
            if number == 0 and len(parts) >= 3:
                continue
            raise ValueError(
                f"each line of {path} must hold two words and a number; got {line[:60]!r}. Correct the line."
            ) from error
        found.append((first, second, score))
    return found


def read_analogies(path: str | Path) -> dict[str, list[tuple[str, str, str, str]]]:
    """Questions by section: `: section`, then lines of four words.

    Raises:
        ValueError: a line holds something else.
    """
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    section = "all"
    for line in _content(path):
        if line.startswith(":"):
            section = line[1:].strip()
            continue
        parts = line.split()
        if len(parts) != 4:
            raise ValueError(
                f"each line of {path} must hold four words; got {line[:60]!r}. Correct the line."
            )
        found.setdefault(section, []).append((parts[0], parts[1], parts[2], parts[3]))
    return found


def _content(path: str | Path) -> list[str]:
    source = Path(path)
    if not source.is_file():
        raise ValueError(f"a test of words must lie in a file; {source} is none. Check the path.")
    lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _table(words: Sequence[str], vectors: Array) -> tuple[dict[str, int], Float[np.ndarray, "n d"]]:
    """Rows of the words that have vectors, and vectors of length 1."""
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or len(rows) != len(words):
        raise ValueError(
            f"vectors must be rows, one for each of the {len(words)} words; got {rows.shape}. Pass both of one table."
        )
    lengths = np.linalg.norm(rows, axis=1)
    index = {word: i for i, word in reversed(list(enumerate(words))) if lengths[i] > 0}
    return index, rows / np.maximum(lengths, 1e-12)[:, None]


def _row(index: Mapping[str, int], word: str) -> int | None:
    return index.get(word, index.get(word.lower()))


def _answered(unit: Float[np.ndarray, "n d"], questions: np.ndarray) -> np.ndarray:
    """Whether each question, rows (q, 4), is answered."""
    step = max(1, CHUNK // len(unit))
    found = [_answers(unit, questions[i : i + step]) for i in range(0, len(questions), step)]
    right: np.ndarray = np.concatenate(found) == questions[:, 3]
    return right


def _answers(unit: Float[np.ndarray, "n d"], questions: np.ndarray) -> np.ndarray:
    a, b, c = (unit[questions[:, i]] for i in range(3))
    cosines = (b - a + c) @ unit.T  # (q, n)
    np.put_along_axis(cosines, questions[:, :3], -np.inf, axis=1)
    answers: np.ndarray = cosines.argmax(axis=1)
    return answers
