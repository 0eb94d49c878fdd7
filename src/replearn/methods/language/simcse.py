"""SimCSE: a text read twice with different dropout is told from other texts read once.

    texts --the same, twice--> a, b --encoder with dropout--> h --head--> z --nt_xent--> loss

It is SimCLR whose views differ in nothing but which numbers the encoder loses: a text is told from both readings of the
others (equation 4 has the second ones only). The head is for training only.

References: Gao, Yao & Chen, EMNLP 2021, section 3, equation 4. https://arxiv.org/abs/2104.08821
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from replearn.data import Batch, Description
from replearn.encoders.dropout import set_dropout
from replearn.methods.contrastive.simclr import SimCLR


@dataclass(kw_only=True, eq=False, repr=False)
class SimCSE(SimCLR):
    """Simple contrastive learning of sentence embeddings.

    Attributes:
        views: of a text, before dropout makes them differ; None: the text itself, twice.
        dropout: share of a state's numbers that are lost while training: what tells a text's views apart.
        temperature: of the softmax over cosines.
        encoder: `auto` (`bert_mini`), or `hf:FOLDER` to go on with a trained one, which is what the paper does.
    """

    family: ClassVar[str] = "language"
    needs: ClassVar[tuple[str, ...]] = ("encoder", "words")
    year: ClassVar[int] = 2021
    paper: ClassVar[str] = "https://arxiv.org/abs/2104.08821"
    split: ClassVar[str] = "twice"

    dropout: float = 0.1
    depth: int = 1
    temperature: float = 0.05
    batch_size: int = 64
    epochs: int = 10
    learning_rate: float = 1e-4

    def build(self, samples: Description) -> None:
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1); got {self.dropout}. The paper found 0.1 best.")
        super().build(samples)
        set_dropout(self.encoder_, self.dropout)

    def same_views(self, batch: Batch) -> bool:
        """Whether nothing differs: dropout is what tells views apart."""
        lost = any(part.p > 0 for part in self.encoder_.modules() if isinstance(part, nn.Dropout))
        return not lost and super().same_views(batch)
