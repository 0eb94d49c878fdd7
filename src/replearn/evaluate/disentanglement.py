"""How well does each code stand for one factor of the data? All measures of it in one table."""

from collections.abc import Sequence

import pandas as pd

from replearn.evaluate.checks import Array
from replearn.evaluate.factor_information import modularity, mutual_information_gap
from replearn.evaluate.factor_prediction import dci, explicitness, separated_attribute_predictability
from replearn.evaluate.factor_votes import beta_vae_score, factor_vae_score
from replearn.evaluate.intervals import wilson_interval
from replearn.evaluate.scorecard import COLUMNS, Row

VOTES = 4000  # of both scores by vote; half of them judge


def disentanglement(
    codes: Array,
    factors: Array,
    *,
    ordered: Sequence[int] = (),
    collapsed: float = 0.0,
    bins: int | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Score codes by every measure of disentanglement, against the factors that the data were made from.

    Rows: "beta-VAE score", "FactorVAE score", "MIG", "DCI disentanglement", "DCI completeness", "DCI informativeness",
    "SAP", "modularity", "explicitness". All are 1 at best, but the last, which asks for one code per value.

    Args:
        codes: rows (n, d): means of a VAE's codes, or anybody's vectors.
        factors: numbers of the factors' values (n, f), f at least 2; `samples.factors`.
        ordered: columns of `factors` whose numbers are amounts, for SAP.
        collapsed: variance under which `factor_vae_score` leaves a code out: 0.05 for means of a VAE.
        bins: of the mutual information; None: 20, or as many as a factor has values.
        random_state: seed of all draws.

    Returns:
        Columns as of `scorecard`: `measure`, `labels` (rows whose factors were known), `mean`, `low` and `high` (of the
        two votes, Wilson's 95 % interval for the `tested` votes; else NaN), `draws`. `join_seeds` joins several.

    Raises:
        ValueError: codes that are not finite; factors that are not whole numbers, do not vary, share no value between
            rows, or are fewer than two.

    >>> import numpy as np
    >>> factors = np.stack(np.unravel_index(np.arange(512), (8, 8, 8)), axis=1)
    >>> table = disentanglement(factors, factors, ordered=(0, 1, 2)).set_index("measure")["mean"]
    >>> table.round(3).to_dict()["MIG"], table.round(3).to_dict()["SAP"]
    (1.0, 1.0)
    """
    parts = dci(codes, factors, random_state=random_state)
    by_pairs = beta_vae_score(codes, factors, points=VOTES, random_state=random_state)
    by_vote = factor_vae_score(codes, factors, votes=VOTES, collapsed=collapsed, random_state=random_state)
    found = {
        "MIG": mutual_information_gap(codes, factors, bins=bins),
        "DCI disentanglement": parts.disentanglement,
        "DCI completeness": parts.completeness,
        "DCI informativeness": parts.informativeness,
        "SAP": separated_attribute_predictability(
            codes, factors, ordered=ordered, bins=bins, random_state=random_state
        ),
        "modularity": modularity(codes, factors, bins=bins),
        "explicitness": explicitness(codes, factors, random_state=random_state),
    }
    rows = [
        Row(name, len(codes), value, *wilson_interval(value, VOTES // 2), tested=VOTES // 2)
        for name, value in (("beta-VAE score", by_pairs), ("FactorVAE score", by_vote))
    ]
    rows += [Row(name, len(codes), value) for name, value in found.items()]
    return pd.DataFrame(rows, columns=COLUMNS)
