"""What networks of graphs share: layers by torch_geometric, states of nodes, and rows pooled from them."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from replearn.data.graphs import Linked
from replearn.data.graphs.content import Pooling
from replearn.data.needed import needed
from replearn.data.samples import Batch
from replearn.encoders.base import Encoder

POOLINGS = ("sum", "mean", "max")


def convolutions() -> Any:
    """`torch_geometric.nn`.

    Raises:
        ValueError: it is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's, of how torch_geometric compiles
        return needed("torch_geometric.nn", "networks of graphs need")


class GraphNet(nn.Module):
    """Layers in which nodes read their neighbours, each followed by BatchNorm over nodes and ReLU.

    Args:
        stages: layers that read `(nodes, edges)`, or with `marked` also the edges' numbers.
        dim: numbers of a node's state after each layer.
        marked: whether the layers read the edges' numbers.
        pooling: sum, mean or largest of the states of a graph's nodes. Nodes that are samples are not pooled.
        concatenate: whether the representation is what is pooled of all layers, side by side; else of the last.
        plain_end: leave the last layer's states without BatchNorm and ReLU.

    Attributes:
        dim: numbers of the representation.
        width: numbers of a node's state.
    """

    def __init__(
        self,
        stages: Sequence[nn.Module],
        *,
        dim: int,
        marked: bool,
        pooling: Pooling = "sum",
        concatenate: bool = True,
        plain_end: bool = False,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}; got {pooling!r}. Choose one.")
        self.stages = nn.ModuleList(stages)
        after: Callable[[], nn.Module] = lambda: nn.Sequential(nn.BatchNorm1d(dim), nn.ReLU())  # noqa: E731
        bare = int(plain_end)
        ends: list[nn.Module] = [after() for _ in stages[bare:]] + [nn.Identity()] * bare
        self.ends = nn.ModuleList(ends)
        self.width = dim
        self.marked = marked
        self.pooling: Pooling = pooling
        self.concatenate = concatenate
        self.dim = dim * len(stages) if concatenate else dim

    def forward(self, x: Linked) -> Float[Tensor, "n dim"]:
        if not self.concatenate:
            return x.pool(self.states(x)[-1], self.pooling)
        return torch.cat(self.layers(x), dim=1)

    def layers(self, x: Linked) -> list[Float[Tensor, "n d"]]:
        """What is pooled of the nodes' states after each layer."""
        return [x.pool(states, self.pooling) for states in self.states(x)]

    def states(self, x: Linked) -> list[Float[Tensor, "v h"]]:
        """The nodes' states after each layer."""
        states, found = x.nodes, []
        given = (x.marks,) if self.marked else ()
        for stage, end in zip(self.stages, self.ends, strict=True):
            states = end(stage(states, x.edges, *given))
            found.append(states)
        return found

    def layer(self, wide: int, out: int) -> nn.Module:
        """Another layer like these, from `wide` to `out` numbers a node."""
        raise NotImplementedError


class GraphEncoder(Encoder):
    """An encoder whose network reads graphs, or nodes of one, with numbers of nodes brought to a common scale.

    Numbers that are small already, as those are that say yes or no, stay as they are.
    """

    def standardise(self, batch: Any) -> Any:
        x: Linked = (batch.x if isinstance(batch, Batch) else batch).floats()
        nodes = (x.nodes - self.mean) / self.std
        marks = None if x.marks is None else x.marks.to(nodes.dtype)
        return x.with_nodes(nodes).with_edges(x.edges, marks)

    def numbers(self, batch: Batch) -> Float[Tensor, "v d"]:
        """The nodes' numbers, standardised."""
        found: Tensor = self.standardise(batch).nodes
        return found

    def with_numbers(self, batch: Batch, which: Bool[Tensor, " v"], numbers: Float[Tensor, "*v d"]) -> Batch:
        """The same samples with other numbers, standardised ones, of some nodes."""
        x: Linked = batch.x.floats()
        return batch.with_x(
            x.with_nodes(torch.where(which[:, None], numbers * self.std + self.mean, x.nodes))
        )

    def sums(self, batch: Batch, rows: Float[Tensor, "v k"]) -> Float[Tensor, "n k"]:
        """The sums of what there is of nodes over each sample."""
        x: Linked = batch.x
        return x.pool(rows, "sum")


class NodeDecoder(nn.Module):
    """One layer like the encoder's, by which nodes' numbers are told from their neighbours' states.

    Args:
        encoder: of graphs, or nodes.
        out: numbers of a node.
    """

    def __init__(self, encoder: GraphEncoder, out: int) -> None:
        super().__init__()
        body: Any = encoder.body
        if not hasattr(body, "layer"):
            raise ValueError(
                f"a decoder of nodes needs a network that has another layer; {type(body).__name__} has none. Add a "
                "method layer(wide, out) to the module, or use an encoder by name."
            )
        self.first = nn.Linear(body.width, body.width, bias=False)
        self.layer = body.layer(body.width, out)
        self.marked = body.marked

    def forward(
        self, states: Float[Tensor, "v d"], batch: Batch, hidden: Bool[Tensor, " v"]
    ) -> Float[Tensor, "v out"]:
        """The numbers of all nodes, of whose own states those that are hidden are left out."""
        states = self.first(states).masked_fill(hidden[:, None], 0)
        x: Linked = batch.x.floats()
        marks = (x.marks.to(self.first.weight.dtype),) if self.marked and x.marks is not None else ()
        told: Tensor = self.layer(states, x.edges, *marks)
        return told


def scale_of(mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation by which columns are scaled: 0 and 1 of those that are small as they are."""
    small = (mean.abs() <= 1) & (std <= 1)
    return torch.where(small, 0.0, mean), torch.where(small, 1.0, std)
