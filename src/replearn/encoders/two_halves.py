"""Networks of folders that read images, and halves of networks that bring images and texts together."""

from jaxtyping import Float
from torch import Tensor, nn

from replearn.encoders.text import TextBody
from replearn.encoders.transformer import Transformer
from replearn.encoders.vocabulary import Tokens


class VisionBody(nn.Module):
    """A vision transformer of the Hugging Face libraries: the state of its first token, or a linear map of that.

    Args:
        net: the network, which takes `pixel_values` of one size.
        projection: into the space that it shares with texts, or None.
        scale: what cosines in that space are multiplied by.
    """

    fixed = True
    wraps = True

    def __init__(
        self, net: nn.Module, projection: nn.Linear | None = None, scale: float | None = None
    ) -> None:
        super().__init__()
        self.net = net
        self.projection = projection
        self.scale = scale
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
        scale: what cosines in that space are multiplied by.
    """

    def __init__(self, net: Transformer, projection: nn.Linear, scale: float) -> None:
        super().__init__(net, pooling="last")
        self.projection = projection
        self.scale = scale
        self.dim = projection.out_features

    def forward(self, tokens: Tokens) -> Float[Tensor, "n dim"]:
        h: Tensor = self.projection(super().forward(tokens))
        return h


def shared_scale(bodies: list[nn.Module]) -> float | None:
    """What cosines are multiplied by between halves of one network; None where they are of several, or of none."""
    scales = {getattr(body, "scale", None) for body in bodies}
    return scales.pop() if len(scales) == 1 else None


def projects(body: nn.Module) -> bool:
    """Whether what a network returns lies in a space that it shares with other kinds."""
    return isinstance(getattr(body, "projection", None), nn.Linear)
