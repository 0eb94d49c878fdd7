"""Counts of subtrees, by which graphs are compared without learning (Weisfeiler and Lehman)."""

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data.content import mixed
from replearn.data.graphs.content import Graphs, row_hashes

ROUNDS = 3
COLUMNS = 1024


def subtree_counts(x: Graphs, *, rounds: int = ROUNDS) -> Float[Tensor, "n 1024"]:
    """How often each colour of nodes occurs, as log(1 + count), over all rounds; a column is a hash of a colour.

    A node's colour is its own numbers at first. In each round it becomes that of its colour and the multiset of its
    neighbours' colours, each with the numbers of the edge to it.

    Reference: Shervashidze et al., JMLR 2011, section 3.2. https://jmlr.org/papers/v12/shervashidze11a.html
    """
    colours = row_hashes(x.nodes)  # (v,)
    marks = 0 if x.marks is None else row_hashes(x.marks)
    counts = torch.zeros(x.n, COLUMNS)
    for step in range(rounds + 1):
        columns = (mixed(colours + step) >> 8) & (COLUMNS - 1)
        counts.index_put_((x.of, columns), torch.ones(len(colours)), accumulate=True)
        coming = mixed(colours[x.edges[0]] + marks)
        colours = mixed(mixed(colours).index_add(0, x.edges[1], coming) + step)
    return counts.log1p()
