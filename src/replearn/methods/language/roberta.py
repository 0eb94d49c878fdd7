"""RoBERTa: BERT without the second task, on whole windows of bytes' pairs, hidden anew each time.

    texts --bytes, BPE--> windows, filled --mask 15 %--> seen --transformer--> states --head--> hidden tokens

Of the paper's changes to BERT these are in the method: masks drawn anew for every window of every epoch (dynamic, as
for all methods here), no next sentences, windows that run on from one text into the next, and byte-level BPE. The
others are numbers: more data, larger batches, longer training.

References: Liu et al., 2019, section 4. https://arxiv.org/abs/1907.11692
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from replearn.methods.language.masked import MaskedLanguageModel


@dataclass(kw_only=True, eq=False, repr=False)
class RoBERTa(MaskedLanguageModel):
    """A robustly optimised BERT.

    Attributes:
        encoder: `bert_tiny`, `bert_mini`, `bert_small`, `bert_medium`, `bert_base`, `bert_large`; or a masked language
            model in a local folder, `hf:FOLDER`.
    """

    year: ClassVar[int] = 2019
    paper: ClassVar[str] = "https://arxiv.org/abs/1907.11692"

    encoder: str | nn.Module = "bert_mini"
    warmup: float = 0.06
