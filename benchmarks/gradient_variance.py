"""How much two gradients of a VAE's bound vary, along training on digits: through the draw, and by the score function.

    python benchmarks/gradient_variance.py         # writes results/gradient_variance.json and .png

One VAE is trained as usual, with the gradient through the draw. At some steps training halts, and for one fixed batch
each estimator's gradient of the encoder's weights is computed anew for many draws of the noise: the variance is the sum
over weights of the variance over draws, and the signal the squared length of the mean gradient, by the draw-through
estimator. Their ratio says how many draws a useful step asks for.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rows
import torch
from matplotlib.figure import Figure
from record import machine, table
from torch import Tensor

import replearn
from replearn.data import Batch
from replearn.encoders.modes import evaluating
from replearn.engine.machine import random_state_kept

RESULTS = Path(__file__).parent / "results"
PICTURE = Path(__file__).parent.parent / "docs" / "images" / "gradient_variance.png"
DRAWS = 2  # per sample; a baseline asks for two
SIGNAL = "squared length of the mean gradient"
ESTIMATORS: dict[str, dict[str, Any]] = {
    "score function": {"estimator": "score", "baseline": False},
    "score function, baseline": {"estimator": "score", "baseline": True},
    "through the draw": {"estimator": "analytic", "baseline": False},
}
COLOURS = ("#b3382c", "#d98e04", "#1b6ca8")


class Measured(replearn.VAE):
    """A VAE that halts at some steps to measure its gradients."""

    batch: Batch
    halts: tuple[int, ...]
    repetitions: int
    steps: int
    found: list[dict[str, float]]

    def after_step(self, progress: float) -> None:
        self.steps += 1
        if self.steps in self.halts:
            row = {"step": self.steps} | measure(self, self.batch, self.repetitions)
            print(row, flush=True)
            self.found.append(row)


def measure(vae: replearn.VAE, batch: Batch, repetitions: int) -> dict[str, float]:
    """Variance of each estimator's gradient, and the signal."""
    fields, variance = {name: getattr(vae, name) for name in ("estimator", "baseline")}, {}
    signal = 0.0
    with random_state_kept(), evaluating(vae.modules().values()):
        for name, chosen in ESTIMATORS.items():
            vae.set_params(**chosen)
            mean, variance[name] = moments(gradients(vae, batch, repetitions))
            signal = (
                float(mean.square().sum()) - variance[name] / repetitions
            )  # of the last, which varies least
    vae.set_params(**fields)
    return variance | {SIGNAL: max(signal, 0.0)}


def gradients(vae: replearn.VAE, batch: Batch, repetitions: int) -> Iterator[Tensor]:
    """Gradients of the encoder's weights, each of other draws of the noise."""
    weights = [p for part in (vae.encoder_, vae.code_, vae.log_variance_) for p in part.parameters()]
    for seed in range(repetitions):
        torch.manual_seed(seed)
        yield torch.cat([g.flatten() for g in torch.autograd.grad(vae.loss(batch), weights)])


def moments(found: Iterator[Tensor]) -> tuple[Tensor, float]:
    """Mean of gradients, and the sum over weights of their variance, without keeping them all."""
    count, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for gradient in found:
        count += 1
        step = gradient.double() - mean
        mean = mean + step / count
        squares = squares + step * (gradient.double() - mean)
    return mean, float(squares.sum() / (count - 1))


def draw(found: list[dict[str, float]], path: Path) -> None:
    """Variance by step, one line for each estimator."""
    figure = Figure(figsize=(6.4, 3.8), dpi=150, layout="constrained")
    axes = figure.subplots()
    steps = [row["step"] for row in found]
    for name, colour in zip(ESTIMATORS, COLOURS, strict=True):
        values = [row[name] for row in found]
        axes.plot(steps, values, color=colour, marker="o", markersize=3)
        axes.annotate(name, (steps[-1], values[-1]), xytext=(6, -3), textcoords="offset points", color=colour)
    axes.plot(steps, [row[SIGNAL] for row in found], color="#777777", linestyle="--", linewidth=1)
    axes.annotate(
        "squared length of the mean",
        (steps[-2], found[-2][SIGNAL]),
        xytext=(-4, 7),
        textcoords="offset points",
        color="#777777",
        fontsize=8,
    )
    axes.set_yscale("log")
    axes.set_xscale("log")
    axes.set_xlim(steps[0] * 0.9, steps[-1] * 12)
    axes.set_xlabel("step of training")
    axes.set_title("Variance of the encoder's gradient, VAE on digits", loc="left", fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(path)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--epochs", type=int, default=4)
    arguments.add_argument("--repetitions", type=int, default=12)
    arguments.add_argument("--out", type=Path, default=RESULTS)
    asked = arguments.parse_args()
    samples = replearn.load_data("digits", split="train")
    vae = Measured(
        encoder="mlp", epochs=asked.epochs, batch_size=128, draws=DRAWS, device="cpu", precision="32-true"
    )
    last = asked.epochs * (len(samples) // vae.batch_size)
    vae.halts = tuple(sorted({int(step) for step in np.geomspace(1, last, num=10)}))
    vae.batch, vae.repetitions, vae.steps, vae.found = samples[np.arange(128)], asked.repetitions, 0, []
    vae.fit(samples)
    about = {
        "draws per sample": DRAWS,
        "samples per gradient": len(vae.batch),
        "repetitions": asked.repetitions,
        "epochs": asked.epochs,
        "machine": machine(),
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"rows": vae.found} | about, indent=1, ensure_ascii=False)
    (asked.out / "gradient_variance.json").write_text(content + "\n", encoding="utf-8")
    page = rows.page(
        "Variance of the VAE's two gradients",
        f"python benchmarks/gradient_variance.py --epochs {asked.epochs} --repetitions {asked.repetitions}",
        [f"Sum over the encoder's parameters, of {len(vae.batch)} digits, {DRAWS} draws each; seed 0."],
        table(vae.found),
        machine(),
    )
    (asked.out / "gradient_variance.md").write_text(page, encoding="utf-8")
    draw(vae.found, PICTURE)
    print(page)


if __name__ == "__main__":
    main()
