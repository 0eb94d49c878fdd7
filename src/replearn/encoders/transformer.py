"""Transformers over tokens, by the classes of the `transformers` library, from a size by name."""

import inspect
from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.needed import needed
from replearn.data.tokenizer import FIRST, LAST, PAD, Tokenizer
from replearn.encoders.dropout import rows_of, with_row_dropout
from replearn.encoders.short_attention import use_short_attention
from replearn.encoders.vocabulary import Tokens

LENGTH = 512  # tokens of a text read at most by networks that are made here
# Layers, numbers per state: Turc et al., 2019, table 1. https://arxiv.org/abs/1908.08962
SIZES = {
    "tiny": (2, 128),
    "mini": (4, 256),
    "small": (4, 512),
    "medium": (8, 512),
    "base": (12, 768),
    "large": (24, 1024),
}
KINDS = ("bert", "modernbert", "gpt")
TRANSFORMERS = tuple(f"{kind}_{size}" for kind in KINDS for size in SIZES)
HEAD = 64  # numbers per attention head
NOTHING: Mapping[str, int | None] = {"pad_token_id": None, "bos_token_id": None, "eos_token_id": None}
LIBRARY = "transformers."
HOOKED = "_output_capturing_hooks_installed"  # by which the library knows that it has set them
MEMORY = ("cache", "past_key_values")  # what the library calls keys and values: today, and before


class Transformer(nn.Module):
    """One of the library's networks over tokens.

    Args:
        net: the network, without a head.
        length: tokens that it reads at most.
        causal: whether a state tells only of what came before it.
    """

    wraps = True

    def __init__(self, net: nn.Module, *, length: int, causal: bool) -> None:
        super().__init__()
        self.net = with_row_dropout(net)
        self.length = length
        self.causal = causal
        self.dim: int = net.config.hidden_size  # type: ignore[union-attr, assignment]

    @property
    def tells_parts(self) -> bool:
        """Whether it tells the second part of a text from the first, by `types` of tokens: BERT does."""
        return getattr(self.net.config, "type_vocab_size", 0) > 1

    @property
    def remembers(self) -> bool:
        """Whether it can go on from what it has read: nearly all decoders of the library can."""
        return self._memory is not None

    def states(self, tokens: Tokens) -> list[Float[Tensor, "n t d"]]:
        """The states before and after each layer."""
        mask = None if tokens.full else tokens.mask.long()  # as they are documented to take
        types = {"token_type_ids": tokens.types} if tokens.types is not None and self.tells_parts else {}
        with rows_of(tokens):
            found = self.net(input_ids=tokens.ids, attention_mask=mask, output_hidden_states=True, **types)
        # The last layer's, from where they are the same in all releases: some leave out what normalises them.
        return [*found.hidden_states[:-1], found.last_hidden_state]

    def word_vectors(self) -> Float[Tensor, "v d"]:
        """The vector of each token."""
        found: Tensor = self.net.get_input_embeddings().weight  # type: ignore[operator]
        return found

    def step(self, ids: Tensor, memory: Any = None) -> tuple[Float[Tensor, "n t d"], Any]:
        """The last layer's states of the next tokens, and what must be remembered of all so far (keys and values)."""
        name: str = self._memory  # type: ignore[assignment]
        found = self.net(input_ids=ids, use_cache=True, **{name: memory})
        return found.last_hidden_state, getattr(found, name)

    def __getstate__(self) -> dict[str, Any]:
        """What pickle keeps: without the library's hooks, which it can't; they are set again when states are read."""
        without_hooks(self.net)
        return vars(self).copy()

    def repeated(self, memory: Any, n: int) -> Any:
        """What is remembered of one text, for `n` that go on from there; the old one is gone."""
        memory.batch_repeat_interleave(n)
        return memory

    @property
    def _memory(self) -> str | None:
        """The argument for keys and values, as the installed library calls it."""
        taken = inspect.signature(self.net.forward).parameters
        return next((name for name in MEMORY if name in taken), None)


def without_hooks(net: nn.Module) -> None:
    """Take off the library's hooks, which pickle can't keep; it sets them again when states are asked for."""
    for module in net.modules():
        hooks = module._forward_hooks
        for key in [key for key, hook in hooks.items() if hook.__module__.startswith(LIBRARY)]:
            del hooks[key]
        if hasattr(module, HOOKED):
            setattr(module, HOOKED, False)


def make_transformer(name: str, tokenizer: Tokenizer, *, dropout: float = 0.1) -> Transformer:
    """A transformer with random weights.

    Args:
        name: one of `TRANSFORMERS`: `bert_mini`, `gpt_base`, ...
        tokenizer: says how many tokens there are, and which of them are special.
        dropout: share of numbers lost while training; none of the weights of attention are.
    """
    kind, _, size = name.partition("_")
    depth, dim = SIZES[size]
    special = {
        "pad_token_id": _id(tokenizer, PAD),
        "bos_token_id": _id(tokenizer, FIRST),
        "eos_token_id": _id(tokenizer, LAST),
    }
    heads = dim // HEAD
    return transformer_over(
        tokenizer.size, special, kind=kind, dim=dim, depth=depth, heads=heads, dropout=dropout
    )


def transformer_over(
    vocabulary: int,
    special: Mapping[str, int | None] = NOTHING,
    *,
    kind: str,
    dim: int,
    depth: int,
    heads: int,
    dropout: float = 0.1,
) -> Transformer:
    """A transformer over any tokens, with random weights.

    Args:
        vocabulary: how many tokens there are.
        special: which of them fills rows up, begins and ends one, as the library's configurations call it.
        kind: one of `KINDS`.
        dim: numbers per state, a multiple of `heads`.
        depth: layers.
        heads: of attention.
        dropout: as of `make_transformer`.
    """
    net = _net(kind, depth, dim, heads, {"vocab_size": vocabulary, **special}, dropout)
    use_short_attention(net)
    return Transformer(net, length=LENGTH, causal=kind == "gpt")


def _net(
    kind: str, depth: int, dim: int, heads: int, vocabulary: dict[str, Any], dropout: float
) -> nn.Module:
    library = the_library()
    if kind == "gpt":
        config = library.GPT2Config(
            **vocabulary, n_positions=LENGTH, n_embd=dim, n_layer=depth, n_head=heads,
            attn_pdrop=0.0, resid_pdrop=dropout, embd_pdrop=dropout, use_cache=False,
            activation_function="gelu_pytorch_tanh",  # GPT-2's, in one pass over memory
        )  # fmt: skip
        return library.GPT2Model(config)  # type: ignore[no-any-return]
    shape = {
        "hidden_size": dim, "num_hidden_layers": depth, "num_attention_heads": heads,
        "max_position_embeddings": LENGTH,
    }  # fmt: skip
    if kind == "bert":
        config = library.BertConfig(
            **vocabulary, **shape, intermediate_size=4 * dim,
            hidden_dropout_prob=dropout, attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        return library.BertModel(config, add_pooling_layer=False)  # type: ignore[no-any-return]
    ends = {"cls_token_id": vocabulary["bos_token_id"], "sep_token_id": vocabulary["eos_token_id"]}
    config = library.ModernBertConfig(
        # 1.5 times the width, since the gated layer has two matrices on the way in
        **vocabulary, **ends, **shape, intermediate_size=3 * dim // 2,
        attention_dropout=0.0, mlp_dropout=dropout, embedding_dropout=dropout,
    )  # fmt: skip
    return library.ModernBertModel(config)  # type: ignore[no-any-return]


def _id(tokenizer: Tokenizer, name: str) -> int | None:
    try:
        return tokenizer.special(name)
    except ValueError:  # of a tokenizer that stands in for that of a run
        return None


def the_library() -> Any:
    """The package transformers.

    Raises:
        ValueError: it is not installed.
    """
    return needed("transformers", "this encoder needs")
