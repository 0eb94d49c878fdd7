"""Findings as tables: a line per sample, and the list of those to keep."""

import pandas as pd

from replearn.data import Samples
from replearn.service.curation.findings import KINDS_OF, Findings


def whole_table(findings: Findings) -> pd.DataFrame:
    """A row per sample: number, file, label, whether to keep it, and a column for each kind of finding.

    `copy`, `near copy` and `leak` name the other sample, `outlier` has the distance as a multiple of the limit,
    `wrong label` the class that the sample seems to be, and `margin` how sure that is.
    """
    samples = findings.samples
    columns: dict[str, list[object]] = {
        "number": list(range(len(samples))),
        "file": [name_of(samples, i) for i in range(len(samples))],
        "label": [label_of(samples, i) for i in range(len(samples))],
        "keep": ["yes" if keep else "no" for keep in findings.keep],
    }
    columns |= {kind: [""] * len(samples) for kind in (*KINDS_OF, "margin")}
    for one in findings.found:
        others = findings.test if one.kind == "leak" and findings.test is not None else samples
        told = {"outlier": f"{one.score:.3f}", "wrong label": one.guess}
        columns[one.kind][one.sample] = told.get(one.kind) or name_of(others, one.other)
        if one.kind == "wrong label":
            columns["margin"][one.sample] = f"{one.score:.3f}"
    return pd.DataFrame(columns)


def keep_table(findings: Findings) -> pd.DataFrame:
    """The samples to keep: number, file and label; a file of labels for `--labels`."""
    whole = whole_table(findings)
    return whole.loc[whole["keep"] == "yes", ["number", "file", "label"]]


def name_of(samples: Samples, position: int) -> str:
    """The name of a sample, or its number."""
    name = str(position) if samples.names is None else str(samples.names[position])
    return name.encode("utf-8", "replace").decode()


def label_of(samples: Samples, position: int) -> str:
    """The class of a sample; empty where it has none."""
    if samples.labels is None or samples.labels[position] < 0:
        return ""
    return str(samples.classes[samples.labels[position]])
