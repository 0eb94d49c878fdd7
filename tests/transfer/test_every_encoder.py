"""Every encoder of texts does every task: its tokens reach it as it reads them itself."""

import pytest
import torch
from made_up import TINY, pairs, spans, tags, texts

import replearn
from lanes import one_of_each
from made_folders import batch, folder
from replearn.data.text import TextSamples
from replearn.encoders import TEXT_ENCODERS, TextEncoder, text_encoder
from replearn.transfer import FineTune
from replearn.transfer.features import features_of
from replearn.transfer.reading import PairTexts, read_words, token_samples

SMALL = [name for name in TEXT_ENCODERS if "_" not in name or name.endswith("_tiny")]
DATA = {
    "classify": texts,
    "regress": lambda n, seed=0: (texts(n, seed=seed)[0], [float(i % 2) for i in range(n)]),
    "pair": pairs,
    "tag": tags,
    "span": spans,
}


@pytest.mark.parametrize("task", DATA)
@pytest.mark.parametrize("name", one_of_each([*SMALL, "hf:"], ["words", "lstm", "hf:"]))
@pytest.mark.filterwarnings("ignore::replearn.data.DataWarning")  # bytes: a few more than are read
def test_every_encoder_of_texts_does_every_task(name, task, tmp_path):
    spec = f"hf:{folder(tmp_path / 'hf')}" if name == "hf:" else name
    X, y = DATA[task](24)
    for trained, pooling in (("full", "auto"), ("frozen", "mixture")):
        fields = TINY | {"encoder": spec, "trained": trained, "pooling": pooling}
        model = FineTune(task=task, epochs=1, **fields).fit(X, y, run=tmp_path / trained)
        again = replearn.load(tmp_path / trained)
        assert again.score(X, y) == model.score(X, y)
        assert model.transform(X[:3]).shape == (3, model.representation_dim)


def plain(name: str) -> TextEncoder:
    torch.manual_seed(0)
    return text_encoder(name, TextSamples(["the cat sat on the mat"]).read_by(words())).eval()


def words():
    from replearn.data import train_tokenizer

    return train_tokenizer(["the cat sat on the mat"], "words")


@torch.no_grad()
@pytest.mark.parametrize("name", SMALL)
def test_a_task_reads_a_text_as_the_encoder_does(name):
    """Words that the tokenizer doesn't know included: where letters are read, they tell."""
    encoder = plain(name)
    sentences = [["the", "zebra", "sat"], ["a", "quagga", "on", "the", "mat", "zebra"]]
    whole = [" ".join(sentence) for sentence in sentences]
    samples = token_samples(read_words(sentences), encoder.vocabulary, encoder.length)
    both = samples[torch.arange(2).numpy()]
    told = features_of(encoder, both, mixed=False, tokenwise=False).x[:, 0]
    torch.testing.assert_close(told, encoder(batch(*whole)))
    every = features_of(encoder, both, mixed=True, tokenwise=False).x
    torch.testing.assert_close(every, torch.stack(encoder.layers(batch(*whole)), 1))
    torch.testing.assert_close(features_of(encoder, batch(*whole), mixed=True, tokenwise=False).x, every)
    sides = token_samples(PairTexts(whole, whole[::-1]), encoder.vocabulary, encoder.length)
    apart = features_of(encoder, sides[torch.arange(2).numpy()], mixed=False, tokenwise=False).x[:, 0]
    torch.testing.assert_close(apart, torch.stack([told, told.flip(0)], 1))
    if encoder.vocabulary.spells:
        other = encoder(batch("the llama sat"))
        assert not torch.allclose(other, told[:1])
