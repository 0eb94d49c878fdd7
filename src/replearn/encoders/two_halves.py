"""Networks of folders that read images, and halves of networks that bring images and texts together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from replearn.data.tokenizer import Tokenizer
from replearn.encoders.dropout import rows_of
from replearn.encoders.text import TextBody
from replearn.encoders.transformer import Transformer, without_hooks
from replearn.encoders.vocabulary import Tokens, Vocabulary


@dataclass(frozen=True)
class Space:
    """Where embeddings of both halves of a network lie.

    Attributes:
        name: a hash of the linear maps into it, by which halves of one network know each other.
        scale: what cosines are multiplied by.
        bias: what is then added to them, where each pair is told to belong together or not (SigLIP); else None.
    """

    name: str
    scale: float
    bias: float | None = None


class VisionBody(nn.Module):
    """A vision transformer of the Hugging Face libraries: the state of its first token, or a linear map of that.

    Args:
        net: the network, which takes `pixel_values` of one size.
        projection: into the space that it shares with texts, or None.
        space: which space that is.
    """

    fixed = True
    forgets = True
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

    def __getstate__(self) -> dict[str, Any]:
        """What pickle keeps: without the library's hooks."""
        without_hooks(self.net)
        return vars(self).copy()


class AttendedImages(VisionBody):
    """A vision transformer of patches alone, which a head pools by attention (SigLIP's).

    Args:
        net: as of `VisionBody`; its `pooler_output` is the representation.
        space: that it shares with texts, or None.
    """

    def __init__(self, net: nn.Module, space: Space | None = None) -> None:
        super().__init__(net, None, space)

    def forward(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n dim"]:
        h: Tensor = self.net(pixel_values=x).pooler_output
        return h

    def layers(self, x: Float[Tensor, "n 3 h w"]) -> list[Float[Tensor, "n d"]]:
        """The mean over patches after each layer but the last, and what is returned."""
        read = self.net(pixel_values=x, output_hidden_states=True)
        return [*(state.mean(1) for state in read.hidden_states[1:-1]), read.pooler_output]

    def tokens(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n p d"]:
        """The last states of the patches."""
        found: Tensor = self.net(pixel_values=x).last_hidden_state
        return found


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


class Unmasked(Transformer):
    """A network that was trained on texts of one length, and pays attention to what fills them up."""

    def states(self, tokens: Tokens) -> list[Float[Tensor, "n t d"]]:
        with rows_of(tokens):
            found = self.net(input_ids=tokens.ids, output_hidden_states=True)
        return [*found.hidden_states[:-1], found.last_hidden_state]


class HeadedTexts(TextBody):
    """SigLIP's half that reads texts: the state at the last place, which may be one that fills up, behind a linear map.

    Args:
        net: the network over tokens, with a `head`.
        space: that it shares with images.
        pad: the token that fills texts up to the length of the network.

    References: Zhai et al., ICCV 2023. https://arxiv.org/abs/2303.15343
    """

    def __init__(self, net: Unmasked, space: Space, *, pad: int) -> None:
        super().__init__(net, pooling="last")
        self.space = space
        self.pad = pad
        self.filled = net.length
        self.dim: int = net.net.head.out_features  # type: ignore[union-attr, assignment]

    def forward(self, tokens: Tokens) -> Float[Tensor, "n dim"]:
        h: Tensor = self.net.net.head(super().forward(tokens))  # type: ignore[union-attr, operator]
        return h

    def pool(self, states: Float[Tensor, "n t d"], tokens: Tokens) -> Float[Tensor, "n d"]:
        """The state at the last place."""
        return states[:, -1]

    def vocabulary(self, tokenizer: Tokenizer) -> Vocabulary:
        """What turns texts into tokens for it."""
        return FilledVocabulary(tokenizer, length=self.filled, pad=self.pad)


class FilledVocabulary(Vocabulary):
    """A vocabulary for networks that read texts of one length: all are filled up to it.

    Args:
        tokenizer: to be kept.
        length: tokens of each text.
        pad: the one that fills up.
    """

    def __init__(self, tokenizer: Tokenizer, *, length: int, pad: int) -> None:
        super().__init__(tokenizer)
        self.length = length
        self.pad = pad

    def cut(self, rows: list[list[int]], length: int) -> list[list[int]]:
        """Rows of at most `length` tokens, of which the last stays: it is the mark of the end."""
        return [row if len(row) <= length else [*row[: length - 1], row[-1]] for row in rows]

    def tokens(
        self,
        ids: Int[Tensor, "n t"],
        mask: Bool[Tensor, "n t"],
        start: int = 0,
        total: int | None = None,
        types: Int[Tensor, "n t"] | None = None,
        *,
        others: Sequence[str] = (),
    ) -> Tokens:
        more = max(0, self.length - ids.shape[1])
        ids = nn.functional.pad(ids.masked_fill(~mask, self.pad), (0, more), value=self.pad)  # (n, length)
        types = None if types is None else nn.functional.pad(types, (0, more))
        return Tokens(ids, nn.functional.pad(mask, (0, more)), start, total, types)


def shared_space(bodies: list[nn.Module]) -> Space | None:
    """The space of networks; None where they have several, or one has none, or they are not as wide."""
    spaces = {getattr(body, "space", None) for body in bodies}
    widths = {getattr(body, "dim", None) for body in bodies}
    space = spaces.pop() if len(spaces) == len(widths) == 1 else None
    return space if isinstance(space, Space) else None
