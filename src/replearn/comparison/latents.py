"""The code of each row judged as a code, beside what its labels are worth."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd

from replearn.comparison.compare import Comparison
from replearn.comparison.rows import RAW, Representation, before_training
from replearn.data import Samples
from replearn.data.kinds import KINDS, ROWS
from replearn.evaluate import latent_scores
from replearn.evaluate.interpolation import Decode
from replearn.evaluate.probe_space import ProbeSpace, probe_space
from replearn.methods.columns import Columns
from replearn.methods.inside import decoder_of, layers_of
from replearn.methods.reconstruction.latent import Variational

log = logging.getLogger("replearn")

# Of the raw input these are what they are by construction.
TRIVIAL = ("reconstruction error", "reconstruction distance", "spherical distance", "spherical straightness")
PRIOR = (
    0.05  # variance under which a VAE's unit is the prior, whose variance is 1 (Kim & Mnih, 2018, appendix)
)
WIDEST = 128  # numbers in a code whose disentanglement is measured


def with_latents(comparison: Comparison, *, random_state: int = 0) -> Comparison:
    """The comparison, its scores with the rows of `latent_scores` for each representation.

    Interpolants of every row are seen in one probe space, of the raw input; the raw input's own, mixtures of samples,
    are what a code must beat. Columns of a table are divided by their deviations there. Of the untrained encoder no
    decoder is judged: noise is what it says, and can lie anywhere.

    Args:
        comparison: with the row *raw input*.
        random_state: seed of all draws.
    """
    train, test = comparison.train, comparison.test
    decoders = {row.name: _decoder(row, test, comparison.columns) for row in comparison.rows}
    learned = [name for name, decode in decoders.items() if decode is not None and name != RAW]
    raw = next(row for row in comparison.rows if row.name == RAW)
    space = None
    if learned:
        labels = None if train.labels is None else np.asarray(train.labels)
        space = probe_space(raw.train, raw.test, labels, random_state=random_state)
    frames = [comparison.scores]
    for row in comparison.rows:
        log.info("judging the code of %s", row.name)
        decode = decoders[row.name] if learned else None
        found = judge_code(row, train, test, decode, raw.test, space, random_state)
        frames.append(found.assign(representation=row.name, seed=comparison.facts.get("seeds", [0])[0]))
    return replace(comparison, scores=pd.concat(frames, ignore_index=True))


def judge_code(
    row: Representation,
    train: Samples,
    test: Samples,
    decode: Decode | None,
    originals: np.ndarray,
    space: ProbeSpace | None,
    random_state: int,
) -> pd.DataFrame:
    """The latent scores of one representation."""
    judged = row.name != RAW and row.train.shape[1] <= WIDEST
    layers = ([], []) if row.name == RAW else (layers_of(row.method, train), layers_of(row.method, test))
    scores = latent_scores(
        row.train,
        row.test,
        train_labels=train.labels,
        test_labels=test.labels,
        decode=decode,
        originals=originals,
        space=space,
        layers=layers,
        factors=train.factors if judged else None,
        ordered=train.amounts,
        collapsed=PRIOR if isinstance(row.method, Variational) else 0.0,
        random_state=random_state,
    )
    return scores[~scores["measure"].isin(TRIVIAL)] if row.name == RAW else scores


def _decoder(row: Representation, samples: Samples, columns: Columns | None) -> Decode | None:
    """From codes to rows of numbers as the raw input is given, or None of a row that has no decoder."""
    if row.name == RAW:
        return lambda rows: rows
    if before_training(row.name) or ROWS not in KINDS[samples.kind].offers:
        return None
    decode = decoder_of(row.method, samples.shape)
    if decode is None:
        return None

    def rows_from(codes: np.ndarray) -> np.ndarray:
        rows = decode(codes).reshape(len(codes), -1)
        return rows if columns is None else np.asarray(columns.transform(rows))

    return rows_from
