"""Every timm model by name, fitted to the shape of the images. Loaded late: importing timm takes seconds."""

import re
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from replearn.encoders.given import Sized, dry_run
from replearn.encoders.patching import Sizes, chosen, grid_of, patchify, unpatchify
from replearn.encoders.stages import NoStages, pooled
from replearn.encoders.weights import State, fill, read_weights

SMALL = 65  # Below this many pixels, a stem that divides the size by 4 leaves too little.
# Architectures refuse a size in many ways: by assertion, by shapes that do not fit, by dividing by zero.
REFUSALS = (ValueError, TypeError, RuntimeError, AssertionError, ArithmeticError, LookupError, AttributeError)


class EncoderWarning(UserWarning):
    """An encoder reads samples in another form than they have."""


class TimmNet(nn.Module):
    """A timm model without its classifier.

    Args:
        net: the model.
        patch: images are padded to a multiple of it, with zeros (the mean, once standardised).

    Attributes:
        resize: height and width to which images are resized first, or None.
        fixed: whether the model reads images of one size only.
    """

    wraps = True
    resize: tuple[int, ...] | None = None
    fixed: bool = False

    def __init__(self, net: nn.Module, *, patch: int = 1) -> None:
        super().__init__()
        self.net = net
        self.patch = patch

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n dim"]:
        h: Tensor = self.net(self.fitted(x))  # (n, dim)
        return h

    def maps(self, x: Float[Tensor, "n c h w"]) -> list[Float[Tensor, "n _ _ _"]]:
        """What each stage returns, `(n, d, h, w)`; of transformers each block."""
        found: list[Tensor] = self._method("forward_intermediates")(
            self.fitted(x), output_fmt="NCHW", intermediates_only=True
        )
        return found

    def layers(self, x: Float[Tensor, "n c h w"]) -> list[Float[Tensor, "n _"]]:
        """What each stage returns, pooled over positions."""
        maps: list[Tensor] = self._method("forward_intermediates")(self.fitted(x), intermediates_only=True)
        return [pooled(found) for found in maps]

    def tokens(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n t d"]:
        """The last map as one token per position, row by row, without class tokens."""
        found: Tensor = self._method("forward_features")(self.fitted(x))
        if found.ndim == 3:
            prefix = int(getattr(self.net, "num_prefix_tokens", 0))
            return found[:, prefix:]  # (n, t, d)
        last = str(getattr(self.net, "output_fmt", "NCHW")).endswith("NHWC")
        return found.flatten(1, 2) if last else found.flatten(2).mT  # (n, h·w, d)

    def map(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d _ _"]:
        """The last map; of transformers, the tokens of patches where these lie.

        Raises:
            NoStages: the tokens are no grid of patches.
        """
        x = self.fitted(x)
        found: Tensor = self._method("forward_features")(x)
        if found.ndim == 4:
            last = str(getattr(self.net, "output_fmt", "NCHW")).endswith("NHWC")
            return found.permute(0, 3, 1, 2) if last else found
        patch = getattr(getattr(self.net, "patch_embed", None), "patch_size", (self.patch, self.patch))
        height, width = (side // step for side, step in zip(x.shape[2:], patch, strict=True))
        tokens = found[:, int(getattr(self.net, "num_prefix_tokens", 0)) :]  # (n, t, d)
        if tokens.shape[1] != height * width:
            raise NoStages(
                f"map needs tokens of a grid of patches; {type(self.net).__name__} has {tokens.shape[1]} for "
                f"{height} x {width} patches. Use another one."
            )
        return tokens.mT.reshape(len(tokens), -1, height, width)  # (n, d, h, w)

    def fitted(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c _ _"]:
        """The images resized where the model needs it, then padded right and below to whole patches."""
        if self.resize:
            x = F.interpolate(x, self.resize, mode="bilinear", antialias=True)  # (n, c, *resize)
        h, w = x.shape[-2:]
        return F.pad(x, (0, -w % self.patch, 0, -h % self.patch)) if h % self.patch or w % self.patch else x

    def _method(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] | None = getattr(self.net, name, None)
        if method is None:
            raise NoStages(
                f"layers and tokens need timm's {name}; {type(self.net).__name__} has none. Use another one."
            )
        return method


class TimmViT(TimmNet):
    """One of timm's vision transformers, of which some patches alone can be read: see `Encoder.read`."""

    net: VisionTransformer

    def states(
        self,
        x: Float[Tensor, "n c h w"],
        keep: Int[Tensor, "n k"] | None = None,
        hidden: Bool[Tensor, "n p"] | None = None,
        token: Float[Tensor, " d"] | None = None,
    ) -> list[Float[Tensor, "n _ d"]]:
        """The patches' states after each block, the last ones normalised, without class tokens."""
        net, prefix = self.net, self.net.num_prefix_tokens
        states = net.patch_embed(self.fitted(x))  # (n, p, d), or (n, *grid, d)
        if hidden is not None and token is not None:
            states = torch.where(hidden.view(states.shape[:-1])[..., None], token.to(states.dtype), states)
        states = net._pos_embed(states)
        if keep is not None:
            states = torch.cat([states[:, :prefix], chosen(states[:, prefix:], keep)], dim=1)
        states = net.norm_pre(states)
        found = []
        for block in net.blocks:
            states = block(states)
            found.append(states)
        return [layer[:, prefix:] for layer in [*found[:-1], net.norm(states)]]

    @property
    def side(self) -> int:
        """Pixels along the side of a patch."""
        return int(self.net.patch_embed.patch_size[0])

    def grid(self, x: Float[Tensor, "n c h w"]) -> Sizes:
        """How many patches lie along each axis."""
        return grid_of(self.fitted(x).shape[2:], self.side)

    def patches(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n p v"]:
        """The patches, each as a row of its numbers."""
        return patchify(self.fitted(x), self.side)

    def assemble(self, patches: Float[Tensor, "n p v"], like: Float[Tensor, "n c h w"]) -> Tensor:
        """Images like these, of patches."""
        sizes = self.resize or tuple(like.shape[2:])
        x = unpatchify(patches, sizes, self.side)
        return F.interpolate(x, like.shape[2:], mode="bilinear", antialias=True) if self.resize else x


def is_timm(name: str) -> bool:
    """Whether timm has an architecture, or a variant `architecture.weights`, of this name. Builds nothing."""
    try:
        timm.get_pretrained_cfg(name)
    except RuntimeError:  # timm knows the architecture, but no weights called like the part after the dot
        return False
    return bool(timm.is_model(name))


def timm_names() -> list[str]:
    """The names of timm's architectures. Builds nothing."""
    return list(timm.list_models())


def timm_net(name: str, shape: tuple[int, int, int], *, weights: Path | None = None) -> TimmNet:
    """A timm model without classifier for images of one shape; random weights, or those of a local file.

    Images below 65 pixels get a stem that fits them: vision transformers smaller patches, about 7 along the
    shorter side; convolutional networks a first convolution 3x3 with stride 1 and no max-pool after it (as
    for the 32-pixel images of He et al. 2016, section 4.2). With weights, the stem of convolutional networks
    is the one in the file.

    Images are padded with zeros (the mean, once standardised) to a multiple of the patch. An architecture
    that cannot be built for their size reads them resized to 64 pixels, if that is larger, or to its own
    size; a warning says so.

    Vision transformers read crops of other sizes too, with their position embeddings resized.

    Args:
        name: of the architecture.
        shape: `(c, h, w)`.
        weights: a `.safetensors`, `.pth` or `.pt` file.

    Raises:
        ValueError: no size works, or the weights do not fit.
    """
    small = min(shape[1:]) < SMALL
    if weights is None:
        return _fitted(name, shape, small=small)
    state = read_weights(weights)
    body = _fitted(name, shape, small=small)
    if not _stem_fits(body.net, state):
        body = _fitted(name, shape, small=False)
    adapt = getattr(sys.modules[type(body.net).__module__], "checkpoint_filter_fn", None)
    if adapt is not None:
        # timm's own conversion: renames keys of old releases, resizes patches and position embeddings.
        state = adapt(state, body.net)
    fill(body.net, state, weights, first=_names(body.net, "first_conv"), heads=_names(body.net, "classifier"))
    return body


def _fitted(name: str, shape: tuple[int, int, int], *, small: bool) -> TimmNet:
    """The model built for the images' own size, or else reading them resized."""
    channels, *size = shape
    config = timm.get_pretrained_cfg(name)
    usual = tuple(config.input_size[1:]) if config else (224, 224)
    reasons = []
    for side in (tuple(size), *([(64, 64)] if max(size) < 64 else []), usual):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = _build(name, channels, side, small=small and side == tuple(size))
            body.resize = None if side == tuple(size) else side
            dry_run(body, Sized(shape))
        except REFUSALS as error:
            reasons.append(f"{type(error).__name__}: {error}")
            continue
        if body.resize:
            warnings.warn(
                f"{name} cannot be built for images of {tuple(size)} pixels; it reads them at {side}.",
                EncoderWarning,
                stacklevel=5,
            )
        return body
    raise ValueError(
        f"{name} must read images of shape {shape}, and cannot ({reasons[0]}). Try resnet_small or resnet18."
    )


def _build(name: str, channels: int, size: tuple[int, ...], *, small: bool) -> TimmNet:
    named = re.search(r"_(?:patch|p)(\d+)", name)
    patch = int(named[1]) if named else 1
    knobs: dict[str, Any] = {"dynamic_img_size": True}
    if named and small:
        patch = max(1, min(patch, min(size) // 7))
        knobs["patch_size"] = patch
    knobs["img_size"] = tuple(side + -side % patch for side in size)
    net, taken = _create(name, channels, knobs)
    if small and "img_size" not in taken:
        _small_stem(net)
    # One-channel images fit both orders of memory: the order of the weights decides which kernels run.
    net.to(memory_format=torch.channels_last)
    body = (TimmViT if isinstance(net, VisionTransformer) else TimmNet)(net, patch=patch)
    body.fixed = "img_size" in taken and "dynamic_img_size" not in taken
    return body


def _create(name: str, channels: int, knobs: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    """The model with those of the knobs that its constructor takes, and these knobs."""
    try:
        return timm.create_model(name, pretrained=False, in_chans=channels, num_classes=0, **knobs), knobs
    except TypeError as error:
        # Nothing else says which knobs an architecture has: the interpreter names the one it refuses.
        refused = re.search(r"keyword argument '(\w+)'", str(error))
        if refused is None or refused[1] not in knobs:
            raise
        return _create(name, channels, {key: value for key, value in knobs.items() if key != refused[1]})


def _names(net: nn.Module, key: str) -> Sequence[str]:
    config: dict[str, Any] = getattr(net, "pretrained_cfg", None) or {}
    found = config.get(key) or ()
    return (found,) if isinstance(found, str) else tuple(found)


def _stem_fits(net: nn.Module, state: State) -> bool:
    wanted = net.state_dict()
    names = [f"{name}.weight" for name in _names(net, "first_conv") if "embed" not in name]
    return all(
        state[name].shape[2:] == wanted[name].shape[2:] for name in names if name in state and name in wanted
    )


def _small_stem(net: nn.Module) -> None:
    """First convolution 3x3 with stride 1, no max-pool after it; networks that embed patches stay."""
    for name in (name for name in _names(net, "first_conv") if "embed" not in name):
        conv = net.get_submodule(name)
        if not isinstance(conv, nn.Conv2d) or conv.stride == (1, 1):
            continue
        made = type(conv)(
            conv.in_channels, conv.out_channels, 3, stride=1, padding=1, bias=conv.bias is not None
        )
        nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
        net.set_submodule(name, made)
    for name in ("maxpool", "stem.pool", "features.pool0", "layer0.pool"):
        if any(found == name for found, _ in net.named_modules()):
            net.set_submodule(name, nn.Identity())
