"""What methods share that are made of restricted Boltzmann machines, one or several on top of each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders.rbm import Boltzmann, Units, switched
from replearn.engine.distributed import mean_over_processes
from replearn.engine.machine import random_state_kept
from replearn.methods.checks import check_codes, check_drawn
from replearn.methods.trained import Trained
from replearn.objectives import contrastive_divergence
from replearn.objectives.energy import free_energy
from replearn.views.base import uniform

SAME = 0.01  # a unit whose mean deviates less over samples tells nothing of them


@dataclass(kw_only=True, eq=False, repr=False)
class BoltzmannMachine(Trained):
    """A method whose representation is the mean state of binary hidden units, which it can go back from.

    It has no `encoder`; its layers are the machine. Images are taken as they are, columns of tables are put into [0, 1]
    (`replearn.encoders.rbm.Units`).

    Attributes:
        dim: hidden units, those of the representation.
        gibbs_steps: steps of Gibbs sampling of the model's states at each step of training.
        persistent: whether these go on from step to step (else they start at the batch: contrastive divergence).
        chains: how many of them go on.
    """

    family: ClassVar[str] = "reconstruction"
    needs: ClassVar[tuple[str, ...]] = ("rows",)
    refused: ClassVar[Mapping[str, str]] = {
        "precision": "its layers compute in 32 bits",
        "slice_size": "it has no encoder that could work in slices",
        "compile": "its layers are one product each, with nothing to compile",
        "fsdp": "its biases are set anew while states are drawn",
    }

    dim: int = 256
    gibbs_steps: int = 1
    persistent: bool = True
    chains: int = 100
    batch_size: int = 100
    learning_rate: float = 1e-2
    weight_decay: float = 0.0

    def sizes(self) -> list[int]:
        """Hidden units of each layer, from the bottom up."""
        return [self.dim]

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return {} if self.persistent else {"chains": "only chains that go on (persistent) are so many"}

    def build(self, samples: Description) -> None:
        numbers = {name: getattr(self, name) for name in ("dim", "gibbs_steps", "chains")}
        if wrong := [name for name, number in numbers.items() if number < 1]:
            raise ValueError(
                f"{wrong[0]} must be at least 1; got {numbers[wrong[0]]}. Leave it out for the default."
            )
        self.units_ = Units(samples)
        below = [self.units_.dim, *self.sizes()]
        self.layers_ = nn.ModuleList(
            Boltzmann(visible, hidden, chains=self.chains, rates=None if i else self.units_.rates())
            for i, (visible, hidden) in enumerate(pairwise(below))
        )

    @property
    def machines(self) -> list[Boltzmann]:
        """The layers, from the bottom up."""
        return [layer for layer in self.layers_ if isinstance(layer, Boltzmann)]

    def layer_loss(self, layer: Boltzmann, p: Float[Tensor, "n d"], batch: Batch) -> Float[Tensor, ""]:
        """The loss of a layer whose visible units are on with probabilities p."""
        v = switched(p, uniform(batch, p.shape[1]))
        layer.follow(mean_over_processes(p.mean(0)), mean_over_processes(layer(v).detach().mean(0)))
        if self.persistent:
            model = layer.advance(self.gibbs_steps)
        else:
            model = layer.gibbs(v, steps=self.gibbs_steps, draw=lambda k: uniform(batch, k))
        inputs = layer.inputs(torch.cat([v, model]))  # (n + m, k)
        b = layer.visible_bias
        return contrastive_divergence(v * b, inputs[: len(v)], model * b, inputs[len(v) :])

    def up(self, batch: Batch) -> list[Float[Tensor, "n _"]]:
        """The mean of the units of each layer given that of the one below, beginning with the sample itself."""
        means = [self.units_(batch)]
        for layer in self.machines:
            means.append(layer(means[-1]))
        return means

    def down(self, h: Float[Tensor, "n dim"]) -> Float[Tensor, "n d"]:
        """The mean of the lowest units, given that of the highest."""
        for layer in self.machines[::-1]:
            h = layer.back(h)
        return h

    def represent(self, batch: Batch) -> Float[Tensor, "n dim"]:
        return self.up(batch)[-1]

    @property
    def representation_dim(self) -> int:
        return self.dim

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        means = self.up(batch)
        top, h = self.machines[-1], means[-1]
        found = {
            "dead_units": (h.std(0) < SAME).float().mean(),
            "reconstruction": (self.down(h) - means[0]).square().sum(1).mean(),
        }
        if self.persistent:
            v = switched(means[-2], uniform(batch, means[-2].shape[1]))
            found["free_energy_gap"] = energy(top, v).mean() - energy(top, top.chain).mean()
        return found

    def inverse_transform(self, codes: Any) -> Float[np.ndarray, "n ..."]:
        """Samples from codes `(n, dim)`: the mean of the lowest units, `(n, *shape)` on the samples' scale.

        Raises:
            ValueError: codes are of another width, or not finite.
        """
        codes = check_codes(codes, self.dim)
        own = self.machines[-1].weight
        with torch.inference_mode():
            h = torch.as_tensor(codes, dtype=own.dtype, device=own.device)
            return numbers_of(self.units_.back(self.down(h)))

    def sample(self, n: int, *, steps: int = 1000, random_state: int = 0) -> Float[np.ndarray, "n ..."]:
        """Samples that the model makes up, `(n, *shape)`: the means of the lowest units.

        Gibbs chains go on in the top machine from where training left its own; their last state comes down, layer by
        layer.

        Args:
            n: how many, each from a chain of its own.
            steps: of Gibbs sampling.
            random_state: seed.

        Raises:
            ValueError: n or steps is less than 1.
        """
        check_drawn(n)
        check_drawn(steps, "steps")
        top = self.machines[-1]
        rows = torch.arange(n, device=top.chain.device) % len(top.chain)
        with torch.inference_mode(), random_state_kept():
            torch.manual_seed(random_state)

            def draw(k: int) -> Tensor:
                return torch.rand(n, k, device=top.chain.device)

            v = top.gibbs(top.chain[rows], steps=steps, draw=draw)
            mean = top.back(switched(top(v), draw(top.dim)))
            for layer in self.machines[-2::-1]:
                mean = layer.back(switched(mean, draw(layer.dim)))
            return numbers_of(self.units_.back(mean))

    def filters(self) -> Float[np.ndarray, "k ..."]:
        """What each unit of the representation looks for, `(dim, *shape)`: products of the layers' weights."""
        with torch.inference_mode():
            weight: Tensor = self.machines[0].weight
            for layer in self.machines[1:]:
                weight = layer.weight @ weight  # (k, d)
            return numbers_of(weight.reshape(-1, *self.units_.shape))


def energy(layer: Boltzmann, v: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """The free energy of visible states under a layer."""
    return free_energy(v * layer.visible_bias, layer.inputs(v))


def numbers_of(x: Tensor) -> np.ndarray:
    """Float32 on the CPU."""
    return x.float().cpu().numpy()
