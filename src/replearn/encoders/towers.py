"""`Towers`: an encoder for each member of samples that have several; what they make of a sample lies side by side."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from replearn.data.pairs import member
from replearn.encoders.base import Encoder, Want
from replearn.encoders.stages import NoStages


class Towers(Encoder):
    """Encoders of the members of samples, by name.

    Args:
        towers: an encoder for each member; the representation is theirs, one after the other.
    """

    def __init__(self, towers: Mapping[str, Encoder]) -> None:
        width = sum(tower.dim for tower in towers.values())
        super().__init__(nn.ModuleDict(towers), dim=width, mean=torch.zeros(1), std=torch.ones(1))
        self.locked: frozenset[str] = frozenset()

    @property
    def towers(self) -> dict[str, Encoder]:
        """By the name of the member that they read."""
        return dict(self.body.items())  # type: ignore[operator]

    def lock(self, names: frozenset[str]) -> None:
        """Let the towers of these members learn nothing: their weights stay, and so do their running statistics."""
        self.locked = names
        for name in names:
            self.towers[name].requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Towers":
        super().train(mode)
        for name in self.locked:
            self.towers[name].eval()
        return self

    def read(
        self,
        batch: Any,
        want: Want = "pooled",
        *,
        keep: Tensor | None = None,
        hidden: Tensor | None = None,
        token: Tensor | None = None,
    ) -> Any:
        """What all towers make of a batch, `(n, dim)`.

        Raises:
            ValueError: something else is wanted, which members have apart: ask a tower.
        """
        if want != "pooled" or keep is not None or hidden is not None:
            raise NoStages(
                f"{want} are of one member; these encoders read {', '.join(self.towers)}. Take one of them."
            )
        found: list[Tensor] = [tower(member(batch, name)) for name, tower in self.towers.items()]
        return torch.cat(found, dim=1)
