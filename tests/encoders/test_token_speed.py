"""What makes networks over tokens fast must not change what they compute."""

import pytest
import torch

pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

from replearn.data.tokenizer import blank_tokenizer
from replearn.encoders import Tokens
from replearn.encoders.dropout import RowDropout, rows_of, set_dropout
from replearn.encoders.transformer import make_transformer


def tokens(ids, mask=None, start=0):
    return Tokens(ids, torch.ones_like(ids, dtype=torch.bool) if mask is None else mask, start)


@pytest.mark.parametrize("name", ["gpt_tiny", "bert_tiny", "modernbert_tiny"])
@pytest.mark.parametrize("filled", [False, True])
def test_short_attention_is_attention(filled, name):
    torch.manual_seed(0)
    net = make_transformer(name, blank_tokenizer(50)).eval()
    ids, mask = torch.randint(5, 50, (3, 17)), torch.ones(3, 17, dtype=torch.bool)
    if filled:
        mask[1, 9:] = False
        mask[2, 2:] = False
    with torch.inference_mode():
        found = net.states(tokens(ids, mask))[-1]
        net.net.set_attn_implementation("sdpa")
        expected = net.states(tokens(ids, mask))[-1]
    torch.testing.assert_close(found[mask], expected[mask], atol=1e-5, rtol=1e-5)


def test_states_do_not_know_what_follows():
    net = make_transformer("gpt_tiny", blank_tokenizer(50)).eval()
    ids = torch.randint(5, 50, (2, 12))
    other = torch.cat([ids[:, :7], torch.randint(5, 50, (2, 5))], dim=1)
    with torch.inference_mode():
        a, b = net.states(tokens(ids))[-1], net.states(tokens(other))[-1]
    torch.testing.assert_close(a[:, :7], b[:, :7])
    assert not torch.allclose(a[:, 7:], b[:, 7:])


def lost(x, *, start=0, p=0.3, seed=0):
    torch.manual_seed(seed)
    with rows_of(tokens(torch.zeros(len(x), 1, dtype=torch.long), start=start)):
        return RowDropout(p)(x) == 0


@pytest.mark.parametrize("d", [1, 6, 8, 63])
def test_dropout_is_the_same_in_parts_and_however_filled_up(d):
    whole = lost(torch.ones(8, 10, d))
    assert torch.equal(lost(torch.ones(3, 10, d), start=5), whole[5:])
    assert torch.equal(lost(torch.ones(8, 4, d)), whole[:, :4])
    assert not torch.equal(lost(torch.ones(8, 10, d), seed=1), whole)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_loses_its_share_everywhere_and_keeps_the_mean(p):
    x = torch.ones(40, 50, 64)
    torch.manual_seed(1)
    found = RowDropout(p)(x)
    gone = (found == 0).float()
    deviation = (p * (1 - p)) ** 0.5
    for axes, count in (((0, 1), 2000), ((0, 2), 2560), ((1, 2), 3200)):
        assert (gone.mean(axes) - p).abs().max() < 5 * deviation / count**0.5
    assert (found.mean() - 1).abs() < 5 * deviation / (1 - p) / x.numel() ** 0.5
    centred = gone - p
    for near in ((centred[..., 1:] * centred[..., :-1]), centred[..., 4:] * centred[..., :-4],
                 centred[:, 1:] * centred[:, :-1], centred[1:] * centred[:-1]):  # fmt: skip
        assert near.mean().abs() < 5 * p * (1 - p) / near.numel() ** 0.5


def test_dropout_is_set_everywhere_but_in_attention():
    net = make_transformer("gpt_tiny", blank_tokenizer(50))
    set_dropout(net, 0.25)
    found = {name: part.p for name, part in net.named_modules() if isinstance(part, torch.nn.Dropout)}
    assert {p for name, p in found.items() if not name.endswith("attn_dropout")} == {0.25}
    assert {p for name, p in found.items() if name.endswith("attn_dropout")} == {0.0}
