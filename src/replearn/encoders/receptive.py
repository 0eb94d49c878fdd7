"""Where in an image a unit of a convolutional network looks: maps of every stage, and receptive fields."""

from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.encoders.base import Encoder
from replearn.encoders.stages import Stages

Box = tuple[int, int, int, int]  # top, left, bottom, right: rows and columns from the first up to the last


def stage_maps(encoder: Encoder, batch: Batch) -> list[Tensor]:
    """What each stage of the encoder's body returns, before pooling: maps `(n, c, h, w)` or rows `(n, d)`.

    Raises:
        ValueError: the body is no chain of stages.
    """
    if not isinstance(encoder.body, Stages):
        raise ValueError(
            f"stage_maps needs a network of stages; got {type(encoder.body).__name__}. Use encoder.layers(batch)."
        )
    x, found = encoder.standardise(batch), []
    for stage in encoder.body.stages:
        x = stage(x)
        found.append(x)
    return found


class ReceptiveFields:
    """Which pixels a unit of a stage depends on, by its place on the map.

    They are found, not computed from kernels and strides: in a copy of the network all weights are made positive, so
    that nothing cancels and every rectifier is open; the pixels with a gradient are then all that there are.

    Args:
        body: a network of stages.
        stage: the stage whose maps are meant, from 0.
        shape: `(c, h, w)` of the images.

    Example:
        >>> from replearn.encoders import CNN
        >>> fields = ReceptiveFields(CNN(1), 0, (1, 8, 8))
        >>> fields.at(4, 4), fields.at(0, 0), fields.side
        ((3, 3, 6, 6), (0, 0, 2, 2), (3, 3))
    """

    def __init__(self, body: Stages, stage: int, shape: tuple[int, ...]) -> None:
        self.net = positive(nn.Sequential(*list(body.stages)[: stage + 1]))
        self.x = torch.ones(1, *shape, dtype=torch.float64)
        self.found: dict[tuple[int, int], Box] = {}
        with torch.no_grad():
            height, width = self.net(self.x.clone()).shape[2:]
        top, left, bottom, right = self.at(height // 2, width // 2)
        self.side = bottom - top, right - left  # of one that no border cuts

    def at(self, row: int, column: int) -> Box:
        """The pixels that the unit at this place of the map sees."""
        if (row, column) not in self.found:
            with torch.enable_grad():
                x = self.x.clone().requires_grad_()
                # The clone lets layers that work in place do so: they may not on a leaf.
                seen = self.net(x.clone())[0, :, row, column].sum()
                (gradient,) = torch.autograd.grad(seen, x)
            rows, columns = (
                torch.nonzero(gradient[0].abs().sum((0, axis))).ravel().tolist() for axis in (2, 1)
            )
            self.found[row, column] = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
        return self.found[row, column]

    def cut(self, image: Float[Tensor, "c h w"], row: int, column: int) -> Float[Tensor, "c s t"]:
        """What the unit sees of an image; what lies beyond its border is black."""
        top, left, bottom, right = self.at(row, column)
        patch = image[:, top:bottom, left:right]
        more = self.side[0] - (bottom - top), self.side[1] - (right - left)
        above, before = max(0, more[0]) * (top == 0), max(0, more[1]) * (left == 0)
        padding = before, max(0, more[1]) - before, above, max(0, more[0]) - above
        return torch.nn.functional.pad(patch, padding)


def positive(net: nn.Module) -> nn.Module:
    """A copy whose weights are all positive, without biases, and whose batch normalisation changes nothing."""
    net = deepcopy(net).double().cpu().eval()
    for name, parameter in net.named_parameters():
        parameter.data.fill_(0.0 if name.endswith("bias") else 1.0 / max(1, parameter[0].numel()))
    for name, buffer in net.named_buffers():
        buffer.data.fill_(1.0 if name.endswith("running_var") else 0.0)
    return net.requires_grad_(False)
