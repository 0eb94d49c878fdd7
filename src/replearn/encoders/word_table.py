"""Words and their vectors: the table that word2vec and GloVe learn, with the queries that made them known."""

import difflib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


class WordTable(nn.Module):
    """A vector for each word, kept with the words: saved and loaded together.

    A word whose vector is zero has none: it is in no answer, and asking for it is an error.

    Args:
        words: spelled, each once.
        vectors: one row per word.

    Raises:
        ValueError: words and vectors do not pair up.

    >>> vectors = torch.tensor([[3.0, 0.1], [1.0, 0.1], [3.0, 2.1], [1.0, 2.0]])
    >>> table = WordTable(["king", "man", "queen", "woman"], vectors)
    >>> [word for word, _ in table.most_similar("queen", n=2)]
    ['woman', 'man']
    >>> table.analogy("man", "king", "woman")[0][0]
    'queen'
    """

    vectors: Tensor
    spelled: Tensor

    def __init__(self, words: Sequence[str], vectors: Float[Tensor, "n d"]) -> None:
        super().__init__()
        if len(words) != len(vectors):
            raise ValueError(
                f"a table of words must have a vector for each; got {len(words)} words and {len(vectors)} vectors."
            )
        self.words = list(words)
        self.register_buffer("vectors", vectors.detach().float().clone())
        self.register_buffer("spelled", _bytes_of(self.words))

    def __len__(self) -> int:
        return len(self.words)

    @property
    def dim(self) -> int:
        """Numbers in a vector."""
        return int(self.vectors.shape[1])

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in reversed(list(enumerate(self.words)))}

    def __contains__(self, word: object) -> bool:
        return word in self.index and bool(self.vectors[self.index[str(word)]].any())

    def rows(self, words: Sequence[str]) -> Int[Tensor, " n"]:
        """The row of each word.

        Raises:
            ValueError: one has no vector; the nearest known words are offered.
        """
        for word in words:
            if word not in self:
                near = difflib.get_close_matches(word, self.index, n=3) or self.words[-1:]
                raise ValueError(
                    f"words must be among the {len(self)} in the table; {word!r} is not. "
                    f"Did you mean {', '.join(near)}?"
                )
        return torch.tensor([self.index[word] for word in words], dtype=torch.int64)

    def unit(self) -> Float[Tensor, "n d"]:
        """All vectors divided by their lengths."""
        return F.normalize(self.vectors, dim=1)

    def similarity(self, a: str, b: str) -> float:
        """The cosine of two words' vectors.

        Raises:
            ValueError: a word has no vector.
        """
        first, second = self.vectors[self.rows([a, b]).to(self.vectors.device)]
        return float(F.cosine_similarity(first, second, dim=0))

    def most_similar(self, word: str, *, n: int = 10) -> list[tuple[str, float]]:
        """The `n` words whose vectors have the greatest cosine with this word's, and the cosines.

        Raises:
            ValueError: the word has no vector.
        """
        row = self.rows([word]).to(self.vectors.device)
        return self.nearest(self.vectors[row[0]], n=n, without=row)

    def analogy(self, a: str, b: str, c: str, *, n: int = 1) -> list[tuple[str, float]]:
        """What is to `c` as `b` is to `a`: man is to king as woman is to ...?

        With vectors of length 1, the words x with the greatest cos(x, b - a + c), none of the three (3CosAdd).
        References: Mikolov, Yih and Zweig, NAACL 2013. https://aclanthology.org/N13-1090

        Raises:
            ValueError: a word has no vector.
        """
        rows = self.rows([a, b, c]).to(self.vectors.device)
        first, second, third = F.normalize(self.vectors[rows], dim=1)
        return self.nearest(second - first + third, n=n, without=rows)

    def nearest(
        self, vector: Float[Tensor, " d"], *, n: int = 10, without: Int[Tensor, " k"] | None = None
    ) -> list[tuple[str, float]]:
        """The `n` words whose vectors have the greatest cosine with a vector, and the cosines.

        Args:
            vector: to be near to.
            n: how many.
            without: rows that are not asked for.
        """
        cosines = self.unit() @ F.normalize(vector.to(self.vectors), dim=0)  # (n,)
        cosines[~self.vectors.any(dim=1)] = -2.0
        if without is not None:
            cosines[without] = -2.0
        found = cosines.topk(min(n, len(cosines)))
        pairs = zip(found.indices.tolist(), found.values.tolist(), strict=True)
        return [(self.words[row], value) for row, value in pairs if value >= -1.5]

    def mean(self, ids: Int[Tensor, " t"], starts: Int[Tensor, " n"]) -> Float[Tensor, "n d"]:
        """The mean vector of each text's words, zeros where none is known.

        Args:
            ids: rows, of all texts, one after the other.
            starts: where each text begins.
        """
        known = self.vectors.any(dim=1).float()  # (words,)
        sums = F.embedding_bag(ids, self.vectors, starts, mode="sum", include_last_offset=False)
        counts = F.embedding_bag(ids, known[:, None], starts, mode="sum")  # (n, 1)
        return sums / counts.clamp(min=1)

    def _load_from_state_dict(self, state: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        found = state.get(f"{prefix}spelled")
        if found is not None:
            self.spelled = torch.empty_like(found, device=self.spelled.device)
            self.words = bytes(found.cpu().tolist()).decode().split("\n")
            self.__dict__.pop("index", None)
        super()._load_from_state_dict(state, prefix, *rest)  # type: ignore[no-untyped-call]


def _bytes_of(words: Sequence[str]) -> Tensor:
    broken = next((word for word in words if "\n" in word), None)
    if broken is not None:
        raise ValueError(f"a word must not hold the end of a line; {broken!r} does. Leave it out.")
    return torch.frombuffer(bytearray("\n".join(words).encode() or b"\n"), dtype=torch.uint8).clone()
