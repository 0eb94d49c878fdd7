"""Similarity of words beside people's scores, and analogies; by slow loops and made tables."""

import numpy as np
import pytest
from scipy.stats import rankdata

from replearn.evaluate.words import analogies, read_analogies, read_word_pairs, word_similarity

WORDS = ["the", "man", "woman", "king", "queen", "cat", "kitten", "unknown"]


@pytest.fixture
def vectors():
    """Axes: royal, female, cat, young, and a little of each word's own."""
    rows = np.zeros((8, 13))
    rows[:7, :4] = [
        *([0.1, 0.1, 0.1, 0.1], [0, -1, 0, 0], [0, 1, 0, 0], [2, -1, 0, 0], [2, 1, 0, 0]),
        *([0, 0, 2, -1], [0, 0, 2, 1]),
    ]
    rows[:7, 5:12] = 0.2 * np.eye(7)
    return rows


def test_similarity_is_spearmans_correlation_over_known_pairs(vectors):
    pairs = [("man", "woman", 3.0), ("King", "queen", 8.0), ("cat", "kitten", 9.0), ("cat", "man", 0.5)]
    found = word_similarity(WORDS, vectors, [*pairs, ("man", "unknown", 5.0), ("man", "absent", 5.0)])
    rows = dict(zip(WORDS, vectors, strict=True))
    cosines = [
        rows[a.lower()] @ rows[b] / np.linalg.norm(rows[a.lower()]) / np.linalg.norm(rows[b])
        for a, b, _ in pairs
    ]
    ranks = [rankdata(values) for values in (cosines, [score for *_, score in pairs])]
    assert found.correlation == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert (found.known, found.pairs) == (4 / 6, 6)


def test_analogies_are_counted_by_section(vectors):
    sections = {
        "sex": [("man", "woman", "king", "queen"), ("woman", "man", "queen", "king")],
        "young": [("cat", "kitten", "man", "queen"), ("cat", "kitten", "man", "boy")],
        "other": [("a", "b", "c", "d")],
    }
    found = analogies(WORDS, vectors, sections)
    assert found.sections == {"sex": 1.0, "young": 0.0}
    assert found.accuracy == pytest.approx(2 / 3)
    assert (found.known, found.questions) == (3 / 5, 5)
    assert np.isnan(analogies(WORDS, vectors, {"other": sections["other"]}).accuracy)
    assert analogies(WORDS, vectors, sections, most=4).known == 0  # queen is beyond


def test_files_are_read(tmp_path):
    pairs = "# a comment\nWord 1,Word 2,Human (mean)\n"
    (tmp_path / "pairs.csv").write_text(pairs + "love,sex,6.77\ntiger, cat,7.35\n", encoding="utf-8")
    (tmp_path / "pairs.tsv").write_text("# WS\n# more\nlove\tsex\t6.77\ntiger\tcat\t7.35\n", encoding="utf-8")
    for name in ("pairs.csv", "pairs.tsv"):
        assert read_word_pairs(tmp_path / name) == [("love", "sex", 6.77), ("tiger", "cat", 7.35)]
    (tmp_path / "questions").write_text(": one\na b c d\n: two\ne f g h\ni j k l\n", encoding="utf-8")
    found = read_analogies(tmp_path / "questions")
    assert found == {"one": [("a", "b", "c", "d")], "two": [("e", "f", "g", "h"), ("i", "j", "k", "l")]}


def test_what_cannot_be_is_told_in_one_line(vectors, tmp_path):
    (tmp_path / "broken").write_text("a b c\na b\n", encoding="utf-8")
    for call, says in (
        (lambda: word_similarity(WORDS, vectors, [("a", "b", 1.0)]), "0 of 1 are known"),
        (lambda: word_similarity(WORDS[:3], vectors, []), "each of the 3 words"),
        (lambda: read_word_pairs(tmp_path / "broken"), "two words and a number"),
        (lambda: read_analogies(tmp_path / "broken"), "four words"),
        (lambda: read_analogies(tmp_path / "absent"), "is none"),
    ):
        with pytest.raises(ValueError, match=says) as error:
            call()
        assert len(str(error.value).splitlines()) == 1
