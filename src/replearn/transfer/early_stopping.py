"""The best of what a training passes through, by samples it does not learn from, and when to wait no longer."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class BestKeeper(nn.Module):
    """Keeps the weights of the best epoch, as buffers: checkpoints have them, so a resumed run does too.

    Args:
        modules: what learns, by name.
        patience: epochs without a better score after which it is enough.
    """

    numbers: Tensor  # best score, its loss, best epoch, epochs, steps, the first epoch of the best score

    def __init__(self, modules: Mapping[str, nn.Module], *, patience: int) -> None:
        super().__init__()
        self.patience = patience
        self._kept = dict(modules)
        self.register_buffer("numbers", torch.tensor([-torch.inf, torch.inf, 0, 0, 0, 0]))
        for key, tensor in self._tensors().items():
            self.register_buffer(key, tensor.detach().clone())

    @property
    def steps(self) -> int:
        """Steps so far."""
        return int(self.numbers[4])

    @property
    def epoch(self) -> int:
        """Epochs so far."""
        return int(self.numbers[3])

    @property
    def best_epoch(self) -> int:
        """The best epoch, from 1."""
        return int(self.numbers[2])

    @property
    def best_score(self) -> float:
        """The score of the best epoch."""
        return float(self.numbers[0])

    def step(self) -> int:
        """A step was made; the number of steps so far."""
        self.numbers[4] += 1
        return self.steps

    def see(self, score: float, loss: float) -> None:
        """An epoch has ended with this score and loss; of equal scores the smaller loss is better."""
        self.numbers[3] += 1
        score, loss = torch.tensor([score, loss]).tolist()  # rounded as what is kept
        if score > float(self.numbers[0]):
            self.numbers[5] = self.numbers[3]
        if (score, -loss) > (float(self.numbers[0]), -float(self.numbers[1])):
            self.numbers[:3] = torch.tensor([score, loss, float(self.numbers[3])])
            for key, tensor in self._tensors().items():
                self.get_buffer(key).copy_(tensor)

    def should_stop(self) -> bool:
        """Whether too many epochs have passed since the best."""
        return bool(self.numbers[3] - self.numbers[5] >= self.patience)

    @torch.no_grad()
    def put_back(self) -> None:
        """Give the modules the weights of the best epoch."""
        for key, tensor in self._tensors().items():
            tensor.copy_(self.get_buffer(key))

    def _tensors(self) -> dict[str, Tensor]:
        """What may change in training: weights that learn, and buffers of numbers."""
        found: dict[str, Tensor] = {}
        for key, module in self._kept.items():
            learned = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
            numbers = [(name, b) for name, b in module.named_buffers() if b.is_floating_point()]
            found |= {f"{key}:{name}".replace(".", ":"): tensor for name, tensor in (*learned, *numbers)}
        return found
