"""Views of texts: what they keep, and that parts of a batch see what the whole sees."""

import pytest
import torch

from replearn.data import Batch, Texts
from replearn.views import Chain, DropWords, Pair, Same, Span, alike
from replearn.views.text import run_of_words

TEXTS = Texts([f"t{i} " + " ".join(f"w{i}.{j}" for j in range(3 * i)) for i in range(10)])
VIEWS = [Span(0.3, 0.7), DropWords(0.5), Chain(Span(0.5, 1.0), DropWords(0.1))]


def batch_of(texts: Texts) -> Batch:
    numbers = torch.arange(len(texts))
    return Batch(texts, numbers % 3, numbers)


def seen(view, batch, seed=0):
    torch.manual_seed(seed)
    return view(batch).x


@pytest.mark.parametrize("view", VIEWS, ids=repr)
def test_draws_are_a_function_of_the_seed_and_of_the_row_in_the_joined_batch(view):
    whole = batch_of(TEXTS)
    expected = seen(view, whole)
    assert seen(view, whole) == expected
    assert seen(view, whole, seed=1) != expected
    after = torch.rand(1)
    seen(view, whole.rows(2, 7), seed=1)
    assert torch.equal(torch.rand(1), after)
    assert seen(view, whole.rows(2, 7)) == expected[2:7]


@pytest.mark.parametrize("view", VIEWS, ids=repr)
def test_words_keep_their_order_and_one_is_left_at_least(view):
    for before, after in zip(TEXTS, seen(view, batch_of(TEXTS)), strict=True):
        rest = iter(before.split())
        assert after.split()
        assert all(word in rest for word in after.split())  # a subsequence


def test_a_span_is_a_run_of_the_share_that_was_drawn():
    batch = batch_of(Texts([" ".join(map(str, range(100)))] * 400))
    runs = [[int(word) for word in text.split()] for text in seen(Span(0.2, 0.6), batch)]
    assert all(run == list(range(run[0], run[-1] + 1)) for run in runs)
    lengths = torch.tensor([float(len(run)) for run in runs])
    assert lengths.min() >= 20
    assert lengths.max() <= 60
    assert abs(lengths.mean() - 40) < 2
    assert {0, 99} <= {run[0] for run in runs} | {
        run[-1] for run in runs
    }  # beginnings and ends are seen, too


def test_words_are_dropped_as_often_as_asked():
    batch = batch_of(Texts([" ".join(["w"] * 200)] * 50))
    kept = sum(len(text.split()) for text in seen(DropWords(0.3), batch)) / (50 * 200)
    assert abs(kept - 0.7) < 0.02


def test_texts_without_words_stay_as_they_are():
    batch = batch_of(Texts(["", "one"]))
    assert seen(DropWords(1.0), batch) == Texts(["", "one"])
    assert seen(Span(0.0, 0.0), batch) == Texts(["", "one"])
    assert run_of_words("a b", 1.0, 0.999) == "a b"


def test_the_same_text_twice_is_known_for_that():
    batch = batch_of(TEXTS)
    assert alike(Pair(Same())(batch))
    assert not alike(Pair(DropWords(0.5))(batch))


@pytest.mark.parametrize("wrong", [lambda: Span(0.7, 0.2), lambda: Span(0.5, 1.5), lambda: DropWords(-0.1)])
def test_wrong_shares_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must lie from 0 to 1|probability"):
        wrong()
