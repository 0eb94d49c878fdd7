"""Networks of folders that read images, and halves of networks that bring images and texts together."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from replearn.encoders.text import TextBody
from replearn.encoders.transformer import Transformer
from replearn.encoders.vocabulary import Tokens


@dataclass(frozen=True)
class Space:
    """Where embeddings of both halves of a network lie.

    Attributes:
        name: a hash of the linear maps into it, by which halves of one network know each other.
        scale: what cosines are multiplied by.
    """

    name: str
    scale: float


class VisionBody(nn.Module):
    """A vision transformer of the Hugging Face libraries: the state of its first token, or a linear map of that.

    Args:
        net: the network, which takes `pixel_values` of one size.
        projection: into the space that it shares with texts, or None.
        space: which space that is.
    """

    fixed = True
    wraps = True

    def __init__(
        self, net: nn.Module, projection: nn.Linear | None = None, space: Space | None = None
    ) -> None:
        super().__init__()
        self.net = net
        self.projection = projection
        self.space = space
        self.dim: int = net.config.hidden_size if projection is None else projection.out_features  # type: ignore[union-attr, assignment]

    def forward(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n dim"]:
        read = self.net(pixel_values=x)
        if self.projection is None:
            h: Tensor = read.last_hidden_state[:, 0]
            return h
        projected: Tensor = self.projection(read.pooler_output)
        return projected

    def layers(self, x: Float[Tensor, "n 3 h w"]) -> list[Float[Tensor, "n d"]]:
        """The first token's state after each layer, and what is returned."""
        states = self.net(pixel_values=x, output_hidden_states=True).hidden_states
        return [*(state[:, 0] for state in states[1:-1]), self(x)]

    def tokens(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n p d"]:
        """The last states of the patches."""
        found: Tensor = self.net(pixel_values=x).last_hidden_state
        return found[:, 1:]


class ProjectedTexts(TextBody):
    """The half that reads texts: the state of the last token, mapped into the space that it shares with images.

    Args:
        net: the network over tokens.
        projection: the linear map.
        space: which space that is.
    """

    def __init__(self, net: Transformer, projection: nn.Linear, space: "Space") -> None:
        super().__init__(net, pooling="last")
        self.projection = projection
        self.space = space
        self.dim = projection.out_features

    def forward(self, tokens: Tokens) -> Float[Tensor, "n dim"]:
        h: Tensor = self.projection(super().forward(tokens))
        return h


def shared_scale(bodies: list[nn.Module]) -> float | None:
    """What cosines are multiplied by in the space of networks; None where they have several spaces, or one has none."""
    spaces = {getattr(body, "space", None) for body in bodies}
    space = spaces.pop() if len(spaces) == 1 else None
    return space.scale if isinstance(space, Space) else None
