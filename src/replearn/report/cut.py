"""Which trainings of a comparison were ended by minutes, and how far they came: the column `cut` of its scores."""

import pandas as pd

CUT = "cut"
MARK = "*"


def cut_trainings(scores: pd.DataFrame) -> dict[str, str]:
    """Names of the representations whose training was ended by minutes, and after how many steps of how many."""
    if CUT not in scores.columns:
        return {}
    told = scores.loc[scores[CUT].fillna("") != "", ["representation", CUT]].drop_duplicates()
    return {
        str(name): ", ".join(map(str, own[CUT])) for name, own in told.groupby("representation", sort=False)
    }
