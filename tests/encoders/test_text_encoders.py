"""What every encoder of texts owes its callers, for every kind at its smallest size."""

from functools import cache

import pytest
import torch
from torch import nn

from replearn.data.samples import Batch
from replearn.data.text import Texts, TextSamples
from replearn.data.tokenizer import FIRST, LAST, PAD, Tokenizer
from replearn.data.tokenizer_training import train_tokenizer
from replearn.encoders import TEXT_ENCODERS, TextBody, TextEncoder, Vocabulary, make_encoder, text_encoder
from replearn.encoders.characters import two_way_encoder
from replearn.encoders.dropout import RowDropout

pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

NAMES = [name for name in TEXT_ENCODERS if "_" not in name or name.endswith("_tiny")]
OWN = [*NAMES, "two_way"]  # ELMo's, which no name stands for
CORPUS = [
    "the cat sat on the mat and the dog ran under the tree",
    "a big dog, a small cat!",
    "Über 30 Bäume.",
]
TEXTS = ("the cat sat", "a big dog ran under the tree and sat on the mat", "cat", "")

every = pytest.mark.parametrize("name", OWN)


@cache
def tokenizer() -> Tokenizer:
    return TextSamples(CORPUS).tokenizer


def made(name: str) -> TextEncoder:
    torch.manual_seed(1)
    if name == "two_way":
        return two_way_encoder(tokenizer())
    return text_encoder(name, TextSamples(CORPUS).read_by(tokenizer()))


@cache
def shared(name: str) -> TextEncoder:
    """One encoder per name, in eval mode; tests that change it make their own."""
    return made(name).eval()


def batch(*texts: str) -> Batch:
    return Batch(Texts(texts), torch.full((len(texts),), -1), torch.arange(len(texts)))


def windows(n: int = 4, t: int = 12) -> Batch:
    ids = torch.randint(5, tokenizer().size, (n, t), generator=torch.Generator().manual_seed(0))
    return batch(*[""] * n).with_x(ids)


@every
def test_a_row_of_dim_numbers_per_text(name: str) -> None:
    encoder = shared(name)
    with torch.no_grad():
        assert encoder(batch(*TEXTS)).shape == (4, encoder.dim)
        assert encoder(batch("")).isfinite().all()
        assert encoder(windows()).shape == (4, encoder.dim)
        layers = encoder.layers(batch(*TEXTS))
        torch.testing.assert_close(layers[-1], encoder(batch(*TEXTS)))
        assert all(h.shape == (4, encoder.dim) for h in layers)


@every
@torch.no_grad()
def test_filling_up_changes_nothing(name: str) -> None:
    encoder = shared(name)
    together = encoder(batch(*TEXTS))
    alone = torch.cat([encoder(batch(text)) for text in TEXTS])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    for pooled, text in zip(zip(*encoder.layers(batch(*TEXTS)), strict=True), TEXTS, strict=True):
        for found, expected in zip(pooled, encoder.layers(batch(text)), strict=True):
            torch.testing.assert_close(found, expected[0], rtol=1e-4, atol=1e-5)


@every
@torch.no_grad()
def test_states_of_what_is_filled_up_are_zero_and_others_are_not(name: str) -> None:
    encoder = shared(name)
    tokens, mask = encoder.tokens(batch(*TEXTS)), encoder.standardise(batch(*TEXTS)).mask
    assert tokens.shape == (*mask.shape, encoder.dim)
    assert torch.equal((tokens != 0).any(2), mask)


@every
@torch.no_grad()
def test_rows_do_not_mix(name: str) -> None:
    encoder, given = shared(name), batch(*TEXTS)
    h = encoder(given)
    assert torch.equal(h, encoder(given))
    torch.testing.assert_close(encoder(batch(*TEXTS[::-1])), h.flip(0), rtol=1e-4, atol=1e-5)


@every
@torch.no_grad()
def test_long_texts_are_cut(name: str) -> None:
    encoder = shared(name)
    long, longer = "cat " * 2 * encoder.length, "cat " * 2 * encoder.length + "dog " * 50
    tokens = encoder.standardise(batch(longer))
    assert tokens.ids.shape == (1, encoder.length)
    assert tokens.ids[0, -1] == tokenizer().special("[SEP]")  # the end is marked
    assert torch.equal(encoder(batch(long)), encoder(batch(longer)))


@every
@torch.no_grad()
def test_texts_and_their_tokens_are_read_alike(name: str) -> None:
    encoder, text = shared(name), "the cat sat on the mat"
    ids = torch.tensor(tokenizer().encode([text], framed=True))
    torch.testing.assert_close(encoder(batch(text)), encoder(batch(text).with_x(ids)))


@every
@torch.no_grad()
def test_causal_ones_see_no_future_and_others_do(name: str) -> None:
    encoder, given = shared(name), windows()
    ids = given.x.clone()
    ids[:, 7] = torch.where(ids[:, 7] == 6, 7, 6)
    states = [encoder.body.states(encoder.standardise(given.with_x(x)))[-1] for x in (given.x, ids)]
    seen = ((states[0] - states[1]).abs() > 1e-6).any(2).any(0).tolist()
    if name == "words":
        assert seen == [False] * 7 + [True] + [False] * 4
        return
    causal = bool(getattr(encoder.body.net, "causal", False))
    assert causal == (name in ("lstm", "gpt_tiny"))
    assert seen == ([False] * 7 + [True] * 5 if causal else [True] * 12)


@every
def test_weights_bring_the_tokenizer_back(name: str) -> None:
    encoder = made(name).eval()
    other = TextSamples(["something else entirely, in many other words"]).tokenizer
    stands_in = made(name)
    stands_in.vocabulary = type(encoder.vocabulary)(other)
    assert stands_in.vocabulary.tokenizer.json != tokenizer().json
    stands_in.load_state_dict(encoder.state_dict())
    assert stands_in.vocabulary.tokenizer == tokenizer()
    with torch.no_grad():
        assert torch.equal(stands_in.eval()(batch(*TEXTS)), encoder(batch(*TEXTS)))


@every
def test_dropout_on_parts_of_a_batch_is_that_of_the_whole(name: str) -> None:
    encoder = made(name).train()
    given = windows(6)
    parts = [given.rows(0, 2), given.rows(2, 6)]

    def states(some: Batch) -> torch.Tensor:
        torch.manual_seed(4)
        found: torch.Tensor = encoder.tokens(some)
        return found

    whole = states(given)
    torch.testing.assert_close(torch.cat([states(part) for part in parts]), whole, rtol=1e-4, atol=1e-5)
    drops = [part for part in encoder.modules() if isinstance(part, RowDropout)]
    assert bool(drops) == (name != "words")
    assert not any(type(part) is nn.Dropout and part.p for part in encoder.modules())
    if drops:
        assert not torch.allclose(whole, encoder.tokens(given))
        assert not torch.allclose(whole, encoder.eval().tokens(given))


@every
def test_all_weights_learn(name: str) -> None:
    encoder = made(name).eval()
    sum(h.square().sum() for h in encoder.layers(windows())).backward()
    assert [key for key, p in encoder.named_parameters() if p.grad is None] == []


def test_dropout_loses_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    x = RowDropout(0.3)(torch.ones(40, 20, 50))
    lost = (x == 0).double()
    deviation = (0.3 * 0.7) ** 0.5
    assert abs(lost.mean() - 0.3) < 4 * deviation / 40_000**0.5
    assert (lost.mean((1, 2)) - 0.3).abs().max() < 4.5 * deviation / 1000**0.5  # each row
    assert (lost.mean((0, 1)) - 0.3).abs().max() < 4.5 * deviation / 800**0.5  # each number
    assert set(x.unique().tolist()) == {0.0, x.max().item()}
    assert x.max() == pytest.approx(1 / 0.7, rel=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "first", "last"])
@torch.no_grad()
def test_pooling(pooling) -> None:
    encoder = shared("lstm")
    pooled = TextEncoder(Vocabulary(tokenizer()), TextBody(encoder.body.net, pooling=pooling)).eval()
    h, tokens, mask = (
        pooled(batch(*TEXTS)),
        encoder.tokens(batch(*TEXTS)),
        encoder.standardise(batch(*TEXTS)).mask,
    )
    for i, row in enumerate(mask):
        states = tokens[i][row]
        expected = {"mean": states.mean(0), "first": states[0], "last": states[-1]}[pooling]
        torch.testing.assert_close(h[i], expected)


@pytest.mark.parametrize(("spec", "message"), [("brt_mini", "bert_mini"), ("lstmm", "Nearest: lstm")])
def test_unknown_names_offer_the_nearest(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(spec)


def test_a_bare_module_has_no_vocabulary() -> None:
    with pytest.raises(ValueError, match="must be a TextEncoder"):
        text_encoder(nn.Linear(2, 2), TextSamples(CORPUS))


def test_a_given_encoder_is_copied() -> None:
    given = made("words")
    copy = make_encoder(given, TextSamples(CORPUS))
    assert isinstance(copy, TextEncoder)
    with torch.no_grad():
        copy.body.word_vectors().zero_()
    assert given.body.word_vectors().abs().max() > 0


def test_windows_are_never_filled_up_and_the_head_of_a_long_text_is_enough() -> None:
    tokenizer = train_tokenizer(["a b c d e f g"], "words")
    vocabulary = Vocabulary(tokenizer)
    ids = torch.tensor([[tokenizer.special(PAD), 5, 6]])
    unknown = torch.full((1,), -1)
    assert vocabulary.read(Batch(ids, unknown, unknown), 8).mask.all()  # a mark that the text itself has
    long = Batch(Texts(["a b c " * 100_000]), unknown, unknown)
    read = vocabulary.read(long, 8)
    assert read.ids.tolist() == [
        [tokenizer.special(FIRST), *tokenizer.encode(["a b c a b c"])[0], tokenizer.special(LAST)]
    ]
    shorter, longer = Texts(["a"]), Texts(["a", "a b c"])
    one, two = (vocabulary.read(Batch(x, unknown, unknown), 8).mask.tolist() for x in (shorter, longer))
    assert two == [[*one[0], False, False], [True] * 5]
