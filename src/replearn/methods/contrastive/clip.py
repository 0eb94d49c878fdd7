"""CLIP: a picture and its caption find each other among those of the batch; any kinds of members, two or more.

    batch --views--> image --encoder of images--> h_1 --linear--> z_1 --+
                     text  --encoder of texts---> h_2 --linear--> z_2 --+--softmax_pairing--> loss

The scale of the cosines is learned. Samples of which one member is equal are no negatives of each other: two pictures
with one caption would both be right. The representation is all h side by side; `member(name)` takes one of them.

References: Radford et al., ICML 2021, section 2.3, figure 3. https://arxiv.org/abs/2103.00020
    sigmoid: Zhai et al., ICCV 2023, Algorithm 1. https://arxiv.org/abs/2303.15343
    locked: Zhai et al., CVPR 2022, section 4. https://arxiv.org/abs/2111.07991
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from scipy.special import expit, softmax
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples, as_samples
from replearn.data.alike import read_alike
from replearn.data.copies import content_hashes
from replearn.data.kinds import KINDS, WORDS
from replearn.data.pairs import member, texts_of
from replearn.data.processes import gather
from replearn.data.progress import progress
from replearn.encoders import make_encoder
from replearn.encoders.kinds import TOWERS
from replearn.encoders.towers import Towers
from replearn.encoders.two_halves import shared_space
from replearn.engine.embed import embed_parts
from replearn.engine.machine import choose_for_inference
from replearn.methods.base import JointEmbedding
from replearn.methods.checks import check_views
from replearn.methods.exhibit import Exhibit
from replearn.objectives.modalities import sigmoid_pairing, softmax_pairing
from replearn.views.members import Apart

LARGEST = 100.0  # of scales
SOME = 1000  # samples that are looked at for a difference
MANY = 2000  # samples of which one is told how far it is
# At the beginning: the scale, and of sigmoids what is added, since nearly all pairs of a batch do not belong together.
SOFTMAX, SIGMOID = 1 / 0.07, (10.0, -10.0)


class Scale(nn.Module):
    """What cosines are multiplied by, learned as its logarithm; and what is added to them, where something is."""

    def __init__(self, scale: float, bias: float | None = None) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = None if bias is None else nn.Parameter(torch.tensor(bias))

    def forward(self) -> Float[Tensor, ""]:
        return self.log.exp()


@dataclass(kw_only=True, eq=False, repr=False)
class CLIP(JointEmbedding):
    """Contrastive language-image pre-training, of any two members of samples, or more.

    Attributes:
        encoder: of each member, `image=resnet_tiny,text=gru` say; `auto` fits the kind of each; `hf:FOLDER` is a CLIP
            or a SigLIP that has learned, with its projections, its scale and its bias.
        dim: numbers in an embedding z, except of a network in a folder, which has its own.
        views: `Apart(...)`, a view of each member; None shows each nearly as it is.
        pairing: `softmax`, each finds its partner, or `sigmoid`, each pair is told to belong together or not; `auto`:
            as a SigLIP in a folder has learned, else `softmax`.
        locked: members whose encoders learn nothing, since they have learned before.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2021
    paper: ClassVar[str] = "https://arxiv.org/abs/2103.00020"
    needs: ClassVar[tuple[str, ...]] = (*JointEmbedding.needs, TOWERS)
    split: ClassVar[str] = "groups"

    dim: int = 128
    pairing: Literal["auto", "softmax", "sigmoid"] = "auto"
    locked: tuple[str, ...] = ()
    batch_size: int = 128
    learning_rate: float = 1e-3

    def check(self, samples: Samples) -> None:
        super().check(samples)
        for name, part in samples.members.items():
            some = part.subset(
                np.unique(np.linspace(0, len(part) - 1, min(len(part), SOME)).astype(np.int64))
            )
            if len(np.unique(content_hashes(some))) < 2:
                raise ValueError(
                    f"members must differ between samples, so that partners can be found; of {name!r} all "
                    f"{len(some):,} that were looked at are alike. Name other columns."
                )

    def build(self, samples: Description) -> None:
        check_views(self, Apart, "views of members apart")
        encoder = make_encoder(self.encoder, samples)
        assert isinstance(encoder, Towers)
        self.encoder_ = encoder
        unknown = [name for name in self.locked if name not in encoder.towers]
        if unknown or len(self.locked) == len(encoder.towers):
            raise ValueError(
                f"locked must name some of the members {', '.join(encoder.towers)}, not all; got "
                f"{', '.join(unknown or self.locked)}. Leave them out."
            )
        encoder.lock(frozenset(self.locked))
        # Halves of one network that has learned are together already.
        shared = shared_space([tower.body for tower in encoder.towers.values()])
        self.heads_ = nn.ModuleDict(
            {
                name: nn.Identity() if shared else nn.Linear(tower.dim, self.dim, bias=False)
                for name, tower in encoder.towers.items()
            }
        )
        together = self.pairing == "sigmoid" or (
            self.pairing == "auto" and shared and shared.bias is not None
        )
        scale, bias = SIGMOID if together else (SOFTMAX, None)
        if shared:
            scale, bias = shared.scale, bias if bias is None or shared.bias is None else shared.bias
        self.scale_ = Scale(scale, bias)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        views = zip(self.encoder_.towers.items(), self.views_(batch), strict=True)
        z = [gather(self.heads_[name](tower(view))) for (name, tower), view in views]  # (n, dim) each
        told = {"scale": self.scale_(), "keep": self.unlike(batch)}
        if self.scale_.bias is None:
            losses = [softmax_pairing(a, b, **told) for a, b in combinations(z, 2)]
        else:
            losses = [sigmoid_pairing(a, b, bias=self.scale_.bias, **told) for a, b in combinations(z, 2)]
        return torch.stack(losses).mean()

    def unlike(self, batch: Batch) -> Bool[Tensor, "n n"]:
        """Which samples of the joined batch differ in every member."""
        found = [self.content(member(batch, name)) for name in self.encoder_.towers]
        differ = torch.stack([content[:, None] != content for content in found])
        return differ.all(0)  # type: ignore[no-any-return]

    def after_step(self, progress: float) -> None:
        if self.scale_.bias is None:  # SigLIP's has no bound
            with torch.no_grad():
                self.scale_.log.clamp_(max=math.log(LARGEST))

    def embed(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        """Those of all members, side by side."""
        parts = torch.split(h, [tower.dim for tower in self.encoder_.towers.values()], dim=1)
        return torch.cat([head(part) for head, part in zip(self.heads_.values(), parts, strict=True)], dim=1)

    def loss_at_collapse(self) -> float | None:
        together = self.pairing == "sigmoid" or (hasattr(self, "scale_") and self.scale_.bias is not None)
        return None if together else math.log(self.batch_size)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """The scale of the cosines, and how often the first two members of a sample find each other in this batch."""
        first, second, *_ = self.directions(batch).values()
        found = (first @ second.T).argmax(1) == torch.arange(len(first), device=first.device)
        return {"scale": self.scale_(), "partner_found": found.float().mean()}

    def directions(self, batch: Batch) -> dict[str, Float[Tensor, "n d"]]:
        """Embeddings z of each member, of length 1."""
        towers = self.encoder_.towers.items()
        return {
            name: F.normalize(self.heads_[name](tower(member(batch, name))), dim=1) for name, tower in towers
        }

    def exhibit(self, batch: Batch) -> Exhibit | None:
        """Samples, and which of their texts is most like each of them by another member; None without such members."""
        texts = [name for name, part in self.samples_.members.items() if WORDS in KINDS[part.kind].offers]
        others = [name for name in self.samples_.members if name not in texts]
        if not texts or not others:
            return None
        z, told = self.directions(batch), texts_of(batch, texts[0])
        found = [told[place] for place in (z[others[0]] @ z[texts[0]].T).argmax(1).tolist()]
        return Exhibit(
            "Which text is its own?",
            f"Test samples, and which of their {len(set(told)):,} texts is most like the {others[0]} of each.",
            {others[0]: batch.floats().x},
            found,
            [one == own for one, own in zip(found, told, strict=True)],
        )

    def project(self, X: Any, *, of: str | None = None) -> Float[np.ndarray, "n d"]:
        """Embeddings z of samples that have one member alone, each of length 1: their cosines tell what goes together.

        Args:
            X: samples of the member's kind, as `transform` takes them.
            of: the member; None: the only one whose kind `X` is.

        Raises:
            ValueError: there is no such member, or `X` is of another kind or shape.
        """
        name = self.member_of(X) if of is None else of
        if name not in self.samples_.members:
            raise ValueError(
                f"of must be one of the members {', '.join(self.samples_.members)}; got {name!r}."
            )
        expected = self.samples_.members[name]
        samples = read_alike(X, expected)
        if (samples.kind, samples.shape) != (expected.kind, expected.shape):
            raise ValueError(
                f"samples must be like the member {name!r} of fit, {expected.kind} of shape {expected.shape}; got "
                f"{samples.kind} of shape {samples.shape}. Name another member by of=."
            )
        tower, head = self.encoder_.towers[name], self.heads_[name]
        machine, rows = choose_for_inference(self.device, self.precision), []
        parts = embed_parts(
            lambda batch: F.normalize(head(tower(batch)), dim=1), [tower, head], samples, machine
        )
        with progress(f"embedding {name}" if len(samples) >= MANY else "", len(samples)) as advance:
            for part in parts:
                rows.append(part)
                advance(len(part))
        return np.concatenate(rows)

    def member_of(self, X: Any) -> str:
        """The only member whose kind some samples are.

        Raises:
            ValueError: there is none, or there are several.
        """
        kind = as_samples(X).kind
        fitting = [name for name, part in self.samples_.members.items() if part.kind == kind]
        if len(fitting) != 1:
            kinds = ", ".join(f"{name} ({part.kind})" for name, part in self.samples_.members.items())
            raise ValueError(
                f"samples must be of one member's kind, {kinds}; got {kind}. Name the member by of=."
            )
        return fitting[0]

    def classify(
        self,
        X: Any,
        classes: Sequence[Any] | Mapping[str, Sequence[str]],
        *,
        templates: Sequence[str] = ("{}",),
        of: str | None = None,
        by: str | None = None,
    ) -> Float[np.ndarray, "n k"]:
        """Probabilities of classes that nobody labelled anything with: by what their names are like (zero-shot).

        Of `softmax` they are shares of 1. Of `sigmoid` each class has its own probability, that the sample and the name
        belong together: a row may have none that is likely, or several.

        Args:
            X: samples of one member's kind, such as images.
            classes: their names, of which prompts are made; or a mapping from each to a list of names, or descriptions.
            templates: of prompts, with a place `{}` for a name; a class is the mean of its prompts.
            of: the member that `X` is, if several might be.
            by: the member of texts that names are read as, if there are several.

        Raises:
            ValueError: classes are fewer than two or alike, no single member of texts is there besides, or a template
                has no place for a name.

        References: Radford et al., ICML 2021, section 3.1. https://arxiv.org/abs/2103.00020
            sigmoid: Zhai et al., ICCV 2023, Algorithm 1. https://arxiv.org/abs/2303.15343
        """
        asked = self.member_of(X) if of is None else of
        names = _named(classes)
        wrong = (
            [one for one in templates if "{}" not in one] if not isinstance(templates, str) else [templates]
        )
        if wrong or not templates:
            raise ValueError(
                f"templates must be a list of texts with a place {{}} for a name; got {(wrong or ['none'])[0]!r}."
            )
        prompts = [[one.replace("{}", name) for name in each for one in templates] for each in names.values()]
        z = self.project([prompt for each in prompts for prompt in each], of=self._texts(asked, by))
        starts = np.cumsum([0, *map(len, prompts)])[:-1]
        means = np.add.reduceat(z, starts, axis=0)  # (k, d), of a length that does not matter
        directions = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        logits = self.scale_().item() * self.project(X, of=asked) @ directions.T
        if self.scale_.bias is None:
            return softmax(logits, axis=1)  # type: ignore[no-any-return]
        return expit(logits + self.scale_.bias.item())  # type: ignore[no-any-return]

    def _texts(self, asked: str, by: str | None) -> str:
        """The member of texts by which another one is classified."""
        members = self.samples_.members
        texts = [name for name in members if name != asked and WORDS in KINDS[members[name].kind].offers]
        if (by is None and len(texts) != 1) or (by is not None and by not in texts):
            raise ValueError(
                f"by must name a member of texts beside {asked!r}: {', '.join(texts) or 'there is none'}; got "
                f"{by or 'none'}."
            )
        return by or texts[0]


def _named(classes: Any) -> dict[str, list[str]]:
    """Names of each class, by the class."""
    if isinstance(classes, Mapping):
        named = {str(name): list(each) for name, each in classes.items()}
    else:
        listed = [] if isinstance(classes, str) else list(classes)
        if not all(isinstance(name, str) for name in listed):
            raise ValueError(
                "classes must be names; of several names each, give {'dog': ['dog', 'hound'], ...}."
            )
        named = {name: [name] for name in listed}
        if len(named) < len(listed):
            twice = next(name for name in listed if listed.count(name) > 1)
            raise ValueError(f"classes must differ; got {twice!r} more than once. Leave the others out.")
    if len(named) < 2 or not all(each and all(map(str.strip, each)) for each in named.values()):
        raise ValueError(f"classes must be two or more, each with a name; got {classes!r:.60}. Give a list.")
    return named
