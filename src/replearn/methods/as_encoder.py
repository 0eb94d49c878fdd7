"""Fitted methods that have no network, such as visual words, where an encoder is asked for."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch
from replearn.encoders import Encoder
from replearn.methods.outline import Outline


class FittedModel(Encoder):
    """All of a fitted method as an encoder that is read, and does not learn: batch --represent--> h.

    Args:
        method: it shares its modules.
        width: numbers per sample where it is known better than the method knows, whose modules await their weights.
    """

    body: nn.ModuleDict
    method: Outline

    def __init__(self, method: Outline, width: int | None = None) -> None:
        modules = nn.ModuleDict(method.modules())
        dim = width or method.representation_dim
        super().__init__(modules, dim=dim, mean=torch.zeros(1), std=torch.ones(1))
        self.method = method

    def read(self, batch: Batch, want: str = "pooled", **chosen: Any) -> Float[Tensor, "n dim"]:  # type: ignore[override]
        """The representation.

        Raises:
            ValueError: something else is asked for.
        """
        if want != "pooled" or chosen:
            raise ValueError(
                f"{type(self.method).__name__} has no network, and a row of numbers per sample is all that it tells; "
                f"it was asked for {want}. Take a run of a method of networks, such as SimCLR."
            )
        return self.method.represent(batch)
