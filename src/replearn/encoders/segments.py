"""The states of windows of two parts, by networks that know which token is of which."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.encoders.dropout import rows_of
from replearn.encoders.text import TextEncoder
from replearn.encoders.transformer import Transformer
from replearn.encoders.vocabulary import Tokens


def check_segments(encoder: TextEncoder) -> None:
    """Raises ValueError where the network can't tell two parts of a window apart."""
    if _kinds(encoder.body.net) < 2:
        raise ValueError(
            f"next_sentence needs an encoder with vectors for two segments; {type(encoder.body.net).__name__} has "
            "none. Use bert_mini or another bert, or next_sentence=False."
        )


def segment_states(
    encoder: TextEncoder, tokens: Tokens, segments: Int[Tensor, "n t"]
) -> Float[Tensor, "n t d"]:
    """The last layer's states, where `segments` says of each token whether it is of the first (0) or second part."""
    net: nn.Module = encoder.body.net.net  # type: ignore[assignment]
    mask = None if tokens.full else tokens.mask
    with rows_of(tokens):
        found = net(input_ids=tokens.ids, attention_mask=mask, token_type_ids=segments)
    return found.last_hidden_state  # type: ignore[no-any-return]


def _kinds(net: nn.Module) -> int:
    return getattr(net.net.config, "type_vocab_size", 0) if isinstance(net, Transformer) else 0  # type: ignore[union-attr]
