"""Images as rows of tokens, pixel by pixel: a palette of colours, and a transformer that reads them.

images --made small--> pixels, row by row --nearest colour--> tokens --transformer--> states (n, t, d), per layer
"""

from math import ceil, gcd
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data.content import as_float
from replearn.data.samples import Batch, Samples
from replearn.encoders.base import Described, Encoder
from replearn.encoders.transformer import HEAD, LENGTH, Transformer, transformer_over
from replearn.encoders.vocabulary import Tokens

GREYS = 16  # levels of images of one channel
COLOURS = 512  # 9 bits
DRAWN = 2**15  # pixels that the palette is learned from
SEEN = 2**13  # images that are looked at for it
AT_ONCE = 2**24  # distances that are held


class Palette(nn.Module):
    """Which colour of a few each pixel of a small image has.

    Images are made small by means over squares of pixels, as few as bring the longer side down to `side`. Colours are
    centres of k-means over pixels of training images, all channels together; of one channel, even levels of grey.

    Args:
        samples: give `shape`, `(c, h, w)`.
        colours: how many; None: 512, of one channel 16.
        side: pixels of the longer side at most.

    Attributes:
        shape: of a small image, `(c, h, w)`.
        colours: of the palette, in [0, 1]: `(k, c)`.
        shares: how often each place has each colour in training images, `(t, k)`.

    Example:
        >>> from replearn.data import as_samples
        >>> images = as_samples(np.array([[[[0, 80], [170, 255]]]], dtype=np.uint8))
        >>> palette = Palette(images, colours=4, side=2)
        >>> palette(images[np.arange(1)]).tolist()
        [[0, 1, 2, 3]]

    References: Chen et al., ICML 2020, section 3.2. https://proceedings.mlr.press/v119/chen20s.html
    """

    colours: Tensor
    shares: Tensor

    def __init__(self, samples: Described, *, colours: int | None, side: int) -> None:
        super().__init__()
        channels, *sizes = samples.shape
        number = colours or (GREYS if channels == 1 else COLOURS)
        times = ceil(max(sizes) / side)
        self.shape = (channels, *(max(1, size // times) for size in sizes))
        greys = torch.linspace(0, 1, number)[:, None].expand(-1, channels)
        self.register_buffer("colours", greys.clone())
        self.register_buffer("shares", torch.full((self.length, number), 1 / number))

    @property
    def length(self) -> int:
        """Tokens of an image."""
        return self.shape[1] * self.shape[2]

    def forward(self, batch: Batch | Tensor) -> Int[Tensor, "n t"]:
        """The colour of each pixel, row by row."""
        pixels = self.pixels(batch)  # (n, t, c)
        rows = pixels.flatten(0, 1).to(self.colours.dtype)
        # Without a matrix product, whose rounding depends on how many rows there are.
        found = [
            torch.cdist(part, self.colours, compute_mode="donot_use_mm_for_euclid_dist").argmin(1)
            for part in torch.split(rows, max(1, AT_ONCE // len(self.colours)))
        ]
        return torch.cat(found).view(pixels.shape[:2])

    def pixels(self, batch: Batch | Tensor) -> Float[Tensor, "n t c"]:
        """The pixels of small images."""
        x = as_float(batch.x if isinstance(batch, Batch) else batch)
        _, height, width = self.shape
        if x.shape[2:] != (height, width):
            x = F.adaptive_avg_pool2d(x, (height, width))
        return x.flatten(2).mT  # (n, t, c)

    def images(self, ids: Int[Tensor, "n t"]) -> Float[Tensor, "n c h w"]:
        """The small images that have these colours."""
        return self.colours[ids].mT.reshape(len(ids), *self.shape)

    def learn(self, samples: Samples, *, random_state: int) -> None:
        """Choose the colours, and count where they are, by up to 8,192 images, drawn at random.

        Args:
            samples: training images.
            random_state: seed of what is drawn.
        """
        rng = np.random.default_rng(random_state)
        index = np.sort(rng.permutation(len(samples))[:SEEN])
        parts = np.array_split(index, ceil(len(index) / 512))
        if self.shape[0] > 1:
            pixels = torch.cat([self.pixels(samples[part]).flatten(0, 1) for part in parts]).numpy()
            self.colours.copy_(torch.from_numpy(centres_of(pixels, len(self.colours), rng)))
        counts = torch.zeros(self.shares.shape)
        for part in parts:
            ids = self(samples[part]).T  # (t, n)
            counts.scatter_add_(1, ids, torch.ones(ids.shape))
        number = len(self.colours)
        self.shares.copy_((counts + 1 / number) / (len(index) + 1))  # none is impossible

    def histogram_bits(self, ids: Int[Tensor, "n t"]) -> Float[Tensor, " n"]:
        """Bits per pixel by how often each place has each colour in training images: what a model must beat."""
        places = torch.arange(self.length, device=ids.device)
        return -self.shares[places, ids].log2().mean(1)


class PixelNet(nn.Module):
    """A transformer over pixels whose states are normalised and averaged over positions: what an encoder has inside.

    Args:
        net: the transformer.
        layer: after how many of its layers.
    """

    fixed = False
    wraps = True

    def __init__(self, net: Transformer, *, layer: int) -> None:
        super().__init__()
        self.net = net
        self.layer = layer

    def forward(self, tokens: Tokens) -> Float[Tensor, "n d"]:
        return self.layers(tokens)[self.layer]

    def states(self, tokens: Tokens) -> list[Float[Tensor, "n t d"]]:
        """The states before and after each layer."""
        return self.net.states(tokens)

    def layers(self, tokens: Tokens) -> list[Float[Tensor, "n d"]]:
        """The mean of the normalised states before and after each layer."""
        return [F.layer_norm(states, states.shape[2:]).mean(1) for states in self.states(tokens)]

    def tokens(self, tokens: Tokens) -> Float[Tensor, "n t d"]:
        """The states after the layer that represents."""
        return self.states(tokens)[self.layer]


class PixelEncoder(Encoder):
    """An encoder of images as rows of tokens.

    Args:
        samples: images.
        palette: their colours.
        causal: whether a state tells only of the pixels before its own: a token that begins takes the place of the
            first pixel, and all others move on by one. Otherwise states tell of all pixels but hidden ones.
        dim: numbers per state.
        depth: layers.
        layer: after which of them states are the representation.

    Raises:
        ValueError: images have more pixels than it reads, or transformers is not installed.
    """

    body: PixelNet

    def __init__(
        self, samples: Described, palette: Palette, *, causal: bool, dim: int, depth: int, layer: int
    ) -> None:
        if palette.length > LENGTH:
            raise ValueError(
                f"side must leave at most {LENGTH} pixels of an image; got {palette.length}. Use a smaller one."
            )
        number = len(palette.colours)  # the token after the last colour begins, or hides
        heads = gcd(dim, max(1, dim // HEAD))
        net = transformer_over(
            number + 1, kind="gpt" if causal else "bert", dim=dim, depth=depth, heads=heads
        )
        mean, std = samples.statistics
        super().__init__(PixelNet(net, layer=layer), dim=dim, mean=mean, std=std)
        self.palette = palette
        self.causal = causal

    @property
    def mark(self) -> int:
        """The token that begins an image, or hides a pixel."""
        return len(self.palette.colours)

    def standardise(self, batch: Any) -> Tokens:
        """The batch as the body reads it."""
        if isinstance(batch, Tokens):
            return batch
        start = batch.start if isinstance(batch, Batch) else 0
        return self.seen(self.palette(batch), start)

    def seen(self, ids: Int[Tensor, "n t"], start: int = 0) -> Tokens:
        """The colours of images as the body reads them: row `i` tells of pixel `i`.

        Args:
            ids: of all pixels; some may be hidden behind the mark.
            start: these are rows of a joined batch, from this one on.
        """
        if self.causal:
            ids = F.pad(ids[:, :-1], (1, 0), value=self.mark)
        tokens = Tokens(ids, torch.ones_like(ids, dtype=torch.bool), start)
        vars(tokens)["full"] = True  # known without a look
        return tokens


def centres_of(pixels: Float[np.ndarray, "m c"], number: int, rng: np.random.Generator) -> np.ndarray:
    """Centres of k-means; of fewer colours than that, all, the last one repeated."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    drawn = pixels[rng.permutation(len(pixels))[:DRAWN]].astype(np.float32)
    unlike = np.unique(drawn, axis=0)
    if len(unlike) <= number:
        return np.concatenate([unlike, np.repeat(unlike[-1:], number - len(unlike), axis=0)])
    seed = int(rng.integers(2**31))
    with threadpool_limits(1, user_api="openmp"):  # sums do not depend on how many cores there are
        found = KMeans(number, n_init=1, max_iter=30, random_state=seed).fit(drawn).cluster_centers_
    return np.asarray(found, dtype=np.float32)
