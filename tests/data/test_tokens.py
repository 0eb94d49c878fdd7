"""Texts as one row of tokens on disk, and windows of it."""

import tracemalloc

import numpy as np
import pytest

pytest.importorskip("tokenizers")

from replearn.data import TextSamples, TokenWindows, as_samples, token_stream, tokens, train_tokenizer
from replearn.data.tokenizer import LAST, UNKNOWN

TEXTS = ["to be or not", "", "to be", "☃ is unknown here"]


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["to be or not to be"], "characters")


@pytest.mark.parametrize("kind", ["bpe", "words", "characters"])
def test_a_stream_is_all_texts_in_order(kind):
    tokenizer = train_tokenizer(TEXTS[:3], kind, size=300)
    stream = token_stream(TextSamples(TEXTS), tokenizer)
    end = tokenizer.special(LAST)
    assert stream.ids.tolist() == [i for ids in tokenizer.encode(TEXTS) for i in (*ids, end)]
    starts = [0, *stream.ends[:-1]]
    pieces = [stream.ids[a:b].tolist() for a, b in zip(starts, stream.ends, strict=True)]
    assert pieces == [[*ids, end] for ids in tokenizer.encode(TEXTS)]
    assert stream.ids.dtype == np.int32


def test_only_unknown_texts(tokenizer):
    stream = token_stream(TextSamples(["日本", "語"]), tokenizer)
    unknown, end = tokenizer.special(UNKNOWN), tokenizer.special(LAST)
    assert stream.ids.tolist() == [unknown, unknown, end, unknown, end]


@pytest.mark.parametrize(("texts", "characters"), [(1, 10**6), (3, 10**6), (1024, 1), (1024, 13)])
def test_parts_do_not_show(tokenizer, monkeypatch, texts, characters):
    monkeypatch.setattr(tokens, "TEXTS_AT_ONCE", texts)
    monkeypatch.setattr(tokens, "CHARACTERS_AT_ONCE", characters)
    encoded = []
    monkeypatch.setattr(
        type(tokenizer), "encode", lambda self, part: encoded.append(part) or [[7]] * len(part)
    )
    stream = token_stream(TextSamples(TEXTS), tokenizer)
    assert [text for part in encoded for text in part] == TEXTS
    assert max(map(len, encoded)) <= texts
    assert all(sum(map(len, part[:-1])) < characters for part in encoded)
    assert stream.ids.tolist() == [7, 3] * 4


def test_the_cache_is_used_again(tokenizer, monkeypatch):
    samples = TextSamples(TEXTS)
    first = token_stream(samples, tokenizer)
    monkeypatch.setattr(tokens, "_write", None)
    again = token_stream(TextSamples(list(TEXTS)), tokenizer)
    assert again.ids.tolist() == first.ids.tolist()
    with pytest.raises(TypeError):  # other texts, or the same in another order, or another tokenizer
        token_stream(samples.subset([1, 0, 2, 3]), tokenizer)
    with pytest.raises(TypeError):
        token_stream(samples, train_tokenizer(TEXTS, "words"))


def test_texts_of_a_file_are_known_by_the_file(tokenizer, tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("to be\nor not\n")
    first = token_stream(as_samples(path), tokenizer)
    monkeypatch.setattr(tokens, "_write", None)
    assert token_stream(as_samples(path), tokenizer).ids.tolist() == first.ids.tolist()
    part = as_samples(path).subset([1])
    with pytest.raises(TypeError):
        token_stream(part, tokenizer)


@pytest.mark.parametrize("total", [1, 2, 6, 7, 8, 9, 100])
@pytest.mark.parametrize(("length", "step"), [(1, None), (3, None), (3, 1), (4, 2), (7, None), (200, None)])
def test_windows_cover_everything(total, length, step):
    stream = tokens.TokenStream(np.arange(total, dtype=np.int32), np.array([total]))
    windows = TokenWindows(stream, length, step=step)
    x = windows[np.arange(len(windows))].x
    assert x.shape == (len(windows), min(length, total))
    assert windows.shape == x.shape[1:]
    assert set(x.flatten().tolist()) == set(range(total))
    assert (x.diff(dim=1) == 1).all()
    if step is None:
        assert len(windows) == -(-total // min(length, total))
    batch = windows[np.array([len(windows) - 1, 0])]
    assert batch.x[1, 0] == 0
    assert batch.x[0, -1] == total - 1
    assert batch.index.tolist() == [len(windows) - 1, 0]


@pytest.mark.parametrize("total", [1, 6, 7, 8, 100])
def test_windows_that_are_moved_begin_so_much_later(total):
    stream = tokens.TokenStream(np.arange(total, dtype=np.int32), np.array([total]))
    windows = TokenWindows(stream, 7)
    n, last = len(windows), max(0, total - 7)
    for moved in range(windows.moves):
        first = windows[moved * n + np.arange(n)].x[:, 0].tolist()
        assert first == [min(start + moved, last) for start in windows.starts.tolist()]


def test_windows_are_samples(tokenizer):
    windows = TokenWindows(token_stream(TextSamples(TEXTS * 9), tokenizer), 8)
    assert windows.kind == "tokens"
    assert windows.fingerprint() == windows.fingerprint()
    part = windows.subset([2, 1])
    assert part[np.array([0])].x.tolist() == windows[np.array([2])].x.tolist()


def test_entropy_is_that_of_the_counts(tokenizer):
    stream = tokens.TokenStream(np.array([0, 0, 1, 3], dtype=np.int32), np.array([4]))
    assert stream.entropy() == pytest.approx(1.5 * np.log(2))


def test_memory_is_bounded(tokenizer, tmp_path):
    """Half a million tokens; a list of them would take 4 MB."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"to be or not to be or not to be\n" * 15_000)
    samples = as_samples(path)
    tracemalloc.start()
    try:
        stream = token_stream(samples, tokenizer)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(stream.ids) == 15_000 * 32
    assert peak < 1.5e6  # where each of 15,000 texts ends, twice, and 1,024 texts with their tokens
