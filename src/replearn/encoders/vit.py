"""A transformer over patches: of images, and of whatever else lies on a grid."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from replearn.encoders.patching import Sizes, chosen, grid_of, patchify, positions, side_for, unpatchify
from replearn.encoders.short_attention import attention
from replearn.encoders.stages import pooled

HEAD = 32  # numbers per attention head


class ViT(nn.Module):
    """Patches, embedded and told their places, through blocks of attention; the output is the mean of their states.

        (n, c, *sizes) -patches-> (n, p, v) -linear, + positions-> states (n, p, width) -blocks, norm, mean-> (n, width)

    Places are told by sines and cosines, so samples of any size are read. There is no class token: means do as well
    (Zhai et al., CVPR 2022, section 3.1). The defaults give `dim` 128 and 795,520 parameters for 28-pixel grey
    images.

    Blocks are ours: timm's take two seconds to import, and torch's have another path for inference.

    Args:
        shape: `(c, *sizes)` of samples.
        side: places along the side of a patch; None: see `replearn.encoders.patching.side_for`.
        width: numbers per state.
        depth: blocks.

    References: Dosovitskiy et al., ICLR 2021, section 3.1. https://arxiv.org/abs/2010.11929
        He et al., CVPR 2022, appendix A.1 (positions, initialisation). https://arxiv.org/abs/2111.06377
    """

    def __init__(
        self, shape: Sequence[int], *, side: int | None = None, width: int = 128, depth: int = 4
    ) -> None:
        super().__init__()
        channels, *sizes = shape
        self.side = side or side_for(sizes)
        self.embed = nn.Linear(channels * self.side ** len(sizes), width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        initialise(self)

    def forward(self, x: Float[Tensor, "n c ..."]) -> Float[Tensor, "n dim"]:
        return pooled(self.states(x)[-1])  # (n, dim)

    def states(
        self,
        x: Float[Tensor, "n c ..."],
        keep: Int[Tensor, "n k"] | None = None,
        hidden: Bool[Tensor, "n p"] | None = None,
        token: Float[Tensor, "*p width"] | None = None,
    ) -> list[Float[Tensor, "n _ width"]]:
        """The patches' states after each block, the last ones normalised; see `Encoder.read`."""
        states = self.embed(self.patches(x))  # (n, p, width)
        if hidden is not None and token is not None:
            states = torch.where(hidden[:, :, None], token.to(states.dtype), states)
        # In the weights' precision, and so are all sums of states.
        states = states + positions(self.grid(x), states.shape[2], self.norm.weight)
        if keep is not None:
            states = chosen(states, keep)  # (n, k, width)
        found = []
        for block in self.blocks:
            states = block(states)
            found.append(states)
        return [*found[:-1], self.norm(states)]

    def layers(self, x: Float[Tensor, "n c ..."]) -> list[Float[Tensor, "n dim"]]:
        """The states after each block, pooled over patches."""
        return [pooled(states) for states in self.states(x)]

    def tokens(self, x: Float[Tensor, "n c ..."]) -> Float[Tensor, "n p dim"]:
        """The last states, row by row."""
        return self.states(x)[-1]

    def grid(self, x: Float[Tensor, "n c ..."]) -> Sizes:
        """How many patches lie along each axis."""
        return grid_of(x.shape[2:], self.side)

    def patches(self, x: Float[Tensor, "n c ..."]) -> Float[Tensor, "n p v"]:
        """The samples' patches, each as a row of its numbers."""
        return patchify(x, self.side)

    def assemble(self, patches: Float[Tensor, "n p v"], like: Float[Tensor, "n c ..."]) -> Tensor:
        """Samples like these, of patches."""
        return unpatchify(patches, like.shape[2:], self.side)


class Block(nn.Module):
    """Attention and two layers, each added to what came in, which is normalised first.

    Args:
        width: numbers per state.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        # About HEAD numbers each; heads are equally wide.
        self.heads = next(heads for heads in range(max(1, width // HEAD), 0, -1) if width % heads == 0)
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, states: Float[Tensor, "n t width"]) -> Float[Tensor, "n t width"]:
        states = states + self.attend(self.norm1(states))
        found: Tensor = states + self.mlp(self.norm2(states))
        return found

    def attend(self, states: Float[Tensor, "n t width"]) -> Float[Tensor, "n t width"]:
        """What each state takes from all of them."""
        parts = (
            self.qkv(states).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        )  # (3, n, heads, t, _)
        found = attention(*parts.unbind(0))  # (n, heads, t, _)
        mixed: Tensor = self.proj(found.transpose(1, 2).flatten(2))  # (n, t, width)
        return mixed


class PatchPredictor(nn.Module):
    """A small transformer that tells what hidden patches are, from the states of others and from places alone.

        states + positions ----+
        token + positions asked +--blocks, norm, linear--> what is asked (n, m, out)

    Args:
        dim: numbers per state that it reads.
        width, depth: its own.
        out: numbers that it tells of a patch.
    """

    def __init__(self, dim: int, *, width: int, depth: int, out: int) -> None:
        super().__init__()
        self.embed = nn.Linear(dim, width)
        self.token = nn.Parameter(torch.empty(width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, out)
        initialise(self)
        nn.init.normal_(self.token, std=0.02)

    def forward(
        self,
        states: Float[Tensor, "n k dim"],
        places: Int[Tensor, "n k"],
        asked: Int[Tensor, "n m"],
        where: Float[Tensor, "n p width"],
    ) -> Float[Tensor, "n m out"]:
        """What the patches asked for are.

        Args:
            states: of the patches that were seen.
            places: where these lie.
            asked: where the others do.
            where: what tells the place of each patch, seen or not; see `Encoder.where`.
        """
        seen = self.embed(states)  # (n, k, width)
        where = where.to(self.token.dtype)  # in the weights' precision
        rows = torch.cat([seen + chosen(where, places), self.token + chosen(where, asked)], dim=1)
        for block in self.blocks:
            rows = block(rows)
        told: Tensor = self.out(self.norm(rows[:, states.shape[1] :]))  # (n, m, out)
        return told


def initialise(net: nn.Module) -> None:
    """Glorot's uniform initialisation of all linear layers, biases of 0."""
    for module in net.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
