"""Samples that are texts behave as samples do."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from replearn.comparison.rows import raw_input
from replearn.data import TextSamples, as_samples
from replearn.data.text import StoredTexts

WORDS = ["to be", "or not", "to be ☃", "", "or\nnot"]


def stored(tmp_path, key=""):
    path = tmp_path / "texts"
    path.write_bytes("".join(WORDS).encode())
    return StoredTexts(path, np.cumsum([len(word.encode()) for word in WORDS]), key=key)


@pytest.mark.parametrize(
    "data",
    [
        WORDS,
        tuple(WORDS),
        np.array(WORDS),
        np.array(WORDS, dtype=object),
        pd.Series(WORDS, index=list("abcde")),
    ],
    ids=["list", "tuple", "array", "objects", "series"],
)
def test_strings_are_texts(data):
    samples = as_samples(data, ["x", "y", None, "x", "x"])
    assert isinstance(samples, TextSamples)
    assert list(samples[np.arange(5)].x) == WORDS
    assert {type(text) for text in samples[np.arange(5)].x} == {str}
    assert samples.labels.tolist() == [0, 1, -1, 0, 0]
    assert samples.shape == ()


@pytest.mark.parametrize("data", [[], [""], ["", " \n"], ["a", None], pd.Series(["a", np.nan])])
def test_what_is_no_text(data):
    with pytest.raises(ValueError, match=r"must hold at least one|number 1 is"):
        as_samples(data)


@pytest.mark.parametrize("kind", ["memory", "stored"])
def test_samples(tmp_path, kind):
    samples = TextSamples(WORDS if kind == "memory" else stored(tmp_path), np.array([0, 1, 0, -1, 1]))
    batch = samples[np.array([4, 0])]
    assert list(batch.x) == [WORDS[4], WORDS[0]]
    assert batch.labels.tolist() == [1, 0]
    assert list(batch.rows(1, 2).x) == [WORDS[0]]
    part = samples.subset([4, 2, 0]).subset(np.array([True, False, True]))
    assert list(part.texts) == [WORDS[4], WORDS[0]]
    assert part[np.array([1])].index.tolist() == [1]
    assert part.texts[0:1] == [WORDS[4]]
    assert samples.fingerprint() == TextSamples(WORDS, samples.labels).fingerprint()
    assert samples.fingerprint() != TextSamples(WORDS).fingerprint()
    assert samples.fingerprint() != TextSamples([*WORDS[:4], "or nor"], samples.labels).fingerprint()
    assert copy.copy(samples).texts is samples.texts


def test_stored_texts(tmp_path):
    texts = stored(tmp_path)
    assert list(texts) == WORDS
    assert texts[-1] == WORDS[-1]
    assert texts[1:3] == WORDS[1:3]
    with pytest.raises(IndexError):
        texts[5]
    again = pickle.loads(pickle.dumps(texts))
    texts.path.unlink()
    assert list(texts) == list(again) == WORDS  # held open


def test_content_hash(tmp_path):
    plain, kept = TextSamples(WORDS), TextSamples(stored(tmp_path))
    assert plain.content_hash() == kept.content_hash()
    assert plain.subset([1, 0]).content_hash() == TextSamples([WORDS[1], WORDS[0]]).content_hash()
    keyed = TextSamples(stored(tmp_path, "key"))
    hashes = [
        keyed.content_hash(),
        TextSamples(stored(tmp_path, "other")).content_hash(),
        keyed.subset([0, 1]).content_hash(),
        keyed.subset([1, 0]).content_hash(),
        plain.content_hash(),
        TextSamples(["to be", "or not"]).content_hash(),
        TextSamples(["to be\0or not"]).content_hash(),
    ]
    assert len(set(hashes)) == len(hashes)
    assert keyed.subset([1, 2]).subset([0]).content_hash() == keyed.subset([1]).content_hash()


def test_raw_input_is_bags_of_words():
    samples = as_samples(["to be or", "be or to", "not", "?"] * 5, [0, 0, 1, 1] * 5)
    train, test = samples.subset(np.arange(16)), samples.subset(np.arange(16, 20))
    rows = raw_input(train, test)
    assert rows.train.shape == (16, 4096)
    both = samples.flat()
    np.testing.assert_array_equal(both[0], both[1])
    assert both[0] @ both[2] == 0
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), [1, 1, 1, 0] * 5, rtol=1e-6)


def test_other_labels_leave_the_samples_alone():
    samples = as_samples(WORDS)
    assert as_samples(samples, [1, 2, 3, 4, 5]).labels.tolist() == [1, 2, 3, 4, 5]
    assert samples.labels is None
