"""The tokenizer beside an exported network of texts: `tokenizer.json`, which cuts and fills up as ours does."""

from collections.abc import Callable
from pathlib import Path

import torch

from replearn.data import Batch, Texts
from replearn.encoders import TextEncoder
from replearn.service.exports.exported import drawn_tokens

FILE = "tokenizer.json"


def write_tokenizer(encoder: TextEncoder, folder: Path) -> None:
    """Write `tokenizer.json`: its ids are cut at the longest text that the network reads, and filled up."""
    from tokenizers import Tokenizer

    own = encoder.vocabulary.tokenizer
    tokenizer = Tokenizer.from_str(own.inner.to_str())
    tokenizer.enable_truncation(encoder.length)
    tokenizer.enable_padding(pad_id=encoder.pad, pad_token=own.words[encoder.pad])
    tokenizer.save(str(folder / FILE))


def ids_in(folder: Path, texts: list[str]) -> list[list[int]]:
    """What `tokenizer.json` in a folder makes of texts, filled up to one length."""
    from tokenizers import Tokenizer

    return [one.ids for one in Tokenizer.from_file(str(folder / FILE)).encode_batch(texts)]


def check_tokens(
    encoder: TextEncoder,
    ids: Callable[[list[str]], list[list[int]]],
    cleaned: Callable[[str], str] = str,
) -> None:
    """Raises ValueError where texts are read otherwise than the run does.

    Args:
        encoder: of the run.
        ids: what is to be checked: ids of texts, filled up to one length.
        cleaned: what is made of a text first.
    """
    texts, own = example_texts(encoder), encoder.vocabulary.tokenizer
    labels = torch.zeros(len(texts), dtype=torch.int64)
    read = encoder.vocabulary.read(Batch(Texts(map(cleaned, texts)), labels, labels), encoder.length)
    if ids(own.spaced(texts)) != read.ids.tolist():
        raise ValueError(
            f"{FILE} must read texts as the run does; some ids differ. Nothing is kept: `replearn embed` writes "
            "representations."
        )


def example_texts(encoder: TextEncoder) -> list[str]:
    """Some texts of the run's tokens: short ones, and one that is cut."""
    ids, mask = drawn_tokens(encoder, 4, seed=1)
    own = encoder.vocabulary.tokenizer
    short = [own.decode(row[keep].tolist()) for row, keep in zip(ids, mask, strict=True)]
    return [*short, " ".join([*short, "to be or not to be"] * encoder.length)]
