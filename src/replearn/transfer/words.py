"""What each layer of an encoder tells of each word of a sentence: the state of its first token."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from replearn.data import Batch
from replearn.encoders import TextEncoder
from replearn.engine.embed import embed_parts
from replearn.engine.machine import choose_for_inference
from replearn.transfer.features import Features, features_of
from replearn.transfer.reading import read_words, token_samples
from replearn.transfer.tag import first_tokens

ROWS = 64


def word_states(
    encoder: TextEncoder, sentences: Sequence[Sequence[str]], *, device: str = "auto", precision: str = "auto"
) -> tuple[list[Float[np.ndarray, "w d"]], np.ndarray]:
    """What `replearn.evaluate.layer_knowledge` reads: states of all words, one table per layer.

    Args:
        encoder: of texts.
        sentences: lists of words.
        device, precision: as methods have them.

    Returns:
        For what goes into the first layer and for each layer's states a table, a row per word; and which words have a
        row `(all words,)`: those beyond what the encoder reads have none.
    """
    raw = read_words(sentences)
    samples = token_samples(raw, encoder.vocabulary, encoder.length)

    def states(batch: Batch) -> torch.Tensor:
        found: Features = features_of(encoder, batch, mixed=True, tokenwise=True)
        return found.x  # (n, l, t, d)

    rows, seen, at = [], [], 0
    for part in embed_parts(states, [encoder], samples, choose_for_inference(device, precision), rows=ROWS):
        for text in part:  # (l, t, d)
            first = first_tokens(samples, at)
            rows.append(text[:, first[first >= 0]])  # (l, w, d)
            seen.append(first >= 0)
            at += 1
    return list(np.concatenate(rows, axis=1)), np.concatenate(seen)
