"""`MaskedPatches`: what methods share that hide patches of a sample from its encoder."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Int
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.encoders import make_encoder
from replearn.encoders.kinds import NETWORKS
from replearn.methods.base import Method
from replearn.views import Split
from replearn.views.base import uniform


@dataclass(kw_only=True, eq=False, repr=False)
class MaskedPatches(Method):
    """A method whose encoder has patches, of which some are hidden.

    Attributes:
        encoder: `vit`, a vision transformer of timm by its name, or a module of patches.
        views: of the sample, one split with one view, or the name of a preset; None takes a large part of it.
    """

    family: ClassVar[str] = "masked"
    why_collapse: ClassVar[str | None] = None  # a prediction needs what tells samples apart
    needs: ClassVar[tuple[str, ...]] = ("encoder", "patches")
    split: ClassVar[str] = "cut"

    encoder: str | nn.Module = "vit"
    views: Split | str | None = None

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.numbers_ = numbers_per_patch(self, samples)

    def view(self, batch: Batch) -> Batch:
        """The samples as they are seen in training, before patches are hidden."""
        return self.views_(batch)[0]  # type: ignore[no-any-return]


def numbers_per_patch(method: MaskedPatches, samples: Description) -> int:
    """How many numbers a patch of such samples has.

    Raises:
        ValueError: the encoder has no patches.
    """
    encoder = method.encoder_
    content = NETWORKS[samples.kind].content(samples, 1, encoder.mean.device)
    return int(encoder.patches(content).shape[2])


def hide(batch: Batch, patches: int, share: float) -> tuple[Int[Tensor, "n k"], Int[Tensor, "n m"]]:
    """Of so many patches of each sample the places of those that are seen, and of a share that are hidden, at random.

    One at least is seen, and one hidden.
    """
    count = min(max(1, round(patches * share)), max(1, patches - 1))
    order = uniform(batch, patches).argsort(1)  # (n, p)
    return order[:, count:], order[:, :count]


def check_share(share: float) -> None:
    """Raises ValueError where this is no share of patches that can be hidden."""
    if not 0 < share < 1:
        raise ValueError(
            f"share must lie in (0, 1), since some patches are hidden and some seen; got {share}. "
            "Leave it out for the default."
        )
