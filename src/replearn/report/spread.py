"""What the ± of a table covers, in words."""

import pandas as pd

PROBE, KNN, DIRECT = "linear probe", "kNN", "direct"  # the last: a method's own predictions


def spread_note(scores: pd.DataFrame, groups: int = 0) -> str:
    """What the ± of accuracies covers, in a sentence or two; "" where none has one.

    Args:
        scores: as `replearn.report.table.joined` returns them.
        groups: of which the test samples are; 0: of none.

    >>> row = {"representation": "raw", "measure": "kNN", "labels": 9, "mean": 0.9, "low": 0.8, "high": 1.0}
    >>> spread_note(pd.DataFrame([row | {"draws": 1, "seeds": 1, "tested": 2000}]))
    '±: half of a 95 % interval, over 2,000 test samples. One training each: its luck is not covered.'
    >>> spread_note(pd.DataFrame([row | {"draws": 1, "seeds": 3, "tested": 80}]), groups=1)[:67]
    '±: half of a 95 % interval, over 80 test samples of 1 group and 3 t'
    """
    told = scores[scores["measure"].isin([PROBE, KNN, DIRECT]) & scores["low"].notna()]
    if told.empty:
        return ""
    tested, draws, seeds = (sorted(set(told[name].astype(int))) for name in ("tested", "draws", "seeds"))
    if tested[0] == 0:
        old = (
            "±: half of a 95 % interval of an older version, over draws, seeds or test samples, not over all"
        )
        return f"{old}. Evaluate again to have them joined."
    of_groups = f" of {groups:,} group{'s' * (groups != 1)}" if groups else ""
    over = [f"{tested[0]:,} test samples{of_groups}"]
    over += [f"{draws[-1]} draws of labels"] if draws[-1] > 1 else []
    over += [f"{seeds[-1]} trainings"] if seeds[-1] > 1 else []
    alone = "" if seeds[-1] > 1 else " One training each: its luck is not covered."
    new = " Samples of a group are taken as independent: new groups may differ by more." if groups else ""
    joined = f"{', '.join(over[:-1])}{' and ' * (len(over) > 1)}{over[-1]}"
    return f"±: half of a 95 % interval, over {joined}.{new}{alone}"
