"""Compare codes that can be decoded: how near a sample comes out of 16 or 64 numbers, and what they are good for.

    python benchmarks/codes.py                      digits, every method with a code, seeds 0, 1 and 2
    python benchmarks/codes.py vae pca --seeds 0    some of it; what has been measured is kept

Each fit is a process of its own, with the method's defaults but for the size of the code and the epochs. Results:
`benchmarks/results/codes.json` and `codes.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
import rows
from record import machine

FAMILIES = ("classical", "reconstruction")
BASELINES = ("raw", "untrained")
SIZES = (16, 64)
SIZE_FIELDS = ("dim", "n_components", "n_clusters", "units")  # what methods call the numbers in a code
PLACES_ONLY = ("tsne",)  # it represents no other samples
COLUMNS = {"1 %": 0.01, "10 %": 0.1, "100 %": 1.0}


def main() -> int:
    """Measure what is asked for and not there yet, and write after each row."""
    asked = parse()
    wanted = (
        {"method": name, "numbers": size, "seed": seed, "epochs": asked.epochs}
        for seed in asked.seeds
        for name in asked.methods or everything()
        for size in (asked.sizes if sized(name) else (0,))
    )
    return rows.main(asked, measure, wanted, command, markdown, key=("method", "numbers", "seed"))


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("methods", nargs="*", help="names as in `replearn list`, raw or untrained; none: all")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers in a code")
    parser.add_argument("--epochs", type=int, default=20, help="of methods that are trained")
    return parser.parse_args()


def everything() -> list[str]:
    """Baselines, and all methods of these families that represent samples they have not seen."""
    from replearn.methods import registry

    ours = [name for name, entry in registry().items() if entry.family in FAMILIES]
    return [*BASELINES, *(name for name in ours if name not in PLACES_ONLY)]


def sized(name: str) -> str | None:
    """The field that says how many numbers a method's code has, or None."""
    from replearn.methods import find_method

    fields = () if name in BASELINES else signature(find_method(name).cls).parameters
    return next((field for field in SIZE_FIELDS if field in fields), None)


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    numbers = {"sizes": wanted["numbers"], "seeds": wanted["seed"], "epochs": asked.epochs}
    return rows.command_line(__file__, wanted["method"], **numbers)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: fit, represent, reconstruct, judge."""
    from replearn import load_data
    from replearn.comparison import fit_and_represent, judge, raw_input, untrained_encoders
    from replearn.methods import Autoencoder, find_method

    name, size, seed = asked.methods[0], asked.sizes[0], asked.seeds[0]
    train, test = load_data("digits", split="train"), load_data("digits", split="test")
    if name == "raw":
        row = raw_input(train, test)
    elif name == "untrained":
        row = next(untrained_encoders({"Autoencoder": Autoencoder(random_state=seed)}, train, test))
    else:
        cls, field = find_method(name).cls, sized(name)
        given = {"epochs": asked.epochs, "random_state": seed} | ({field: size} if field else {})
        known = signature(cls).parameters
        row = fit_and_represent(
            name, cls(**{key: value for key, value in given.items() if key in known}), train, test
        )
    began = time.monotonic()
    scores = judge([(seed, row)], train, test).scores.set_index(["measure", "labels"])["mean"]
    found = {
        title: float(scores["linear probe", round(part * len(train))]) for title, part in COLUMNS.items()
    }
    return found | {
        "kNN": float(scores["kNN"].iloc[0]),
        "error": reconstruction_error(row.method, row.test, test.flat()),
        "log-likelihood": likelihood(row.method, test),
        "fit seconds": row.seconds,
        "judging seconds": time.monotonic() - began,
        "alarms": list(row.alarms),
        "machine": machine(),
    }


def reconstruction_error(method: Any, codes: np.ndarray, x: np.ndarray) -> float | None:
    """Mean square over pixels, in [0, 1], of what comes out of the codes less what went in; None without a decoder."""
    if not hasattr(method, "inverse_transform"):
        return None
    back = np.asarray(method.inverse_transform(codes)).reshape(len(x), -1)
    return float(np.square(back - x).mean())


def likelihood(method: Any, samples: Any) -> float | None:
    """Mean nats per sample, of a method that tells them."""
    if not hasattr(method, "log_likelihood"):
        return None
    return float(np.mean(method.log_likelihood(samples)))


def markdown(found: list[dict[str, Any]]) -> str:
    """A table of all rows: means over seeds, and their spread where there are several."""
    frame = pd.DataFrame(found)
    last = rows.used_by(frame["machine"])
    told = [
        "# Codes of digits",
        "",
        f"`python benchmarks/codes.py`; {' and '.join(map(str, frame['epochs'].unique()))} epochs where there are any;",
        f"{last['processor']}, {last['cores']} cores. 8,000 digits to learn from, 2,000 to test. Means over seeds,",
        "± their standard deviation; seconds of the fastest. `error`: mean squared difference of pixels in [0, 1],",
        "times 1,000. `nats`: log-likelihood of a test digit, where the method tells it.",
        "",
    ]
    head = [
        "method",
        "numbers",
        "seeds",
        "error",
        "1 %",
        "10 %",
        "100 %",
        "kNN",
        "nats",
        "fit seconds",
        "alarms",
    ]
    return "\n".join([*told, *rows.table(head, lines(frame)), ""])


def lines(frame: pd.DataFrame) -> list[list[str]]:
    """A line per method and size of its code."""
    made = []
    for (name, numbers), group in frame.groupby(["method", "numbers"], sort=False):
        shares = [rows.cell(group[column], percent=True, spread=True) for column in (*COLUMNS, "kNN")]
        alarms = "; ".join(sorted({alarm for own in group["alarms"] for alarm in own})) or "none"
        made.append(
            [
                *(
                    str(name),
                    str(numbers or ""),
                    str(len(group)),
                    rows.cell(1000 * group["error"].astype(float)),
                ),
                *shares,
                rows.cell(group["log-likelihood"].astype(float)),
                rows.cell(group["fit seconds"].nsmallest(1)),
                alarms,
            ]
        )
    return made


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(main())
