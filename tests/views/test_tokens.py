"""Which tokens are hidden, and what stands in their place; pairs of parts of texts."""

import numpy as np
import pytest
import torch

from replearn.data.samples import Batch
from replearn.data.segments import SegmentPairs
from replearn.data.tokenizer import MASK, SPECIALS
from replearn.data.tokenizer_training import train_tokenizer
from replearn.data.tokens import TokenStream
from replearn.views.segments import NextSentence
from replearn.views.tokens import MaskTokens, mask_tokens

SPECIAL = (0, 1, 2, 3, 4)
SPLIT = MaskTokens(mask=4, size=60, special=SPECIAL)


def windows(n: int, t: int, low: int = 5) -> Batch:
    x = torch.from_numpy(np.random.default_rng(0).integers(low, 60, size=(n, t)))
    return Batch(x, torch.full((n,), -1), torch.arange(n))


def split(batch: Batch, view: MaskTokens = SPLIT) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    seen, places, hidden = view(batch)
    return seen.x, places.x, hidden.x


@pytest.mark.parametrize(("t", "count"), [(128, 19), (64, 10), (10, 2), (2, 1)])
def test_every_window_hides_as_many_and_tells_which(t: int, count: int) -> None:
    batch = windows(50, t)
    before = batch.x.clone()
    seen, places, hidden = split(batch)
    assert places.shape == hidden.shape == (50, count)
    assert (places.diff(dim=1) > 0).all()  # each place once
    assert torch.equal(hidden, before.gather(1, places))
    changed = seen != before
    assert not changed.scatter(1, places, False).any()  # nothing else is touched
    assert torch.equal(batch.x, before)


def test_of_the_hidden_eight_tenths_are_masked_and_a_tenth_swapped() -> None:
    seen, places, hidden = split(windows(2000, 64))
    shown = seen.gather(1, places)
    masked, kept = (shown == 4).double().mean(), (shown == hidden).double().mean()
    # 20,000 places: three standard deviations are 0.0085 and 0.0064. A swapped token is the same by chance: 1 in 55.
    assert abs(masked - 0.8) < 0.0085
    assert abs(kept - (0.1 + 0.1 / 55)) < 0.0065


def test_all_places_are_as_likely() -> None:
    _, places, _ = split(windows(4000, 20))
    counts = torch.bincount(places.flatten(), minlength=20) / 4000
    assert (counts - 0.15).abs().max() < 4 * (0.15 * 0.85 / 4000) ** 0.5


def test_no_special_token_is_put_in_and_all_others_are() -> None:
    special = (0, 17, 4, 30, 59)
    swapping = MaskTokens(mask=4, size=60, special=special, masked=0.0, swapped=1.0)
    seen, places, _ = split(windows(4000, 20), swapping)
    assert set(seen.gather(1, places).flatten().tolist()) == set(range(60)) - set(special)


def test_special_tokens_are_hidden_only_where_nothing_else_is_left() -> None:
    batch = windows(200, 20)
    batch.x[:, ::2] = 3
    _, _, hidden = split(batch)
    assert (hidden != 3).all()
    batch.x[:, 0], batch.x[:, 1:] = 7, 3
    _, places, hidden = split(batch)
    assert places.shape == (200, 3)
    assert (hidden != 3).sum() == 200


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_parts_of_a_batch_hide_what_the_whole_hides(cut: int) -> None:
    whole = windows(10, 40)
    expected = split(whole)
    for part in (whole.rows(0, cut), whole.rows(cut, 10)):
        rows = slice(part.start, part.start + len(part))
        assert all(torch.equal(a, b[rows]) for a, b in zip(split(part), expected, strict=True))


def test_another_draw_hides_others() -> None:
    batch = windows(10, 40)
    assert not torch.equal(SPLIT(batch)[1].x, SPLIT(batch)[1].x)


@pytest.mark.parametrize(
    "fields",
    [{"share": 0.0}, {"share": 1.5}, {"masked": 0.95}, {"swapped": -0.1}, {"special": tuple(range(60))}],
)
def test_shares_that_cannot_be_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="got"):
        MaskTokens(**{"mask": 4, "size": 60} | fields)  # type: ignore[arg-type]


def test_the_split_for_a_tokenizer() -> None:
    pytest.importorskip("tokenizers")
    tokenizer = train_tokenizer(["to be or not to be"], "words")
    view = mask_tokens(tokenizer, share=0.3)
    assert (view.mask, view.size) == (tokenizer.special(MASK), tokenizer.size)
    assert sorted(view.special) == sorted(tokenizer.special(name) for name in SPECIALS)
    assert (view.share, view.masked, view.swapped) == (0.3, 0.8, 0.1)


# Pairs of parts. Texts of 20, 4, 9 and 30 tokens with the mark of their end, 3; the ids of a text lie in a hundred.
LENGTHS = (20, 4, 9, 30)


def stream() -> TokenStream:
    parts = [[*(100 * (i + 1) + np.arange(length - 1)), 3] for i, length in enumerate(LENGTHS)]
    return TokenStream(np.concatenate(parts).astype(np.int32), np.cumsum(LENGTHS))


def test_pairs_lie_within_a_text_and_cover_it() -> None:
    pairs = SegmentPairs(stream(), 11)  # 8 tokens of content: the second text is too short
    x = pairs[np.arange(len(pairs))].x
    assert x.shape == (3 + 1 + 4, 8)
    assert (x != 3).all()
    assert torch.equal(x - x[:, :1], torch.arange(8).expand(8, 8))  # neighbours in the text
    texts = x[:, 0] // 100
    assert texts.tolist() == [1, 1, 1, 3, 4, 4, 4, 4]
    for text, length in ((1, 20), (3, 9), (4, 30)):
        assert set(x[texts == text].flatten().tolist()) == set(range(100 * text, 100 * text + length - 1))


def test_other_parts_are_of_other_texts_and_all_are_drawn() -> None:
    pairs = SegmentPairs(stream(), 11)
    for index in range(len(pairs)):
        drawn = (np.arange(1000) + 0.5) / 1000
        found = np.bincount(pairs.elsewhere(np.full(1000, index), drawn), minlength=8)
        own = slice(pairs.first[index], pairs.first[index] + pairs.count[index])
        assert (found[own] == 0).all()
        others = np.delete(found, np.arange(8)[own])
        assert others.max() - others.min() <= 1


def test_windows_of_next_sentences() -> None:
    pairs = SegmentPairs(stream(), 11)
    index = np.arange(400) % len(pairs)
    torch.manual_seed(0)
    windows, segments, follows = NextSentence(pairs, 1, 2)(pairs[index])
    x, yes = windows.x, follows.x.bool()
    assert x.shape == (400, 11)
    assert (x[:, [0, 5, 10]] == torch.tensor([1, 2, 2])).all()
    assert segments.x.unique(dim=0).tolist() == [[0] * 6 + [1] * 5]
    assert abs(yes.double().mean() - 0.5) < 0.08  # three standard deviations
    a, b = x[:, 4], x[:, 6]
    assert (b[yes] == a[yes] + 1).all()
    assert (b[~yes] // 100 != a[~yes] // 100).all()


@pytest.mark.parametrize("cut", [1, 5])
def test_parts_of_a_batch_have_the_pairs_of_the_whole(cut: int) -> None:
    pairs = SegmentPairs(stream(), 11)
    whole, view = pairs[np.arange(8)], NextSentence(pairs, 1, 2)
    torch.manual_seed(0)
    expected = view(whole)
    for part in (whole.rows(0, cut), whole.rows(cut, 8)):
        torch.manual_seed(0)
        for a, b in zip(view(part), expected, strict=True):
            assert torch.equal(a.x, b.x[part.start : part.start + len(part)])
