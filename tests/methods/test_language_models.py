"""Language models by networks: likelihoods that count what they say, texts written token by token, and learning."""

import math

import numpy as np
import pytest
import torch

pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

import replearn
from replearn.data.tokenizer import LAST
from replearn.data.tokens import TokenStream, TokenWindows
from replearn.methods import GPT, LSTMLanguageModel, NGram, RoBERTa
from replearn.methods.language.causal import overlapping
from replearn.methods.language.generation import Choice, continued

WINDOW = 24
SMALL = {"vocabulary": 300, "window": WINDOW, "batch_size": 8, "precision": "32-true", "device": "cpu"}
ENCODERS = {GPT: "gpt_tiny", LSTMLanguageModel: "lstm"}


def sentences(n, seed=0):
    rng = np.random.default_rng(seed)
    subjects, verbs, things = (
        ["the cat", "a dog", "my aunt"],
        ["sees", "wants", "eats"],
        ["fish", "a hat", "us"],
    )
    return [" ".join(str(rng.choice(part)) for part in (subjects, verbs, things)) + "." for _ in range(n)]


@pytest.fixture(scope="module", params=[GPT, LSTMLanguageModel], ids=lambda cls: cls.__name__)
def model(request):
    cls = request.param
    return cls(**SMALL, encoder=ENCODERS[cls], epochs=6, learning_rate=5e-3).fit(sentences(400))


@pytest.fixture(scope="module")
def texts():
    return [*sentences(5, seed=1), "", "us", " ".join(sentences(12, seed=2)), "zzz " * 40]


def by_hand(model, text):
    """ln p of a text that fits in the context, token by token."""
    end = model.own_tokenizer.special(LAST)
    row = torch.tensor([[end, *model.own_tokenizer.encode([text])[0], end]])
    with torch.inference_mode():
        shares = model.logits(row[:, :-1]).double().log_softmax(-1)[0]
    return float(sum(shares[i, row[0, i + 1]] for i in range(row.shape[1] - 1)))


def test_likelihoods_are_the_products_of_token_probabilities(model, texts):
    short = [text for text in texts if len(text) < 25]
    assert len(short) > 4
    np.testing.assert_allclose(model.log_likelihoods(short), [by_hand(model, t) for t in short], atol=1e-4)


def test_what_fills_up_a_batch_is_never_counted(model, texts):
    together = model.log_likelihoods(texts)
    alone = [model.log_likelihoods([text])[0] for text in texts]
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    counts = [len(found) for found in model.token_log_likelihoods(texts)]
    assert counts == [1 + len(ids) for ids in model.own_tokenizer.encode(texts)]


def test_texts_that_begin_alike_are_read_once(model, monkeypatch):
    begun = "the cat sees a hat. my aunt"
    alike = [f"{begun}{end}" for end in ("", ".", " eats fish.", " wants us. zzz")]
    texts = [*sentences(3), *alike, "us", *[f"a dog wants us. {text}"[:60] for text in alike], "zzz " * 40]
    alone = [model.log_likelihoods([text])[0] for text in texts]
    read = []
    net, step = model.encoder_.body.net, model.encoder_.body.net.step
    monkeypatch.setattr(
        net, "step", lambda ids, memory=None: read.append(tuple(ids.shape)) or step(ids, memory)
    )
    np.testing.assert_allclose(model.log_likelihoods(texts), alone, rtol=1e-5)
    assert [n for n, _ in read] == [1, 4, 1, 4]
    assert [len(nats) for nats in model.token_log_likelihoods(alike)] == [
        1 + len(ids) for ids in model.own_tokenizer.encode(alike)
    ]


def test_measures_are_what_they_say(model, texts):
    nats = -sum(model.log_likelihoods(texts))
    assert model.bits_per_character(texts) == pytest.approx(
        nats / math.log(2) / sum(len(text) + 1 for text in texts)
    )
    tokens = sum(1 + len(ids) for ids in model.own_tokenizer.encode(texts))
    assert model.perplexity(texts) == pytest.approx(math.exp(nats / tokens), rel=1e-5)


@pytest.mark.parametrize(("length", "window"), [(1, 8), (8, 8), (9, 8), (100, 8), (37, 7), (5, 1)])
def test_windows_tell_each_token_once_and_from_half_a_context(length, window):
    places = overlapping(length, window)
    told = [i for _, first, stop in places for i in range(first, stop)]
    assert told == list(range(length))
    for start, first, stop in places:
        assert start <= first < stop <= start + window
        assert first == 0 or first - start >= window // 2


def test_a_long_text_is_told_window_by_window(model):
    end = model.own_tokenizer.special(LAST)
    text = " ".join(sentences(20, seed=4))
    row = torch.tensor([end, *model.own_tokenizer.encode([text])[0], end])
    told = model.token_log_likelihoods([text])[0]
    assert len(told) == len(row) - 1 > 3 * WINDOW
    with torch.inference_mode():
        for i in range(len(told)):  # token i + 1 is told by the window that first reaches it
            start, _, stop = next(p for p in overlapping(len(told), model.context) if p[1] <= i < p[2])
            shares = model.logits(row[None, start:stop])[0, i - start].log_softmax(-1)
            assert told[i] == pytest.approx(float(shares[row[i + 1]]), abs=1e-4)


def test_what_is_remembered_gives_the_same_logits_as_reading_all_again(model):
    ids = torch.tensor([[2, 7, 9, 30, 11, 4], [3, 12, 5, 6, 7, 8]])
    with torch.inference_mode():
        memory = None
        for i in range(ids.shape[1]):
            cached, memory = model.step(ids[:, i : i + 1], memory)
            whole, _ = model.step(ids[:, : i + 1])
            torch.testing.assert_close(cached, whole, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(whole, model.logits(ids[:, : i + 1])[:, -1], atol=1e-5, rtol=1e-5)


def test_greedy_writing_takes_the_likeliest_token_each_time(model):
    end = model.own_tokenizer.special(LAST)
    prompt = model.own_tokenizer.encode(["the"])[0]
    row = [end, *prompt]
    with torch.inference_mode():
        while len(row) < 10:
            row.append(int(model.logits(torch.tensor([row]))[0, -1, 5:].argmax()) + 5)
    found = model.continue_tokens([prompt], tokens=10 - 1 - len(prompt))[0]
    expected = row[1 + len(prompt) :]
    assert found == expected[: len(found)]
    assert model.generate("the", temperature=0, tokens=8, random_state=1) == model.generate(
        "the", temperature=0, tokens=8, random_state=2
    )


def test_writing_goes_on_beyond_the_context(model):
    prompt = model.own_tokenizer.encode([" ".join(sentences(9))])[0]
    assert len(prompt) > WINDOW

    def never_ends(ids, memory):
        logits, memory = model.step(ids, memory)
        logits[:, model.own_tokenizer.special(LAST)] = -torch.inf
        return logits, memory

    with torch.inference_mode():
        rows = continued(
            never_ends, torch.tensor([prompt] * 2), tokens=3 * WINDOW, choice=Choice(),
            context=model.context, tokenizer=model.own_tokenizer,
        )  # fmt: skip
    assert rows.shape == (2, 3 * WINDOW)
    assert not torch.equal(rows[0], rows[1])


def test_writing_stops_at_the_end_of_a_text(model):
    end, steps = model.own_tokenizer.special(LAST), []

    def ends_soon(ids, memory):
        steps.append(ids)
        logits = torch.zeros(len(ids), model.own_tokenizer.size)
        logits[0, end if len(steps) == 2 else 9] = 50.0
        logits[1, end if len(steps) >= 4 else 9] = 50.0
        return logits, memory

    rows = continued(
        ends_soon, torch.tensor([[end], [end]]), tokens=50, choice=Choice(temperature=0),
        context=model.context, tokenizer=model.own_tokenizer,
    )  # fmt: skip
    assert rows.tolist() == [[9, end, end, end], [9, 9, 9, end]]


def test_drawn_texts(model):
    torch.manual_seed(3)
    state = torch.get_rng_state()
    found = model.generate("the", tokens=12, n=4, random_state=5)
    assert torch.equal(torch.get_rng_state(), state)
    assert found == model.generate("the", tokens=12, n=4, random_state=5)
    assert found != model.generate("the", tokens=12, n=4, random_state=6)
    assert len(set(found)) > 1
    assert all(text.startswith("the") for text in found)
    greedy = model.generate("the", tokens=12, temperature=0)
    assert model.generate("the", tokens=12, top_k=1) == greedy
    assert model.generate("the", tokens=12, top_p=1e-9) == greedy


def test_draws_follow_the_probabilities():
    logits = torch.tensor([[0.5, 0.25, 0.125, 0.125]]).log().expand(4000, 4)
    generator = torch.Generator().manual_seed(0)
    shares = torch.bincount(Choice().of(logits, generator), minlength=4) / 4000
    torch.testing.assert_close(shares, logits[0].exp(), atol=0.03, rtol=0)
    shares = torch.bincount(Choice(top_p=0.7).of(logits, generator), minlength=4) / 4000
    torch.testing.assert_close(shares, torch.tensor([2 / 3, 1 / 3, 0, 0]), atol=0.03, rtol=0)
    shares = torch.bincount(Choice(temperature=0.5).of(logits, generator), minlength=4) / 4000
    torch.testing.assert_close(shares, logits[0].mul(2).softmax(0), atol=0.03, rtol=0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"temperature": -1}, "temperature"), ({"top_k": 0}, "top_k"), ({"top_p": 0.0}, "top_p"),
        ({"n": 0}, "n counts"), ({"tokens": 0}, "tokens counts"),
    ],
)  # fmt: skip
def test_bad_arguments_are_told(model, given, says):
    with pytest.raises(ValueError, match=says):
        model.generate("the", **given)


def test_one_string_is_no_list_of_texts(model):
    with pytest.raises(ValueError, match="list of at least one string; got one string"):
        model.bits_per_character("the cat")
    with pytest.raises(ValueError, match="got none"):
        model.perplexity([])


def test_it_learns_what_follows_what(model):
    held = sentences(40, seed=9)
    frequencies = NGram(vocabulary=300, order=1).fit(sentences(400))
    assert model.bits_per_character(held) < 0.45 * frequencies.bits_per_character(held)
    assert -model.log_likelihoods(held).mean() < 1.7 * math.log(27)  # a sentence is three choices of three


def test_a_run_gives_the_same_likelihoods(model, texts, tmp_path):
    model.save(tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    assert again.context == model.context == WINDOW - 1
    np.testing.assert_allclose(again.log_likelihoods(texts), model.log_likelihoods(texts), rtol=1e-6)
    assert again.generate("a", tokens=9) == model.generate("a", tokens=9)


@pytest.mark.parametrize(
    ("given", "says"), [({"dropout": 1.0}, "dropout"), ({"encoder": "bert_tiny"}, "do not know what follows")]
)
def test_what_can_not_work_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        GPT(**SMALL | {"encoder": "gpt_tiny"} | given).prepare(sentences(60))


def test_a_causal_model_of_a_local_folder_learns_on(tmp_path):
    import tokenizers
    import transformers

    parts = tokenizers.pre_tokenizers, tokenizers.decoders
    inner = tokenizers.Tokenizer(tokenizers.models.BPE())
    inner.pre_tokenizer, inner.decoder = parts[0].ByteLevel(add_prefix_space=False), parts[1].ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=parts[0].ByteLevel.alphabet(),
    )  # fmt: skip
    inner.train_from_iterator(sentences(100), trainer)
    config = transformers.GPT2Config(
        vocab_size=inner.get_vocab_size(),
        n_positions=40,
        n_embd=32,
        n_layer=1,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
    )
    transformers.GPT2Model(config).save_pretrained(tmp_path)
    inner.save(str(tmp_path / "tokenizer.json"))
    small = SMALL | {"encoder": f"hf:{tmp_path}", "epochs": 15, "learning_rate": 5e-3}
    with pytest.raises(
        ValueError, match=r"vocabulary must be left out beside an encoder that brings its own"
    ):
        GPT(**small).prepare(sentences(200))
    del small["vocabulary"]
    model = GPT(**small).prepare(sentences(200))
    before = model.bits_per_character(sentences(20, seed=5))
    assert model.context == 39  # the folder's own
    model.fit(sentences(200))
    assert model.bits_per_character(sentences(20, seed=5)) < 0.6 * before
    assert {m.p for name, m in model.encoder_.named_modules() if name.endswith("attn_dropout")} == {0.0}
    texts = sentences(3, seed=6)
    alone = [model.log_likelihoods([text])[0] for text in texts]  # its end also fills up: still counted once
    np.testing.assert_allclose(model.log_likelihoods(texts), alone, rtol=1e-5)


def test_causal_models_alone_move_their_windows() -> None:
    """On the text of these tests RoBERTa did not learn with moved ones."""
    stream = TokenStream(np.arange(100, dtype=np.int32), np.array([100]))
    windows = TokenWindows(stream, 8)
    orders = [GPT(random_state=1).order(windows)(epoch) for epoch in range(5)]
    assert len({int(order.max()) // len(windows) for order in orders}) > 1
    assert all(sorted(order % len(windows)) == list(range(len(windows))) for order in orders)
    assert all(RoBERTa(random_state=1).order(windows)(epoch).max() < len(windows) for epoch in range(5))
