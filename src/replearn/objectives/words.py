"""Word vectors: which words occur near each other, as decisions (word2vec) and as counts (GloVe).

Training computes these gradients in compiled loops (`replearn.engine.words`); the functions here say what they are, and
the loops are tested against them.
"""

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def negative_sampling(
    hidden: Float[Tensor, "n d"], true: Float[Tensor, "n d"], noise: Float[Tensor, "n k d"]
) -> Float[Tensor, ""]:
    r"""Which word was there, by one decision for it and one for each of `k` words drawn at random.

    With `h_i` of what is seen, `u_i` of the word that was there and `u_ij` of words that were not:

        loss = 1/n Σ_i ( -log σ(u_i·h_i) - Σ_j log σ(-u_ij·h_i) )

    In skip-gram `h` is the vector of one neighbour, in CBOW the mean over all neighbours in the window. When all
    vectors are zero (collapse, and where training starts) it is `(1 + k) ln 2`.

    Args:
        hidden: `h`, of input vectors.
        true: `u` of the word that was there, an output vector.
        noise: `u` of words drawn from a noise distribution, for each row its own.

    Raises:
        ValueError: there is no row.

    Example:
        >>> import torch
        >>> round(negative_sampling(torch.zeros(3, 4), torch.zeros(3, 4), torch.zeros(3, 1, 4)).exp().item(), 4)
        4.0

    References:
        Mikolov et al., "Distributed representations of words and phrases and their compositionality", NeurIPS 2013,
        equation 4. https://arxiv.org/abs/1310.4546
    """
    _check_rows("negative_sampling", hidden)
    told = F.logsigmoid((hidden * true).sum(1))  # (n,)
    refused = F.logsigmoid(-(noise * hidden[:, None]).sum(2)).sum(1)  # (n,)
    return -(told + refused).mean()


@full_precision
def hierarchical_softmax(
    hidden: Float[Tensor, "n d"], nodes: Float[Tensor, "n l d"], turns: Int[Tensor, "n l"]
) -> Float[Tensor, ""]:
    r"""Which word was there, by the turns on the way to it in a binary tree of all words.

    With `h_i` of what is seen and `u_ij` of the `j`-th node on the way to the word, where the turn is `t_ij`, 0 or 1:

        loss = -1/n Σ_i Σ_j log σ((1 - 2 t_ij) u_ij·h_i)

    `exp` of minus the sum over `j` is the probability of the word, and the probabilities of all words add up to 1. When
    all vectors are zero (collapse, and where training starts) it is `ln 2` times the mean number of turns.

    Args:
        hidden: `h`, of input vectors.
        nodes: `u`, of the nodes on the way, filled up to the longest way.
        turns: `t`; -1 where the way has ended.

    Raises:
        ValueError: there is no row.

    Example:
        >>> import torch
        >>> turns = torch.tensor([[0, 1], [1, -1]])
        >>> round(hierarchical_softmax(torch.zeros(2, 4), torch.zeros(2, 2, 4), turns).exp().item(), 4)
        2.8284

    References:
        Morin and Bengio, "Hierarchical probabilistic neural network language model", AISTATS 2005.
        Mikolov et al., "Distributed representations of words and phrases and their compositionality", NeurIPS 2013,
        equation 3. https://arxiv.org/abs/1310.4546
    """
    _check_rows("hierarchical_softmax", hidden)
    scores = (nodes * hidden[:, None]).sum(2)  # (n, l)
    told = F.logsigmoid((1 - 2 * turns) * scores).masked_fill(turns < 0, 0.0)
    return -told.sum(1).mean()


@full_precision
def glove(
    word: Float[Tensor, "n d"],
    context: Float[Tensor, "n d"],
    bias: Float[Tensor, " n"],
    context_bias: Float[Tensor, " n"],
    count: Float[Tensor, " n"],
    *,
    most: float = 100.0,
    power: float = 0.75,
) -> Float[Tensor, ""]:
    r"""Logarithms of how often words occur near each other, by dot products; often seen pairs weigh more.

    With `x_i` the count of a pair (weighted by nearness), `w_i`, `c_i` its two vectors and `b_i`, `a_i` their biases:

        loss = 1/n Σ_i f(x_i) (w_i·c_i + b_i + a_i - log x_i)²,    f(x) = min(1, (x / m)^α)

    The paper sums over pairs where this takes the mean. When all vectors and biases are zero (collapse) it is the mean
    of `f(x) log² x`.

    Args:
        word: `w`.
        context: `c`.
        bias: `b`, of the words.
        context_bias: `a`, of the contexts.
        count: `x`, positive.
        most: `m`, from which count on all pairs weigh the same.
        power: `α`.

    Raises:
        ValueError: there is no row, or `most` is not positive.

    Example:
        >>> import torch
        >>> zeros = torch.zeros(1, 4), torch.zeros(1, 4), torch.zeros(1), torch.zeros(1)
        >>> round(glove(*zeros, torch.tensor([100.0])).item(), 4)  # ln² 100
        21.2076

    References:
        Pennington, Socher and Manning, "GloVe: Global vectors for word representation", EMNLP 2014, equations 8 and 9.
        https://aclanthology.org/D14-1162
    """
    _check_rows("glove", word)
    if most <= 0:
        raise ValueError(f"glove needs most > 0, a count; got {most}. 100 is usual.")
    error = (word * context).sum(1) + bias + context_bias - count.log()  # (n,)
    weight = (count / most).pow(power).clamp(max=1.0)
    return (weight * error.square()).mean()


def _check_rows(name: str, rows: Float[Tensor, "n d"]) -> None:
    if len(rows) == 0:
        raise ValueError(f"{name} needs at least 1 row; got none.")
