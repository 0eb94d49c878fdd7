"""NNCLR: a view of a sample agrees with the nearest neighbour of the other view, which is another sample.

    batch --views--> a --encoder--> h --head--> z --nearest row of the queue--> neighbour --+
                     b --encoder--> h --head--> z --predictor--------------------> query ---+--info_nce--> loss

and the same with a and b exchanged; then the queue takes the z of a. Views can't show what else a sample might look
like; neighbours can. A neighbour is another sample: a sample's own earlier row and those of exact copies are left out
(of a million samples, as in the paper, they are hardly ever there). Equal samples of a batch are no negatives of each
other.

References: Dwibedi et al., ICCV 2021, equation 4 and section 3.3. https://arxiv.org/abs/2104.14548
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import collect, gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.methods.state.contents import Contents
from replearn.methods.state.queue import Queue
from replearn.objectives import info_nce
from replearn.objectives.contrast import negative_mask


@dataclass(kw_only=True, eq=False, repr=False)
class NNCLR(JointEmbedding):
    """Nearest-neighbour contrastive learning of visual representations.

    Attributes:
        hidden: width of the hidden layers of head and predictor.
        dim: numbers in an embedding z.
        queue: of how many embeddings of earlier batches the nearest is taken; at most one for each sample.
        temperature: of the softmax over similarities; smaller looks harder at near samples.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2021
    paper: ClassVar[str] = "https://arxiv.org/abs/2104.14548"

    hidden: int = 512
    dim: int = 128
    queue: int = 2048
    temperature: float = 0.2
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim, last_norm=True)
        self.predictor_ = mlp(self.dim, self.hidden, self.dim)
        self.queue_ = Queue(min(self.queue, len(samples)), self.dim)
        self.contents_ = Contents(len(self.queue_.stored))  # of which samples its rows are

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        z = [self.head_(self.encoder_(view)) for view in self.views_(batch)]
        query_a, query_b = (gather(self.predictor_(rows)) for rows in z)  # (n, dim) each
        z_a, z_b = (gather(rows).detach() for rows in z)
        content, rows = self.content(batch), self.queue_.rows()
        own = self.contents_.of(content)
        keep = negative_mask(z_a, content=content)
        found_a, found_b = (nearest(seen, rows, but=own) for seen in (z_a, z_b))
        one = info_nce(found_a, query_b, temperature=self.temperature, keep=keep)
        other = info_nce(found_b, query_a, temperature=self.temperature, keep=keep)
        places = self.queue_.push(z_a)
        index = collect(batch.index)
        self.contents_.note(places, index=index[-len(places) :], content=content[-len(places) :])
        return (one + other) / 2

    def loss_at_collapse(self) -> float:
        return math.log(self.batch_size)


def nearest(
    z: Float[Tensor, "n d"], rows: Float[Tensor, "m d"], *, but: Bool[Tensor, "n m"]
) -> Float[Tensor, "n d"]:
    """The row of the largest cosine with each z, but not those; of all rows where none would be left.

    >>> rows = torch.eye(2)
    >>> nearest(rows, rows, but=torch.tensor([[False, False], [False, True]])).tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    similarity = F.normalize(z.to(rows.dtype), dim=1) @ F.normalize(rows, dim=1).T  # (n, m)
    return rows[similarity.masked_fill(but & ~but.all(1, keepdim=True), -torch.inf).argmax(1)]
