"""ANIL: MAML whose steps on a task change the head alone: almost no inner loop.

    a task of an episode:
        shots   --encoder--> h --+--> head --inner_steps of gradient descent on cross_entropy--> head of the task
        queries --encoder--> h --------------------------> head of the task --> logits --cross_entropy--> loss

Most of what MAML learns is features that need no adapting. An encoder is passed once a task, so more steps cost little.

References: Raghu, Raghu, Bengio & Vinyals, ICLR 2020, section 4. https://arxiv.org/abs/1909.09157
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from replearn.data import Batch
from replearn.methods.labelled.maml import MAML


@dataclass(kw_only=True, eq=False, repr=False)
class ANIL(MAML):
    """Rapid learning or feature reuse? MAML without an inner loop for the encoder."""

    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/1909.09157"

    inner_steps: int = 5

    def learn_task(self, task: Batch) -> Float[Tensor, ""]:
        encoder: dict[str, Tensor] = dict(self.encoder_.named_parameters())
        shots, queries = self.parts(task)
        h = self.call(self.encoder_, encoder, shots, first=True)
        head: dict[str, Tensor] = dict(self.head_.named_parameters())
        for _ in range(self.inner_steps):
            loss = self.task_loss(functional_call(self.head_, head, (h,)))
            head = self.descend(loss, head, create_graph=not self.first_order)
        asked = self.call(self.encoder_, encoder, queries)
        return self.task_loss(functional_call(self.head_, head, (asked,)))

    def adapts(self, name: str) -> bool:
        return name.startswith("1.")  # of the head

    def statistics_of(self) -> nn.Module:
        return self.encoder_
