"""A CLIP of images and texts as one plain module: what both encoders make of a sample, in the space that they share.

bytes (n, c, h, w) --floats, standardised--> encoder of images --linear--> z (n, d)
ids (n, t)         ------------------------> encoder of texts  --linear--> z (n, d)
"""

from typing import Any

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from replearn.data.kinds import KINDS, PIXELS, WORDS
from replearn.data.tokenizer import FIRST, LAST, PAD
from replearn.encoders import Encoder, TextEncoder, Tokens
from replearn.methods import CLIP
from replearn.service.exports.exported import SHORTEST, Exported, TensorSpec, generator_of

INSTEAD = "`replearn embed` writes its representations."


class OfPairs(Exported):
    """Images as bytes, and texts as ids of tokens, each filled up to the longest text that the network reads.

    Args:
        model: fitted on images and texts; it is copied.
        image, text: names of these members.

    Attributes:
        size: height and width of images as the network reads them.
    """

    def __init__(self, model: CLIP, image: str, text: str) -> None:
        super().__init__(model)
        towers = self.model.encoder_.towers  # type: ignore[attr-defined]
        self.image, self.text = image, text
        self.images: Encoder = towers[image]
        self.captions: TextEncoder = towers[text]
        self.last = self.texts.vocabulary.tokenizer.special(LAST)
        self.channels, *sizes = self.model.samples_.members[image].shape
        self.size = tuple(self.images.size or getattr(self.images.body, "resize", None) or sizes)
        length = self.texts.length
        self.inputs = (
            TensorSpec("image", "float32", ("n", 3, *self.size), "what `preprocess` makes of pictures"),
            TensorSpec("text", "int64", ("n", length), f"what the tokenizer makes of texts, {length} tokens"),
        )

    @property
    def texts(self) -> TextEncoder:
        return self.captions

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        dim = self.told(*self.drawn(1, seed=0))[0].shape[1]
        named = {"image_features": "embeddings of images", "text_features": "embeddings of texts"}
        found = [TensorSpec(name, "float32", ("n", dim), meaning) for name, meaning in named.items()]
        found.append(TensorSpec("logit_scale", "float32", (1,), "what their cosines are multiplied by"))
        if self.model.scale_.bias is not None:  # type: ignore[attr-defined]
            found.append(TensorSpec("logit_bias", "float32", (1,), "what is added to the scaled cosines"))
        return tuple(found)

    def forward(self, images: UInt8[Tensor, "n c h w"], ids: Int[Tensor, "n t"]) -> tuple[Tensor, ...]:
        return self.told(images, ids)

    def told(self, x: Any, n: Any) -> tuple[Tensor, ...]:
        """The outputs for images x, and as many texts n."""
        heads, scale = self.model.heads_, self.model.scale_  # type: ignore[attr-defined]
        z = (heads[self.image](self.images(x)), heads[self.text](self.texts.read(self.tokens(n))))
        return *z, scale().view(1), *(() if scale.bias is None else (scale.bias.view(1),))

    def tokens(self, ids: Int[Tensor, "n t"]) -> Tokens:
        """Texts that end where the first mark of an end is."""
        ends = (ids == self.last).int().argmax(1)  # (n,)
        return Tokens(ids, torch.arange(ids.shape[1]) <= ends[:, None])

    def drawn(self, n: int, seed: int) -> tuple[Tensor, ...]:
        generator, tokenizer = generator_of(seed), self.texts.vocabulary.tokenizer
        images = torch.randint(0, 256, (n, self.channels, *self.size), dtype=torch.uint8, generator=generator)
        length = self.texts.length
        marks = {tokenizer.special(name) for name in (PAD, LAST)}
        ordinary = torch.tensor([i for i in range(tokenizer.size) if i not in marks])
        ids = ordinary[torch.randint(0, len(ordinary), (n, length), generator=generator)]
        ids[:, 0] = tokenizer.special(FIRST)
        ends = torch.randint(1, length, (n, 1), generator=generator)
        ends[0] = min(SHORTEST + 3 * n, length - 1)
        place = torch.arange(length)
        ids = ids.where(place < ends, torch.tensor(self.last))
        return images, ids.where(place <= ends, torch.tensor(self.texts.pad))


def pairs_from(model: Any, name: str = "the run") -> OfPairs:
    """A fitted CLIP of images and texts as a module.

    Args:
        model: what `replearn.load` gives.
        name: of it, for messages.

    Raises:
        ValueError: it is something else, or its texts have no mark of their end.
    """
    if not isinstance(model, CLIP) or not hasattr(model, "samples_"):
        raise ValueError(
            f"this form holds a CLIP that is fitted on images and texts; {name} is one of {type(model).__name__}. "
            "Write it --to onnx or --to torch."
        )
    kinds = {member: part.kind for member, part in model.samples_.members.items()}
    images = [
        member
        for member, kind in kinds.items()
        if PIXELS in KINDS[kind].offers and model.samples_.members[member].levels is None
    ]
    texts = [member for member, kind in kinds.items() if WORDS in KINDS[kind].offers]
    if len(kinds) != 2 or len(images) != 1 or len(texts) != 1:
        told = ", ".join(f"{member} ({kind})" for member, kind in kinds.items())
        raise ValueError(
            f"this form holds a CLIP of two members, images as bytes and texts; {name} has {told}. {INSTEAD}"
        )
    reader: Any = model.encoder_.towers[texts[0]]
    tokenizer = reader.vocabulary.tokenizer
    if tokenizer.encode(["a"], framed=True)[0][-1] != tokenizer.special(LAST):
        raise ValueError(
            f"this form holds texts whose end is marked by a token; those of {name} are not. {INSTEAD}"
        )
    return OfPairs(model, images[0], texts[0])
