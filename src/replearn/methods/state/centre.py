"""The centre and the sharpening that make targets of a teacher's scores."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Centre(nn.Module):
    """Targets `softmax((scores - centre) / temperature)`; the centre is a moving average of the mean score.

    Subtracting the centre keeps one prototype from taking all samples, a low temperature keeps all prototypes
    from sharing every sample. Scores that are read in training are kept for the next centre; the centre itself
    moves in `follow`, once per step. All is in buffers: saved, resumed and alike on all processes (pass
    gathered rows).

    Args:
        dim: numbers per score, the number of prototypes.
        first, last: temperature at the start and after its warm-up.

    Example:
        >>> centre = Centre(2, first=1.0, last=1.0)
        >>> centre(torch.tensor([[3.0, 0.0]])).argmax().item()
        0
        >>> centre.follow(momentum=0.5, warm=1.0)
        >>> centre.mean.tolist(), centre(torch.tensor([[1.5, 0.0]])).tolist()
        ([1.5, 0.0], [[0.5, 0.5]])

    References: Caron et al., ICCV 2021, section 3.1, equation 4. https://arxiv.org/abs/2104.14294
    """

    mean: Tensor
    temperature: Tensor
    total: Tensor
    seen: Tensor

    def __init__(self, dim: int, *, first: float, last: float) -> None:
        super().__init__()
        self.first, self.last = first, last
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("temperature", torch.tensor(first))
        self.register_buffer("total", torch.zeros(dim))  # of the scores of this step
        self.register_buffer("seen", torch.zeros(()))

    @torch.no_grad()
    def forward(self, scores: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        if self.training:
            self.total += scores.sum(0)
            self.seen += len(scores)
        return ((scores - self.mean) / self.temperature).softmax(1)

    @torch.no_grad()
    def follow(self, *, momentum: float, warm: float) -> None:
        """End a step: `c <- momentum c + (1 - momentum) mean of its scores`, and the temperature of the next.

        Args:
            momentum: of the centre.
            warm: share of the temperature's warm-up done; more than 1 is 1.
        """
        mean = self.total / self.seen.clamp(min=1)  # (k,)
        self.mean.lerp_(mean, (1 - momentum) * (self.seen > 0).to(mean.dtype))
        self.total.zero_()
        self.seen.zero_()
        self.temperature.fill_(self.first + (self.last - self.first) * min(1.0, warm))
