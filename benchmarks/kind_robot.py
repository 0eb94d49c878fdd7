"""What is learned of a pendulum's states and of its frames: where it is, how fast, and what its controller does.

    python benchmarks/kind_robot.py                               states, every row, seeds 0, 1 and 2, 5 CPU minutes
    python benchmarks/kind_robot.py --data pendulum-frames mae    one row, from two pictures a tenth of a second apart

    angle, velocity    R² of a ridge probe on trajectories that were held out; of the angle, mean over cosine and sine
    cloning            R² of the controller's torque there, by a probe of the windows of 5 and of 20 demonstrations
    upright            share of the last two of six seconds that the pendulum stands, if the clone of 20 drives it

`kernel` is 1,024 random Fourier features of the last row of states, or of 32 principal components of frames. The torque
that a probe is to tell comes after what it sees. Penalties are chosen by trajectories that are left out.
Methods see the training part without targets. `simclr-kept` is SimCLR by views that keep where things are: noise and
gaps of states, small shifts and other brightness of frames. Epochs are whole ones, as many as take about `--minutes` of
CPU time by the pace of the first steps. Results: `benchmarks/results/kind_robot.json` and `kind_robot.md`; a row that
lies there is not measured again (--again does).
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import rows
from pretext import epochs
from record import machine

DATA = ("pendulum", "pendulum-frames")
UNTRAINED = "untrained "
BASELINES = ("raw", "hand-made", "kernel", "untrained simclr", "untrained mae", "untrained cpc")
METHODS = ("simclr", "simclr-kept", "mae", "cpc")
DEMONSTRATIONS, DRAWS = (5, 20), 5
PENALTIES = tuple(10.0**power for power in range(-3, 7))
STARTS, DRIVEN, JUDGED = (
    40,
    120,
    40,
)  # trajectories and rows of a clone, and the last ones by which it is judged
STANDS = 0.95  # cosine from which the pendulum stands
KEY = ("data", "method", "seed", "minutes")
Represent = Callable[[Any], np.ndarray]


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    names = [name for name in BASELINES if name != "hand-made" or asked.data == "pendulum"]
    wanted = (
        {"data": asked.data, "method": name, "seed": seed, "minutes": asked.minutes}
        for seed in asked.seeds
        for name in asked.methods or (*names, *METHODS)
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("methods", nargs="*", help=f"none: {', '.join((*BASELINES, *METHODS))}")
    parser.add_argument("--data", choices=DATA, default=DATA[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="of CPU time for each training")
    return parser.parse_args()


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "data": wanted["data"], "minutes": wanted["minutes"]}
    return rows.command_line(__file__, wanted["method"], **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train, probe, clone and drive."""
    import torch

    import replearn

    torch.set_num_threads(1)
    (name,), (seed,) = asked.methods, asked.seeds
    train, test = (replearn.load_data(asked.data, split=part) for part in ("train", "test"))
    represent, method = represented(name, seed, train, asked.minutes)
    a, b = represent(train), represent(test)
    told = {part: {name: own.targets.column(name) for name in own.targets.names} for part, own in
            (("a", train), ("b", test))}  # fmt: skip
    explained = {
        name: r2(ridge(a, told["a"][name], train.groups), b, told["b"][name])
        for name in ("cos", "sin", "velocity")
    }
    found = {"angle": (explained["cos"] + explained["sin"]) / 2, "velocity": explained["velocity"]}
    for number in DEMONSTRATIONS:
        each = []
        for draw in range(DRAWS):
            kept = np.isin(train.groups, drawn(train.groups, number, draw))
            clone = Limited(ridge(a[kept], told["a"]["torque"][kept], train.groups[kept]))
            each.append(r2(clone, b, told["b"]["torque"]))
        found[f"cloning {number}"] = float(np.mean(each))
    found["upright"] = upright(clone, represent, asked.data)  # the last clone of the most demonstrations
    return {
        "scores": found,
        "CPU s": getattr(method, "used", 0.0),
        "epochs": getattr(method, "epochs", 0),
        "alarms": [str(alarm) for alarm in getattr(getattr(method, "history_", None), "alarms", ())],
        "machine": machine(),
    }


def represented(name: str, seed: int, train: Any, minutes: float) -> tuple[Represent, Any]:
    """What turns samples into the rows that are probed, and the method, if it was trained."""
    from replearn.data.kinds import KINDS
    from replearn.methods import find_method

    if name == "raw":
        return lambda samples: samples.flat(), None
    if name == "hand-made":
        return KINDS[train.kind].features, None
    if name == "kernel":
        return kernel(train, seed), None
    fields: dict[str, Any] = {"random_state": seed, "device": "cpu"}
    if name.startswith(UNTRAINED):
        return find_method(name.removeprefix(UNTRAINED)).cls(**fields).prepare(train).transform, None
    if name == "simclr-kept":
        fields["views"] = kept_views(train.kind)
    cls = find_method(name.removesuffix("-kept")).cls
    method = cls(**fields, epochs=epochs(cls, fields, len(train), train, minutes))
    began = time.process_time()
    method.fit(train)
    method.used = time.process_time() - began
    return method.transform, method


def kernel(train: Any, seed: int) -> Represent:
    """Random Fourier features of a Gaussian as wide as half of the median distance (Rahimi and Recht, 2007)."""
    from sklearn.decomposition import PCA
    from sklearn.kernel_approximation import RBFSampler
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    last = FunctionTransformer(lambda x: x.reshape(len(x), 4, -1)[:, :3, -1])
    first = make_pipeline(last, StandardScaler()) if train.kind == "series" else PCA(32, random_state=seed)
    x = first.fit_transform(train.flat())
    apart = np.linalg.norm(x[: len(x) // 2] - x[-(len(x) // 2) :], axis=1)
    wide = np.median(apart) / 2
    made = RBFSampler(gamma=1 / (2 * wide**2), n_components=1024, random_state=seed).fit(x)
    return lambda samples: made.transform(first.transform(samples.flat()))


def kept_views(kind: str) -> Any:
    """Views that keep where things are."""
    from replearn.views import Brightness, Chain, Contrast, Pair, Shift
    from replearn.views.series import TimeMask, TimeNoise

    if kind == "series":
        return Pair(Chain(TimeNoise(0.1), TimeMask(0.2)))
    return Pair(Chain(Shift(0.1), Brightness(0.4), Contrast(0.4)))


def ridge(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> Any:
    """Ridge regression whose penalty is the best on trajectories that are left out."""
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = x.astype(np.float64)
    folds = list(GroupKFold(5).split(x, y, groups))
    return make_pipeline(StandardScaler(), RidgeCV(PENALTIES, cv=folds)).fit(x, y)


class Limited:
    """A clone whose torques are held to what the motor can give."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, x: np.ndarray) -> np.ndarray:
        from replearn.data.pendulum import MOST

        return self.model.predict(x).clip(-MOST, MOST)


def r2(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """The share of what varies that is explained."""
    return float(1 - np.square(y - model.predict(x.astype(np.float64))).sum() / np.square(y - y.mean()).sum())


def drawn(groups: np.ndarray, number: int, draw: int) -> np.ndarray:
    """Some trajectories, at random."""
    return np.random.default_rng(draw).permutation(np.unique(groups))[:number]


def upright(clone: Any, represent: Represent, data: str) -> float:
    """How much of its last two seconds the pendulum stands where a clone drives it, from starts of their own.

    Until there is a window for it to see, the motor is off.
    """
    from replearn.data.pendulum import Swings, random_starts, simulate

    window = 16

    def policy(so_far: Swings) -> np.ndarray:
        if so_far.angle.shape[1] < window:
            return np.zeros(STARTS)
        last = (so_far.angle, so_far.velocity, so_far.torque, so_far.chosen)
        seen = Swings(*(part[:, -window:] for part in last))
        samples = seen.states(window=window) if data == "pendulum" else seen.frames(window=window)
        return clone.predict(represent(samples).astype(np.float64))

    angle, velocity, _ = random_starts(STARTS, DRIVEN, random_state=1)
    swings = simulate(angle, velocity, policy, np.zeros((STARTS, DRIVEN)))
    return float((np.cos(swings.angle[:, -JUDGED:]) > STANDS).mean())


def markdown(found: list[dict[str, Any]]) -> str:
    """A table for each of the data."""
    lines: list[str] = []
    names = ("angle", "velocity", *(f"cloning {number}" for number in DEMONSTRATIONS), "upright")
    for (data, minutes), part in pd.DataFrame(found).groupby(["data", "minutes"], sort=False):
        lines += ["", f"## {data}, {minutes:g} CPU minutes a training", ""]
        body = []
        for name, own in part.groupby("method", sort=False):
            shown = [
                rows.cell(own["scores"].map(lambda each, one=one: each[one]), percent=True, spread=True)
                for one in names
            ]
            seeds = ", ".join(map(str, sorted(own["seed"])))
            body.append((name, seeds, *shown, rows.cell(own["epochs"]), rows.cell(own["CPU s"])))
        lines += rows.table(("row", "seeds", *names, "epochs", "CPU s"), body)
    told = ["", "R² in percent, and the share of time upright in percent; mean and deviation over seeds."]
    return rows.page(
        "Robots",
        "python benchmarks/kind_robot.py",
        told,
        lines,
        rows.used_by(row["machine"] for row in found),
    )


if __name__ == "__main__":
    sys.exit(main())
