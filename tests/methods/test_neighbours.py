"""What is nearest to a sample, or to a word: exact, against a slow search."""

import numpy as np
import pytest

from made_texts import made_texts
from replearn.methods import Autoencoder, Frozen, NGram, Word2Vec
from replearn.methods.neighbours import nearest_rows


def slow(queries, among, k):
    found = []
    for a in queries:
        cosines = [float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) or 1)) for b in among]
        found.append(sorted(range(len(among)), key=lambda i: (-round(cosines[i], 5), i))[:k])
    return found


def test_rows_are_those_of_a_slow_search(monkeypatch):
    draw = np.random.default_rng(0)
    queries, among = draw.normal(size=(7, 3)), draw.normal(size=(40, 3))
    among[5] = 0
    places, cosines = nearest_rows(queries, among, 6)
    assert places.tolist() == slow(queries, among, 6)
    assert (np.diff(cosines, axis=1) <= 0).all()
    monkeypatch.setattr("replearn.methods.neighbours.AT_ONCE", 80)
    np.testing.assert_array_equal(nearest_rows(queries, among, 6)[0], places)
    assert nearest_rows(queries, among, 99)[0].shape == (7, 40)
    assert nearest_rows(np.zeros((1, 3)), among, 1)[1].tolist() == [[0.0]]


TABLE = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
IMAGES = np.random.default_rng(0).integers(0, 255, (32, 8, 8), dtype=np.uint8)


@pytest.mark.parametrize(
    ("method", "X"),
    [
        (Autoencoder(encoder="linear", dim=3, epochs=1, batch_size=16), TABLE),
        (Autoencoder(encoder="mlp", dim=4, epochs=1, batch_size=16), IMAGES),
        (NGram(vocabulary=300, order=2), made_texts(32)),
        (Frozen(encoder="words"), made_texts(32)),
    ],
    ids=["table", "images", "counts", "texts"],
)
def test_samples_find_themselves_and_what_a_slow_search_finds(method, X):
    method.fit(X)
    places, cosines = method.neighbours(X[:5], X, k=4)
    h = method.transform(X)
    np.testing.assert_allclose(cosines[:, 0], 1, atol=1e-3)
    assert places.shape == (5, 4)
    assert places.tolist() == nearest_rows(h[:5], h, 4)[0].tolist()
    with pytest.raises(ValueError, match="k must be at least 1"):
        method.neighbours(X, X, k=0)
    if isinstance(X, list):
        assert method.neighbours(X[3], X, 1)[1][0, 0] == pytest.approx(1, abs=1e-3)


def test_words_near_a_word_and_near_a_text():
    method = Word2Vec(dim=8, epochs=2, least=1, sample=0, random_state=0)
    with pytest.raises(ValueError, match="fitted"):
        method.most_similar("cat")
    method.fit(made_texts(64))
    assert method.most_similar("cat", k=3) == method.words_.most_similar("cat", n=3)
    assert method.most_similar("Cat", k=3) == method.most_similar("cat", k=3)
    near = method.most_similar("the cat sat", k=4)
    assert len(near) == 4
    assert near[0][1] >= near[1][1]
    for query in ("catt", "", "zebra quagga"):
        with pytest.raises(ValueError, match="must be among the"):
            method.most_similar(query)
    with pytest.raises(ValueError, match="k must be at least 1"):
        method.most_similar("cat", k=0)
