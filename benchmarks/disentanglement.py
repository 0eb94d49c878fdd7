"""Does a price on what a code tells, or on what its units tell of each other, give units that stand for one factor?

    python benchmarks/disentanglement.py                     VAE, beta-VAE, beta-TC-VAE, FactorVAE; seeds 0, 1 and 2
    python benchmarks/disentanglement.py betavae --seeds 0   some of it; what has been measured is kept

Trained on the training part of `shapes`; the means of the codes of all 18,000 pictures are scored against the factors
they were drawn from, as is the habit with dSprites, where no part is held out. Every method has the same encoder,
decoder, number of steps and seeds; the last step is judged. Encoder and decoder are dense and without batch
normalisation, as in Chen et al.'s experiments with dSprites. Each training is a process of its own. Results:
`benchmarks/results/disentanglement.json` and `.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import pandas as pd
import rows
from record import machine

# Beside the terms below, all that a method is given: the strength of the best MIG of one training each with a seed that
# is not among those of the table. Tried were beta 4, 6 and 8, beta-TC 4, 6, 8 and 10, and gamma 10, 35 and 70.
METHODS: dict[str, dict[str, float]] = {
    "vae": {},
    "betavae": {"beta": 8.0},
    "betatcvae": {"beta": 10.0},
    "factorvae": {"gamma": 35.0},
}
ORDERED = (1, 3, 4)  # scale, x and y are amounts; shape is not, and rotation goes round
COLLAPSED = 0.05  # Kim & Mnih's bound for codes whose prior has variance 1
TERMS = ("size", "epochs", "batch_size", "dim", "hidden")
SHOWN = ["FactorVAE score", "MIG", "DCI disentanglement", "DCI completeness", "DCI informativeness", "SAP"]
SHOWN += ["modularity", "explicitness", "beta-VAE score", "rate", "distortion", "active_units", "seconds"]


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"method": name, "seed": seed} | METHODS[name] | terms(asked)
        for seed in asked.seeds
        for name in asked.methods or METHODS
    )
    return rows.main(asked, measure, wanted, command, markdown, key=("method", "seed", *TERMS))


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("methods", nargs="*", choices=[[], *METHODS], help="none: all")
    parser.add_argument(
        "--size", type=int, default=64, help="pixels a side; fewer make every weight count for more"
    )
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--dim", type=int, default=10, help="numbers in the code")
    parser.add_argument(
        "--hidden", type=int, default=256, help="width of the hidden layers, two in each network"
    )
    return parser.parse_args()


def terms(asked: argparse.Namespace) -> dict[str, Any]:
    """What must be alike for rows to compare."""
    return {name: getattr(asked, name) for name in TERMS}


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    return rows.command_line(__file__, wanted["method"], seeds=wanted["seed"], **terms(asked))


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train, encode, judge."""
    import torch

    from replearn.data import load_data, shapes
    from replearn.encoders.heads import mlp
    from replearn.evaluate import disentanglement
    from replearn.methods import find_method

    (name,), (seed,) = asked.methods, asked.seeds
    fields = {field: value for field, value in terms(asked).items() if field not in ("size", "hidden")}
    torch.manual_seed(seed)  # of the encoder's weights; the method copies it
    inner = mlp(asked.size**2, asked.hidden, asked.hidden, depth=2, norm=False)
    encoder = torch.nn.Sequential(torch.nn.Flatten(), *inner, torch.nn.ReLU())
    cls = with_decoder(find_method(name).cls, asked.hidden)
    method = cls(random_state=seed, encoder=encoder, **METHODS[name], **fields)
    every = shapes(size=asked.size, scales=4, rotations=15, positions=10)  # the built-in grid
    start = time.perf_counter()
    method.fit(every.subset(load_data("shapes", split="train").index))
    seconds = time.perf_counter() - start
    table = disentanglement(
        method.transform(every), every.factors, ordered=ORDERED, collapsed=COLLAPSED, random_state=seed
    )
    method.encoder_.eval()
    with torch.inference_mode():
        told = method.measures(every[load_data("shapes", split="test").index])
    found = {key: float(value) for key, value in told.items()}
    judged = dict(zip(table["measure"], table["mean"], strict=True))
    return judged | found | {"seconds": seconds, "machine": machine()}


def with_decoder(cls: type[Any], hidden: int) -> type[Any]:
    """The method with a decoder that mirrors the encoder."""
    from math import prod

    from torch import nn

    from replearn.encoders.heads import mlp

    class Plain(cls):  # type: ignore[misc]
        def make_decoder(self, samples: Any) -> nn.Module:
            inner = mlp(self.dim, hidden, prod(samples.shape), depth=3, norm=False)
            return nn.Sequential(*inner, nn.Unflatten(1, samples.shape))

    return Plain


def markdown(found: list[dict[str, Any]]) -> str:
    """A table for each set of terms: means over seeds, and their spread where there are several."""
    told = ["# Disentanglement on shapes", ""]
    for condition, part in pd.DataFrame(found).groupby(list(TERMS), sort=False):
        words = ", ".join(f"{name} {value}" for name, value in zip(TERMS, condition, strict=True))
        used = rows.used_by(part["machine"])
        told += [
            f"`python benchmarks/disentanglement.py`: {words}; {used['processor']}, {used['cores']} cores. Means over",
            "seeds, ± their standard deviation; last step; all 18,000 pictures; rate and distortion: nats, test part.",
            "",
        ]
        lines = []
        for name, group in part.groupby("method", sort=False):
            knobs = ", ".join(f"{key} {value:g}" for key, value in METHODS[str(name)].items())
            cells = [cell(group[column]) for column in SHOWN]
            lines.append([f"{name} {knobs}".strip(), str(len(group)), *cells])
        told += [*rows.table(["method", "seeds", *SHOWN], lines), ""]
    return "\n".join(told)


def cell(values: "pd.Series[float]") -> str:
    """Mean and deviation of some numbers, as a reader sees them."""
    digits = 0 if values.mean() >= 100 else 1 if values.mean() >= 2 else 3
    spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(main())
