"""A split of pairs of parts of a text: does the second follow the first, or is it from elsewhere?"""

from dataclasses import dataclass

import torch

from replearn.data.samples import Batch
from replearn.data.segments import SegmentPairs
from replearn.views.base import Split, uniform


@dataclass(frozen=True)
class NextSentence(Split):
    """`(windows, segments, follows)`: `[CLS] a [SEP] b [SEP]`, where `b` is from another text in half of the cases.

    `segments.x` is int64 `(n, t)`, 0 for `[CLS] a [SEP]` and 1 for `b [SEP]`; `follows.x` is int64 `(n,)`, 1 where `b`
    follows `a`. Another `b` is drawn anew each time, from all of the corpus.

    Attributes:
        pairs: what batches are rows of.
        first, last: ids of `[CLS]` and `[SEP]`.

    References: Devlin et al., NAACL 2019 (BERT), section 3.1, task 2, and appendix A.2. https://arxiv.org/abs/1810.04805
    """

    pairs: SegmentPairs
    first: int
    last: int

    def __call__(self, batch: Batch) -> tuple[Batch, Batch, Batch]:
        x, half = batch.x, self.pairs.half
        follows = uniform(batch) < 0.5  # (n,)
        drawn = uniform(batch).double().cpu().numpy()
        others = self.pairs[self.pairs.elsewhere(batch.index.cpu().numpy(), drawn)].x.to(x.device)
        a, b = x[:, :half], torch.where(follows[:, None], x[:, half:], others[:, half:])
        first, last = (x.new_full((len(x), 1), token) for token in (self.first, self.last))
        windows = torch.cat([first, a, last, b, last], 1)  # (n, t)
        segments = (torch.arange(windows.shape[1], device=x.device) >= half + 2).long().expand_as(windows)
        return batch.with_x(windows), batch.with_x(segments), batch.with_x(follows.long())
