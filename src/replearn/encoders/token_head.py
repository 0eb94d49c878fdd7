"""From a token's state to the token that it was: the head of masked language models."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class TokenHead(nn.Module):
    """Logits of all tokens, for states: a dense layer, GELU, layer normalisation, and the tokens' own vectors.

        logits = W norm(gelu(A s + b)) + c

    `W` are the vectors from which states are made, so they are given at each call; `A`, `b`, `c` are learned here.

    Args:
        dim: numbers per state.
        vocabulary: number of tokens.

    References: Devlin et al., NAACL 2019 (BERT), section 3.1 and the code of the paper.
        https://arxiv.org/abs/1810.04805
    """

    def __init__(self, dim: int, vocabulary: int) -> None:
        super().__init__()
        self.dense = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)
        self.bias = nn.Parameter(Tensor(vocabulary).zero_())
        nn.init.normal_(self.dense.weight, std=0.02)
        nn.init.zeros_(self.dense.bias)

    def forward(self, states: Float[Tensor, "m d"], vectors: Float[Tensor, "v d"]) -> Float[Tensor, "m v"]:
        return F.linear(self.norm(F.gelu(self.dense(states))), vectors, self.bias)
