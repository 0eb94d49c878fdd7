"""BERT: a transformer that tells hidden tokens from what stands on both sides.

    texts --tokenizer--> windows --mask 15 %--> seen --transformer--> states at the hidden places --head--> tokens
    [CLS] a [SEP] b [SEP] ------------------> state of [CLS] --head--> does b follow a?        (next_sentence)

The representation of a text is the mean of its last states.

References: Devlin et al., NAACL 2019, section 3.1, and appendix A.2. https://arxiv.org/abs/1810.04805
"""

import logging
from dataclasses import dataclass, replace
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples, TokenWindows
from replearn.data.processes import process
from replearn.data.segments import FRAME, SegmentPairs
from replearn.data.tokenizer import FIRST, LAST
from replearn.methods.language.masked import MaskedLanguageModel
from replearn.objectives import cross_entropy
from replearn.views.segments import NextSentence

log = logging.getLogger("replearn")


@dataclass(kw_only=True, eq=False, repr=False)
class BERT(MaskedLanguageModel):
    """Bidirectional encoder representations from transformers.

    Attributes:
        encoder: `bert_tiny`, `bert_mini`, `bert_small`, `bert_medium`, `bert_base`, `bert_large`; or a masked language
            model in a local folder, `hf:FOLDER`.
        next_sentence: learn the paper's second task as well, on windows of two parts of a text. It needs texts that
            are longer than a window.
    """

    year: ClassVar[int] = 2019
    paper: ClassVar[str] = "https://arxiv.org/abs/1810.04805"

    encoder: str | nn.Module = "bert_mini"
    tokenizer: str = "wordpiece"
    lowercase: bool = True
    next_sentence: bool = False

    def build(self, samples: Description) -> None:
        super().build(samples)
        if self.next_sentence:
            self._check_parts()
            dim = self.encoder_.dim
            self.next_ = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 2))

    def _check_parts(self) -> None:
        if not self.encoder_.tells_parts:
            name = type(self.encoder_.reader).__name__
            raise ValueError(
                f"next_sentence needs an encoder that tells two parts of a window apart, and {name} does not. "
                "Use bert_mini or another bert, or next_sentence=False."
            )

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        if not self.next_sentence:
            return super().loss(batch)
        told, follows = self.tasks(batch, self.masked)
        return told + follows

    def tasks(self, batch: Batch, masked: float) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """The losses of both tasks, on windows of two parts."""
        windows, segments, follows = self._two_parts(batch)
        seen, places, hidden = self.masking(masked)(windows)
        states = self.states(replace(self.encoder_.standardise(seen), types=segments.x))  # (n, t, d)
        return self.told(states, places, hidden), cross_entropy(self.next_(states[:, 0]), follows.x)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        if not self.next_sentence:
            return super().measures(batch)
        told, follows = self.tasks(batch, 1.0)
        return {"context_gain": self._frequencies - told, "next_sentence": follows}

    def training_samples(self, samples: Samples) -> TokenWindows:
        """The texts as windows, or as pairs of parts.

        Raises:
            ValueError: there are fewer than in a batch, or all pairs are of one text.
        """
        windows = super().training_samples(samples)
        if not self.next_sentence:
            return windows
        tokenizer = self.encoder_.vocabulary.tokenizer
        pairs = SegmentPairs(windows.stream, self.window)
        if len(pairs) < self.batch_size or pairs.count[0] == len(pairs):
            fitting = max(FRAME + 2, pairs.middle + FRAME)
            hint = f", to {fitting} say, which half of the texts fill" if fitting < self.window else ""
            raise ValueError(
                f"next_sentence needs at least {self.batch_size} windows of {self.window} tokens, each within a text, "
                f"and two texts that have any; got {len(pairs)}. Lower window{hint}, or use next_sentence=False."
            )
        if pairs.short and process() == 0:
            log.info(
                "%d of %d texts are left out of next_sentence: they don't fill a window of %d tokens; lower window "
                "for them",
                *(pairs.short, len(windows.stream.ends), self.window),
            )
        self._two_parts = NextSentence(pairs, tokenizer.special(FIRST), tokenizer.special(LAST))
        return pairs
