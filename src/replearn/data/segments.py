"""Windows of two parts of one text each: what BERT's second task, next sentences, is made from."""

import numpy as np
from jaxtyping import Float, Int

from replearn.data.tokens import TokenStream, TokenWindows

FRAME = 3  # tokens of a window that are no content: [CLS] a [SEP] b [SEP]


class SegmentPairs(TokenWindows):
    """A stream cut into pairs of parts, `a` and the `b` that follows it in the same text; nothing is filled up.

    Pairs of a text follow each other, the last one overlaps the one before; texts too short for a pair are left out.

    Attributes:
        stream: of tokens.
        length: tokens of a pair, three less than of its window.
        starts: where each pair begins.
        short, middle: how many texts are too short for a pair, and the median of the texts' tokens.
        first, count: number of the first pair of its text, and how many that text has, by pair.

    Raises:
        ValueError: the window has no room for two parts.

    >>> stream = TokenStream(np.arange(12, dtype=np.int32), np.array([8, 12]))  # texts of 7 and 3 tokens
    >>> pairs = SegmentPairs(stream, 7)
    >>> pairs[np.arange(len(pairs))].x
    tensor([[0, 1, 2, 3],
            [3, 4, 5, 6]])
    """

    def __init__(self, stream: TokenStream, window: int) -> None:
        if window < FRAME + 2:
            raise ValueError(
                f"a window of two parts must have at least {FRAME + 2} tokens; got {window}. Raise window."
            )
        self.stream, self.moves = stream, 1
        self.length = size = window - FRAME
        self.shape = (size,)
        begins = np.concatenate([[0], stream.ends[:-1]])  # (texts,)
        content = stream.ends - 1 - begins  # without the mark of the end
        self.short, self.middle = int((content < size).sum()), int(np.median(content))
        counts = np.where(content >= size, -(-content // size), 0)
        firsts = counts.cumsum() - counts
        text = np.repeat(np.arange(len(counts)), counts)  # (n,)
        self.first, self.count = firsts[text], counts[text]
        inside = (np.arange(len(text)) - self.first) * size
        self.starts = begins[text] + np.minimum(inside, content[text] - size)

    @property
    def half(self) -> int:
        """Tokens of `a`; `b` has as many, or one more."""
        return self.length // 2

    def elsewhere(
        self, index: Int[np.ndarray, " n"], drawn: Float[np.ndarray, " n"]
    ) -> Int[np.ndarray, " n"]:
        """Numbers of pairs of other texts than these pairs', any as likely as any other.

        Args:
            index: of pairs.
            drawn: a number in [0, 1) for each.
        """
        others = len(self) - self.count[index]
        rank = np.minimum((drawn * others).astype(np.int64), others - 1)
        found: np.ndarray = rank + self.count[index] * (rank >= self.first[index])
        return found
