"""An encoder takes a batch and gives its representation: `encoder(batch) -> h`, of shape `(n, dim)`."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from replearn.data.content import floats_of
from replearn.data.samples import Batch
from replearn.encoders.patching import positions
from replearn.encoders.stages import NoStages

Want = Literal["pooled", "map", "maps", "states", "layers"]


@runtime_checkable
class Described(Protocol):
    """What an encoder is made from: samples, or the description of them that a saved run keeps.

    Attributes:
        kind: `image`, `table`, ...
        shape: of one sample, `(c, h, w)` or `(d,)`.
        statistics: mean and standard deviation of each channel or column, `(c,)` or `(d,)`.

    What describes texts has a `tokenizer`, too.
    """

    @property
    def kind(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def statistics(self) -> tuple[Tensor, Tensor]: ...


class Encoder(nn.Module):
    """A network that reads batches, with the scaling of its input.

    The body takes float tensors, `(n, c, h, w)` or `(n, d)`, standardised per channel or column by `mean` and
    `std`; images reach it in channels-last order of memory, which convolutions on CPUs and GPUs prefer.

    Args:
        body: the network. Where it has methods `layers(x)` and `tokens(x)`, so has the encoder.
        dim: numbers per sample that the body returns.
        mean, std: of each channel (images, in [0, 1]) or column (tables), `(c,)`.
        size: height and width of the only images that the body reads, or None; small crops are resized to it.

    Attributes:
        recipe: JSON that makes it again, its weights aside, of an encoder that a method has made; else None.
    """

    # Whether it reads sequences: it has states per position, and what it reads is filled up to one length.
    sequential: ClassVar[bool] = False

    mean: Tensor
    std: Tensor
    recipe: str | None = None

    def __init__(
        self,
        body: nn.Module,
        *,
        dim: int,
        mean: Float[Tensor, " c"],
        std: Float[Tensor, " c"],
        size: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.body = body
        self.dim = dim
        self.size = size
        self.register_buffer("mean", mean.clone())
        self.register_buffer("std", std.clone())

    def forward(self, batch: Batch | Tensor) -> Float[Tensor, "n dim"]:
        h: Tensor = self.read(batch)  # (n, dim)
        return h

    def read(
        self,
        batch: Any,
        want: Want = "pooled",
        *,
        keep: Int[Tensor, "n k"] | None = None,
        hidden: Bool[Tensor, "n p"] | None = None,
        token: Float[Tensor, " d"] | None = None,
    ) -> Any:
        """What the body makes of a batch, a tensor as its content, or what `standardise` gave: the one way in.

        Slices and compilation go through here, so what methods train with must, too.

        Args:
            batch: samples.
            want: `pooled`, the representation `(n, dim)`; of images also `map`, the last one before it is pooled,
                `(n, d, h, w)` (see `replearn.encoders.maps`), and `maps`, that of each stage; of texts and patches also
                `states`, the last layer's `(n, t, d)`, or `layers`, the states before and after each layer (of patches:
                after each).
            keep: of each sample the places of the patches that are seen; the others are dropped before the first layer.
            hidden: which patches' embeddings are replaced by `token`, their places still being told.

        Raises:
            ValueError: patches are chosen, and the network has none.
        """
        x = self.standardise(batch)
        if want == "pooled":
            return self.body(x)
        if want in ("map", "maps"):
            return self._method(want)(x)
        if keep is None and hidden is None:
            states = self._method("states")(x)
        else:
            self._patched("grid")
            states = self.body.states(x, keep=keep, hidden=hidden, token=token)  # type: ignore[operator]
        return states[-1] if want == "states" else states

    def read_as(self, pooling: str, length: int | None) -> None:
        """Pool the states of sequences so, and read so much of one at most; of other samples there is nothing to do."""

    @property
    def forgets(self) -> bool:
        """Whether steps as large as a head's make it forget: it reads texts, or is of the Hugging Face libraries."""
        return self.sequential or bool(getattr(self.body, "forgets", False))

    @property
    def net(self) -> nn.Module:
        """The network in its own layout, without what fits it to samples: timm's, torchvision's, the library's."""
        net = self.body
        while getattr(net, "wraps", False):
            net = net.net  # type: ignore[assignment]
        return net

    def layers(self, batch: Batch) -> list[Float[Tensor, "n _"]]:
        """What each stage of the body returns, pooled over positions, from the first stage to the last.

        Raises:
            ValueError: the body says nothing of its stages.
        """
        found: list[Tensor] = self._method("layers")(self.standardise(batch))  # k of (n, d_i)
        return found

    def tokens(self, batch: Batch) -> Float[Tensor, "n t _"]:
        """The last map as one row of numbers per position, row by row; class tokens are left out.

        A row has `dim` numbers, except in networks that widen the pooled map (MobileNetV3).

        Raises:
            ValueError: the body says nothing of its positions.
        """
        found: Tensor = self._method("tokens")(self.standardise(batch))  # (n, t, d)
        return found

    def grid(self, batch: Any) -> tuple[int, ...]:
        """How many patches lie along each axis of such samples.

        Raises:
            ValueError: the network has no patches.
        """
        found: tuple[int, ...] = self._patched("grid")(self.standardise(batch))
        return found

    def where(self, batch: Any, dim: int) -> Float[Tensor, "n p dim"]:
        """Waves that tell where each patch lies: on its grid, unless the network has places of its own (`where`).

        Raises:
            ValueError: the network has no patches.
        """
        x = self.standardise(batch)
        grid = self._patched("grid")(x)
        if hasattr(self.body, "where"):
            return self.body.where(x, dim)  # type: ignore[no-any-return, operator]
        return positions(grid, dim, self.mean).expand(len(x), -1, -1)

    @property
    def sets(self) -> int:
        """Numbers of each element of a patch, where a patch is a set without order (of points: 3); else 0."""
        return int(getattr(self.body, "sets", 0))  # type: ignore[arg-type]

    def patches(self, batch: Any) -> Float[Tensor, "n p v"]:
        """The standardised numbers of each patch.

        Raises:
            ValueError: the network has no patches.
        """
        found: Tensor = self._patched("patches")(self.standardise(batch))
        return found

    def assemble(self, patches: Float[Tensor, "n p v"], like: Batch) -> Tensor:
        """Samples of patches like those of `patches`, on the samples' scale.

        Raises:
            ValueError: the network has no patches.
        """
        whole: Tensor = self._patched("assemble")(patches, self.standardise(like))
        return self.unstandardise(whole)

    def standardise(self, batch: Any) -> Any:
        """The batch as the body reads it: floats, of zero mean and unit variance per channel or column if a tensor."""
        x = floats_of(batch.x if isinstance(batch, Batch) else batch)
        if not isinstance(x, Tensor):  # its network knows what is in it
            return x
        shape = (1, -1, *(1,) * (x.ndim - 2))
        if (
            x.ndim == 2
        ):  # of a column whose mean is large beside its deviation, the shorter way would keep rounding
            return (x - self.mean) / self.std
        # (x - mean) / std in one pass over memory.
        x = torch.addcmul((-self.mean / self.std).view(shape), x, (1 / self.std).view(shape))
        if self.size and x.shape[2:] != self.size:
            x = F.interpolate(x, self.size, mode="bilinear", antialias=True)  # (n, c, *size)
        return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x

    def unstandardise(self, x: Tensor) -> Tensor:
        """Back to the samples' scale: [0, 1] for images, the columns' units for tables."""
        shape = (1, -1, *(1,) * (x.ndim - 2))
        return x * self.std.view(shape) + self.mean.view(shape)

    def _patched(self, name: str) -> Callable[..., Any]:
        if not hasattr(self.body, "patches"):
            raise ValueError(
                f"this needs an encoder of patches, and {type(self.net).__name__} has none. Use vit, or a vision "
                "transformer of timm."
            )
        method: Callable[..., Any] = getattr(self.body, name)
        return method

    def _method(self, name: str) -> Callable[[Tensor], Any]:
        method: Callable[[Tensor], Any] | None = getattr(self.body, name, None)
        if method is None:
            raise NoStages(
                f"{name} needs a network that has a method {name}(x); {type(self.body).__name__} has none. "
                "Add the method to the module, or use an encoder by name."
            )
        return method
