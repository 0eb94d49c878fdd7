"""A number that changes in the course of a training, kept as a buffer: it is saved and resumed with the weights."""

import torch
from torch import Tensor, nn


class Number(nn.Module):
    """One number, 0 at first."""

    value: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("value", torch.zeros(()))
