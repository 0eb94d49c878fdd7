"""ModernBERT: a masked language model on today's transformer.

    texts --BPE--> windows --mask 30 %--> seen --transformer--> states at the hidden places --head--> hidden tokens
      rotary positions, gated layers, normalisation first, no biases; every third layer sees all, others 128 tokens

It hides twice as much as BERT, which teaches more per window and still leaves enough to tell it from (Wettig et al.,
EACL 2023), and has one task.

References: Warner et al., 2024, sections 2.1 and 2.2. https://arxiv.org/abs/2412.13663
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from replearn.methods.language.masked import MaskedLanguageModel


@dataclass(kw_only=True, eq=False, repr=False)
class ModernBERT(MaskedLanguageModel):
    """A masked language model of the ModernBERT architecture.

    Attributes:
        encoder: `modernbert_tiny`, `modernbert_mini`, `modernbert_small`, `modernbert_medium`, `modernbert_base`,
            `modernbert_large`; or a masked language model in a local folder, `hf:FOLDER`.
    """

    year: ClassVar[int] = 2024
    paper: ClassVar[str] = "https://arxiv.org/abs/2412.13663"

    encoder: str | nn.Module = "modernbert_mini"
    share: float = 0.3
