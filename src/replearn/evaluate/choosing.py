"""Which representation to take when there are no labels: rank them by measures that need none.

Two criteria: RankMe, the effective rank, of which more is better; and alignment plus uniformity, the loss that
Wang & Isola optimise, of which less is better. Where there are labels after all, Kendall's tau tells how far an
order by a criterion agrees with the order by the labelled measure: 1 the same, 0 unrelated, -1 the reverse.

References:
    Garrido et al., "RankMe", ICML 2023. https://arxiv.org/abs/2210.02885
    Wang & Isola, ICML 2020. https://arxiv.org/abs/2005.10242
"""

import math
from collections.abc import Collection

import pandas as pd
from scipy.stats import kendalltau

from replearn.evaluate.scorecard import join_seeds

RANKME, JOINT = "RankMe", "alignment + uniformity"
KNN, PROBE = "kNN", "linear probe"


def choose(scores: pd.DataFrame, *, leave_out: Collection[str] = ()) -> pd.DataFrame:
    """Order representations by each criterion.

    Args:
        scores: `representation, measure, labels, mean, low, high, draws`, maybe `seed`, as `scorecard` makes them with
            `views` (without, there is no alignment, and only RankMe).
        leave_out: representations that are not to be chosen among (the raw input: its rank is of another kind).

    Returns:
        Columns `representation`, `RankMe`, `RankMe place`, `alignment + uniformity` and its place, and with labels
        `kNN` and `linear probe` (with all labels) and their places. Best by RankMe first; place 1 is the best, and
        NaN stands where a representation has no such measure.

    Raises:
        ValueError: no representation is left to choose.

    >>> rows = [("a", "effective rank", 9.0), ("a", "kNN", 0.9), ("b", "effective rank", 3.0), ("b", "kNN", 0.7)]
    >>> scores = pd.DataFrame(rows, columns=["representation", "measure", "mean"])
    >>> chosen = choose(scores.assign(labels=0, low=0, high=0, draws=1))
    >>> chosen["representation"].tolist(), agreement(chosen)["RankMe"]["kNN"]
    (['a', 'b'], 1.0)
    """
    scores = join_seeds([scores])
    scores = scores[~scores["representation"].isin(list(leave_out))]
    if scores.empty:
        raise ValueError("choose needs at least one representation; none is left. Name methods to compare.")
    most = scores[scores["measure"] == PROBE].groupby("representation")["labels"].transform("max")
    last = scores[(scores["measure"] != PROBE) | (scores["labels"] == most.reindex(scores.index))]
    wide = last.pivot_table(
        index="representation", columns="measure", values="mean", aggfunc="first", sort=False, dropna=False
    )
    table = pd.DataFrame(index=wide.index)
    table[RANKME] = wide["effective rank"]
    if "alignment" in wide:
        table[JOINT] = wide["alignment"] + wide["uniformity"]
    for measure in (KNN, PROBE):
        if measure in wide:
            table[measure] = wide[measure]
    for name in list(table.columns):
        table[f"{name} place"] = table[name].rank(ascending=name == JOINT, method="min")
    return table.sort_values(f"{RANKME} place", kind="stable").reset_index()


def agreement(chosen: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Kendall's tau (b) between the order by each criterion and the order by each labelled measure.

    Args:
        chosen: what `choose` returned.

    Returns:
        By criterion and measure; empty without labels. NaN for fewer than two representations, or ties only.
    """
    found: dict[str, dict[str, float]] = {}
    for criterion in (RANKME, JOINT):
        for measure in (KNN, PROBE):
            if criterion not in chosen or measure not in chosen:
                continue
            both = chosen[[f"{criterion} place", f"{measure} place"]].dropna()
            tau = kendalltau(*both.to_numpy().T).statistic if len(both) > 1 else math.nan
            found.setdefault(criterion, {})[measure] = float(tau)
    return found
