"""Frozen: what an encoder makes of samples as it is; nothing learns.

    batch --encoder, as given--> h

What has learned elsewhere is often the best that there is for few samples, and what every training that begins with it
must beat. An encoder with random weights is a floor instead.

References: Razavian et al., CVPR workshops 2014. https://arxiv.org/abs/1403.6382
    Jarrett et al., ICCV 2009 (random weights). https://doi.org/10.1109/ICCV.2009.5459469
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders import Encoder, comes_with_weights, make_encoder
from replearn.engine.machine import choose
from replearn.methods.model import Model

log = logging.getLogger("replearn")


@dataclass(kw_only=True, eq=False, repr=False)
class Frozen(Model):
    """Features of an encoder that is not trained further.

    Attributes:
        encoder: `hf:FOLDER` (texts), a name with a file of weights, `resnet18@FILE` (images), or a module; a name
            alone has random weights.
    """

    family: ClassVar[str] = "given"
    needs: ClassVar[tuple[str, ...]] = ("encoder",)
    year: ClassVar[int] = 2014
    paper: ClassVar[str] = "https://arxiv.org/abs/1403.6382"

    encoder: str | nn.Module = "auto"

    def build(self, samples: Description) -> None:
        self.encoder_: Encoder = make_encoder(self.encoder, samples)

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        """Nothing learns; but a device or a precision that there is not is told now."""
        choose(self.device, self.precision)
        if not comes_with_weights(self.encoder):
            log.warning(
                "encoder %s has random weights, a floor to compare with; give hf:FOLDER (texts) or NAME@FILE (images)",
                self.encoder,
            )

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        h: Tensor = self.encoder_(batch)
        return h

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return int(self.encoder_.dim)
