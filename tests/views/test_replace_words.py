"""Words replaced by tf-idf: as in the paper, as often as asked, the same for parts of a batch, stored without words."""

import json
import math
from collections import Counter

import numpy as np
import pytest
import torch

import replearn
from made_texts import made_texts
from replearn.data import Batch, Texts
from replearn.data.text import TextSamples
from replearn.methods import SimCSE
from replearn.views import Chain, DropWords, MultiCrop, Pair, ReplaceWords, Same, view_from_json, view_to_json
from replearn.views.replace_words import counted, relative, tf_idf

TEXTS = [*made_texts(60), "the rare the the pearl", "lonely", "", "the the"]


def batch_of(texts: list[str]) -> Batch:
    numbers = torch.arange(len(texts))
    return Batch(Texts(texts), numbers % 3, numbers)


def seen(view, batch, seed=0):
    torch.manual_seed(seed)
    return view(batch).x


def test_probabilities_are_those_of_the_paper():
    """Appendix B as loops."""
    n, p = len(TEXTS), 0.7
    idf = {
        word: math.log(n / sum(word in text.split() for text in TEXTS))
        for word in set(" ".join(TEXTS).split())
    }
    known = counted((text.split() for text in TEXTS), n)
    split = [text.split() for text in TEXTS]
    of = np.repeat(np.arange(n), [len(words) for words in split])
    found = np.minimum(1, p * relative(tf_idf(split, of, known), of, n))
    at = 0
    for words in split:
        told = [Counter(words)[word] / len(words) * idf[word] for word in words]
        if not told:
            continue
        z = sum(max(told) - one for one in told) / len(words)
        for one in told:
            expected = min(p * (max(told) - one) / z, 1) if z > 1e-12 else 0.0
            assert found[at] == pytest.approx(expected, abs=1e-9)
            at += 1
    assert at == len(found)
    often = Counter(" ".join(TEXTS).split())
    score = {word: often[word] * idf[word] for word in idf}
    total = sum(max(score.values()) - one for one in score.values())
    chances = np.diff(known.up_to, prepend=0)
    for word, chance in zip(known.written, chances, strict=True):
        assert chance == pytest.approx((max(score.values()) - score[word]) / total)
    assert known.up_to[-1] == pytest.approx(1)


def test_what_a_text_is_about_stays_and_about_the_share_asked_for_goes():
    view = ReplaceWords(0.5).fitted(TextSamples(TEXTS))
    text = "the cat sat on a pearl"
    drawn = [one.split() for one in seen(view, batch_of([text] * 600))]
    changed = np.array([[a != b for a, b in zip(one, text.split(), strict=True)] for one in drawn])
    assert not changed[:, 5].any()  # the rarest word
    assert changed[:, 0].mean() > 0.3
    # A drawn word may be the very one that goes.
    assert 0.4 < changed.mean() < 0.5


def test_words_are_drawn_as_their_chances_say():
    samples = TextSamples(TEXTS)
    view = ReplaceWords(50.0).fitted(samples)  # all but the most telling word go
    drawn = Counter(" ".join(seen(view, batch_of(["the cat sat pearl"] * 1500))).split())
    del drawn["pearl"]
    chances = dict(zip(view.words.written, np.diff(view.words.up_to, prepend=0), strict=True))
    total, chance = sum(drawn.values()), sum(chances[word] for word in drawn if word != "pearl")
    for word in ("dog", "rare", "tree", "the"):
        assert drawn[word] / total == pytest.approx(chances[word] / chance, abs=0.03), word


def test_parts_see_what_the_whole_sees_and_the_generator_goes_on_alike():
    view = Chain(ReplaceWords(0.9), DropWords(0.2)).fitted(TextSamples(TEXTS))
    whole = batch_of(TEXTS)
    expected = seen(view, whole)
    assert seen(view, whole) == expected
    assert seen(view, whole, seed=1) != expected
    after = torch.rand(1)
    seen(view, whole.rows(7, 30), seed=1)
    assert torch.equal(torch.rand(1), after)
    assert seen(view, whole.rows(7, 30)) == expected[7:30]


def test_equal_texts_are_changed_apart():
    assert len(set(seen(ReplaceWords(0.9).fitted(TextSamples(TEXTS)), batch_of(TEXTS[:1] * 30)))) > 10


def test_texts_with_nothing_to_replace_stay():
    view = ReplaceWords(5.0).fitted(TextSamples(TEXTS))
    assert seen(view, batch_of(["", "lonely", "the the", " unheard-of "])) == Texts(
        ["", "lonely", "the the", "unheard-of"]
    )
    assert seen(ReplaceWords(0.0).fitted(TextSamples(TEXTS)), batch_of(TEXTS[:5])) == Texts(TEXTS[:5])


def test_words_that_were_never_counted_are_taken_for_rare_ones():
    view = ReplaceWords(1.0).fitted(TextSamples(TEXTS))
    drawn = seen(view, batch_of(["the unheard-of cat"] * 200))
    assert all(text.split()[1] == "unheard-of" for text in drawn)


def test_without_texts_it_says_what_to_do():
    with pytest.raises(ValueError, match=r"must know the words .* Use fitted\(samples\)"):
        ReplaceWords()(batch_of(TEXTS))
    with pytest.raises(ValueError, match="probability of ReplaceWords must be at least 0"):
        ReplaceWords(-0.1)


@pytest.mark.parametrize(
    "view",
    [Pair(Same(), ReplaceWords(0.2)), MultiCrop(Same(), Chain(DropWords(0.1), ReplaceWords(0.2)), 1)],
    ids=["pair", "crops"],
)
def test_what_holds_it_hands_on_the_texts_and_is_stored_without_words(view):
    made = view.fitted(TextSamples(TEXTS))
    assert not seen_alike(made(batch_of(TEXTS)))
    assert made == view
    assert hash(made) == hash(view)
    text = json.dumps(view_to_json(made))
    assert "pearl" not in text
    assert view_from_json(json.loads(text)) == view


def seen_alike(views):
    return all(view.x == views[0].x for view in views)


def test_a_run_keeps_no_words_and_goes_on(tmp_path):
    pytest.importorskip("tokenizers")
    told = {"encoder": "words", "batch_size": 8, "device": "cpu", "views": Pair(Same(), ReplaceWords(0.5))}
    made = SimCSE(**told, epochs=1).fit(TEXTS[:40], run=tmp_path / "run")
    assert "dog" not in (tmp_path / "run" / "method.json").read_text(encoding="utf-8")
    again = replearn.load(tmp_path / "run")
    assert again.views == made.views
    assert np.array_equal(again.transform(TEXTS[:5]), made.transform(TEXTS[:5]))
    longer = SimCSE(**told, epochs=2).fit(TEXTS[:40], run=tmp_path / "run", resume=True)
    assert longer.extensions_
