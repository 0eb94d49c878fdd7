"""Queries of a table of words, and the files that other programs write and read."""

import numpy as np
import pytest
import torch

from replearn.encoders.word_files import read_word2vec, write_word2vec
from replearn.encoders.word_table import WordTable

WORDS = ["the", "king", "queen", "man", "woman", "Zürich", "nothing"]


@pytest.fixture
def table():
    vectors = torch.randn(len(WORDS), 5, generator=torch.Generator().manual_seed(0))
    vectors[-1] = 0
    return WordTable(WORDS, vectors)


def cosine(a, b):
    return float(a @ b / a.norm() / b.norm())


def test_most_similar_is_a_slow_search(table):
    known = {word: table.vectors[i] for i, word in enumerate(WORDS[:-1])}
    wanted = sorted(known.keys() - {"king"}, key=lambda word: -cosine(known[word], known["king"]))
    found = table.most_similar("king", n=10)
    assert [word for word, _ in found] == wanted  # neither the word itself nor one without a vector
    assert found[0][1] == pytest.approx(cosine(known[wanted[0]], known["king"]), abs=1e-6)
    assert table.similarity("man", "king") == pytest.approx(cosine(known["man"], known["king"]), abs=1e-6)


def test_analogy_is_3_cos_add(table):
    unit = {word: row / row.norm() for word, row in zip(WORDS[:-1], table.vectors[:-1], strict=True)}
    goal = unit["king"] - unit["man"] + unit["woman"]
    wanted = max(unit.keys() - {"man", "king", "woman"}, key=lambda word: cosine(unit[word], goal))
    assert table.analogy("man", "king", "woman", n=1)[0][0] == wanted


def test_the_mean_is_over_known_words(table):
    ids, starts = torch.tensor([1, 6, 2, 6]), torch.tensor([0, 3, 3, 4])
    found = table.mean(ids, starts)
    torch.testing.assert_close(found[0], table.vectors[[1, 2]].mean(0))
    assert not found[1:].any()  # no text, an unknown word, no text


def test_words_come_back_with_the_weights(table):
    other = WordTable(["x"] * len(WORDS), torch.zeros(len(WORDS), 5))
    assert "king" not in other
    other.load_state_dict(table.state_dict())
    assert other.words == WORDS
    assert other.most_similar("king") == table.most_similar("king")


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("told", [False, True])
def test_files_are_read_as_written(table, binary, told, tmp_path):
    write_word2vec(table, tmp_path / "file", binary=binary)
    found = read_word2vec(tmp_path / "file", binary=binary if told else None)
    assert found.words == WORDS[:-1]  # a word without a vector is not written
    assert torch.equal(found.vectors, table.vectors[:-1])
    assert read_word2vec(tmp_path / "file", most=2).words == WORDS[:2]


def test_files_of_others_are_read(tmp_path):
    rows = np.arange(6, dtype="<f4").reshape(2, 3) + 0.5
    (tmp_path / "glove").write_text("a 0.5 1.5 2.5\nb c 3.5 4.5 5.5\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"2 3\na " + rows[0].tobytes() + b"b " + rows[1].tobytes())
    (tmp_path / "text").write_text("2 3\na 0.5 1.5 2.5 \nb 3.5 4.5 5.5 \n", encoding="utf-8")
    for name, words in (("glove", ["a", "b c"]), ("binary", ["a", "b"]), ("text", ["a", "b"])):
        found = read_word2vec(tmp_path / name)
        assert found.words == words
        np.testing.assert_array_equal(found.vectors.numpy(), rows)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds none"),
        (b"3 2\na 1 2\n", "It was cut off"),
        (b"1000000000000 300\na 1 2\n", "1,000,000,000,000 of 300 numbers; it has"),
        (b"2 1000000000000\na 1 2\n", "It was cut off"),
        (b"1 0\na\n", "It was cut off"),
        (b"2 2\na 1 2\nb nan 1\n", "1 words have others"),
        (b"2 2\na 1 2\nb 1\n", "2 numbers"),
        (b"a 1 2\nb 1 x\n", "2 numbers"),
        (b"\xff\xfe\x00" * 99, "numbers"),
    ],
)
def test_broken_files_are_told_in_one_line(content, says, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        read_word2vec(tmp_path / "file")
    assert len(str(error.value).splitlines()) == 1


def test_what_cannot_be_is_told(table, tmp_path):
    with pytest.raises(ValueError, match="Did you mean queen"):
        table.most_similar("quen")
    with pytest.raises(ValueError, match="'nothing' is not"):
        table.analogy("king", "queen", "nothing")
    with pytest.raises(ValueError, match="is none"):
        read_word2vec(tmp_path / "absent")
    with pytest.raises(ValueError, match="no spaces"):
        write_word2vec(WordTable(["a b"], torch.ones(1, 2)), tmp_path / "file")
    with pytest.raises(ValueError, match="2 words and 1 vectors"):
        WordTable(["a", "b"], torch.ones(1, 2))


@pytest.mark.parametrize("binary", [False, True])
def test_words_that_come_twice_count_once(tmp_path, binary, caplog):
    path = tmp_path / "w.txt"
    rows = [("b", [1.0, 2.0]), ("a", [3.0, 4.0]), ("b", [5.0, 6.0])]
    with path.open("wb") as file:
        file.write(b"3 2\n")
        for word, row in rows:
            numbers = np.array(row, "<f4").tobytes() if binary else " ".join(map(str, row)).encode()
            file.write(word.encode() + b" " + numbers + b"\n")
    table = read_word2vec(path, binary=binary)
    assert list(table.words) == ["b", "a"]
    assert table.vectors.tolist() == [[1, 2], [3, 4]]
    assert "1 of 3 lines repeat a word and are left out; the first of each counts: 'b'" in caplog.text
