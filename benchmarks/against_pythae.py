"""Our VAE against Pythae's, with Pythae's networks and the budget of its MNIST recipe, on our digits.

    python benchmarks/against_pythae.py            # both, one after the other; writes results/pythae.json

The recipe is Pythae's own (examples/scripts/configs: mnist/base_training_config.json, binary_mnist/vae_config.json):
its default MLP with one hidden layer of 512 each way, 16 latent numbers, binary cross-entropy, Adam at 1e-3, batches
of 100, 100 epochs (20 here, unless asked: --epochs 100). Both sides get these networks, batches and epochs, the same
8,000 binarised digits (white where a pixel is above half) and as many threads. Ours reads standardised pixels and
lowers the learning rate along a cosine from its own default, 2e-3, chosen on validation data; and from 1e-3 too, where
its mean is half of Pythae's. Pythae computes in 32 bits, ours in 32 bits and with its default precision.

The log-likelihood of the 2,000 test digits is the importance-weighted bound by 200 draws, computed for all models by
the same lines here, from posterior means, log-variances and logits. Seconds are those of training alone; processor
seconds tell more than wall seconds where other programs run.

Pythae asks for versions of other packages: give it an environment of its own.

    python -m venv pythae && pythae/bin/pip install pythae . && pythae/bin/python benchmarks/against_pythae.py
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rows
import torch
from record import machine, table
from torch import Tensor, nn

import replearn
from replearn.data import Description
from replearn.objectives.elbo import log_mean_exp, log_normal
from replearn.objectives.likelihoods import log_bernoulli

RESULTS = Path(__file__).parent / "results" / "pythae.json"
LATENT, HIDDEN, BATCH, RATE, DRAWS = 16, 512, 100, 1e-3, 200


@dataclass
class Found:
    """A trained model: how it encodes and decodes, and what training took."""

    posterior: Callable[[Tensor], tuple[Tensor, Tensor]]
    logits: Callable[[Tensor], Tensor]
    seconds: float
    processor_seconds: float


@dataclass(kw_only=True, eq=False, repr=False)
class WithTheirDecoder(replearn.VAE):
    """Our VAE with Pythae's default decoder."""

    def make_decoder(self, samples: Description) -> nn.Module:
        pixels = int(np.prod(samples.shape))
        return nn.Sequential(
            nn.Linear(self.dim, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, pixels), nn.Unflatten(1, samples.shape)
        )


def timed(train: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    train()
    return time.perf_counter() - wall, time.process_time() - processor


def ours(
    x: np.ndarray,
    *,
    epochs: int,
    seed: int,
    rate: float = replearn.VAE.learning_rate,
    precision: str = "auto",
) -> Found:
    """Our VAE with their networks."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(x[0].size, HIDDEN), nn.ReLU())
    vae = WithTheirDecoder(
        encoder=encoder,
        dim=LATENT,
        epochs=epochs,
        batch_size=BATCH,
        learning_rate=rate,
        random_state=seed,
        precision=precision,
        device="cpu",
    )
    took = timed(lambda: vae.fit(x))

    def posterior(pixels: Tensor) -> tuple[Tensor, Tensor]:
        return vae.posterior(replearn.as_samples(pixels.numpy())[np.arange(len(pixels))])

    return Found(posterior, vae.decoder_, *took)


def theirs(x: np.ndarray, *, epochs: int, seed: int) -> Found:
    """Pythae's VAE."""
    from pythae.models import VAE, VAEConfig
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig

    torch.manual_seed(seed)
    model = VAE(VAEConfig(input_dim=x[0].shape, latent_dim=LATENT, reconstruction_loss="bce"))
    with TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            learning_rate=RATE,
            per_device_train_batch_size=BATCH,
            seed=seed,
            no_cuda=True,
        )
        took = timed(lambda: TrainingPipeline(model=model, training_config=config)(train_data=x))
    model = model.cpu().eval()
    hidden, (last, _) = model.decoder.layers[0], model.decoder.layers[1]  # the sigmoid is left out

    def posterior(pixels: Tensor) -> tuple[Tensor, Tensor]:
        out = model.encoder(pixels)
        return out.embedding, out.log_covariance

    return Found(posterior, lambda z: last(hidden(z)), *took)


@torch.inference_mode()
def log_likelihood(found: Found, x: np.ndarray, *, part: int = 25) -> np.ndarray:
    """Importance-weighted bound of each sample in nats, by `DRAWS` draws, alike for every model."""
    random, bounds = torch.Generator().manual_seed(0), []
    for pixels in torch.from_numpy(x).split(part):
        mean, log_variance = (part[:, None].float() for part in found.posterior(pixels))  # (n, 1, d)
        z = mean + (0.5 * log_variance).exp() * torch.randn(len(pixels), DRAWS, LATENT, generator=random)
        told = log_bernoulli(
            found.logits(z.flatten(0, 1)).flatten(1).float(), pixels.flatten(1).repeat_interleave(DRAWS, 0)
        ).view(len(pixels), DRAWS)
        zero = torch.zeros_like(z)
        cost = (log_normal(z, mean, log_variance) - log_normal(z, zero, zero)).sum(2)
        bounds.append(log_mean_exp((told - cost).double()).numpy())
    return np.concatenate(bounds)


def binarised(split: str) -> np.ndarray:
    """Digits as zeros and ones."""
    samples = replearn.load_data("digits", split=split)
    return (samples[np.arange(len(samples))].x.numpy() > 127).astype(np.float32)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--epochs", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--out", type=Path, default=RESULTS)
    asked = arguments.parse_args()
    train, test = binarised("train"), binarised("test")
    budget = {"epochs": asked.epochs, "seed": asked.seed}
    runs = {
        "Pythae": lambda: theirs(train, **budget),
        "replearn": lambda: ours(train, **budget),
        "replearn, 32 bits": lambda: ours(train, **budget, precision="32-true"),
        "replearn, 32 bits, 1e-3": lambda: ours(train, **budget, precision="32-true", rate=RATE),
    }
    found_rows = []
    for name, run in runs.items():
        found = run()
        bound = log_likelihood(found, test)
        found_rows.append(
            {
                "model": name,
                "test log-likelihood, nats": round(float(bound.mean()), 2),
                "± of 2,000 digits": round(float(1.96 * bound.std() / len(bound) ** 0.5), 2),
                "seconds": round(found.seconds, 1),
                "processor seconds": round(found.processor_seconds, 1),
            }
        )
        print(found_rows[-1], flush=True)
    versions = {"pythae": version("pythae")}
    content = {"rows": found_rows, "budget": budget, "draws": DRAWS, "machine": machine() | versions}
    asked.out.parent.mkdir(exist_ok=True)
    asked.out.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    page = rows.page(
        "A VAE beside Pythae's",
        f"python benchmarks/against_pythae.py --epochs {asked.epochs}",
        [
            f"Pythae's default MLP for MNIST, 16 numbers, batch 100, {asked.epochs} epochs of 8,000 binarised digits;",
            f"seed {asked.seed}; log-likelihood of 2,000 test digits by {DRAWS} draws, one estimator for all.",
        ],
        table(found_rows),
        machine(),
    )
    asked.out.with_suffix(".md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
