"""Every other method that lightly has too in samples per second, against lightly's documented recipe.

Both sides train the same encoder on the built-in digits in one run, by turns: lightly by its own example
(`lightly_examples.py`) with the better number of loader workers of 0 and 2 (meant for two cores), replearn
by `fit`, with the example's widths, batch and learning rate and as many views of as many pixels.
"""

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from record import Part, Setting, span
from turns import GOAL, WORKERS, Case, Pictures, fit_turn, loop_turn, require_lightly, take_turns

from replearn import load_data, make_encoder
from replearn.methods import BYOL, DINO, BarlowTwins, Method, MoCo, SimSiam, SwAV, VICReg
from replearn.views import MultiCrop, Split, named_views

SMALL_CROPS = 6  # of lightly's SwAV and DINO, beside two large ones
SGD = {"optimizer": "sgd", "learning_rate": 0.06, "weight_decay": 0.0}
ADAM = {"optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 0.0}

# Numbers of lightly's examples, in our words.
FIELDS: dict[type[Method], dict[str, Any]] = {
    MoCo: {"hidden": 512, "dim": 128, "queue": 4000, **SGD},
    SwAV: {"hidden": 512, "dim": 128, "prototypes": 512, "queue": 0, "frozen": 0.0, **ADAM},
    BYOL: {"hidden": 1024, "dim": 256, **SGD},
    SimSiam: {"hidden": 512, "dim": 128, "bottleneck": 64, **SGD},
    BarlowTwins: {"hidden": 2048, "dim": 2048, **SGD},
    VICReg: {"hidden": 2048, "dim": 2048, **SGD},
    DINO: {"hidden": 512, "dim": 64, "prototypes": 2048, "frozen": 0.1, **ADAM},
}


def measure(setting: Setting) -> Part:
    """Samples per second of both, and their ratio, for every method."""
    require_lightly()
    part = Part(
        title="Other methods against lightly's documented recipes",
        goal=f"our samples/s at least {GOAL:g} times those of the documented recipe",
        notes=[
            "Built-in digits, 28 px; resnet_small, batch 128. Documented recipe: lightly's "
            "examples/pytorch/<method>.py with this encoder, image size and batch, in float32, the better of 0 "
            "and 2 loader workers. Both sides have all cores and take turns. Ratio: median of the rounds' ratios, "
            "and their middle half.",
            "The same on both sides: encoder, batch, learning rate, the examples' widths of heads and numbers of "
            "prototypes, how many views of how many pixels (checked on the views themselves); no weight decay; "
            "no blur, as in our preset `grey` and in lightly's examples of SimCLR, BYOL and Barlow Twins on small "
            "images (its other transforms blur some views by default, which would cost it time). MoCo keeps 4,000 "
            "keys: the example's 4,096 are more than half the samples, our limit. The small crops' 16 px are "
            "our preset's; their number is lightly's. VICReg's head has three layers, as in the paper and by default "
            "in both libraries; the example's has two.",
            "Not the same: replearn works in bfloat16 where the processor has it, and in the order of memory that "
            "suits it. Its SGD has momentum, and its heads of MoCo and DINO batch normalisation, which lightly's "
            "examples have not; its Adam is torch's fused AdamW, theirs torch's Adam. lightly's transforms keep "
            "their own strengths of jitter and areas of crops; of one channel, jitter and grey change brightness "
            "and contrast only, as `grey` does. Its BYOL, Barlow Twins, VICReg and DINO solarize some views, at "
            "most a tenth. None of our health checks, about 40 in a training, falls among the steps timed.",
            "What five would take: docs/decisions/0009-how-fast-beside-lightly.md.",
        ],
    )
    part.rows = [_row(case_of(cls, setting), cls) for cls in FIELDS]
    part.met = all(row["ratio"] >= GOAL for row in part.rows)
    return part


def case_of(cls: type[Method], setting: Setting) -> Case:
    """A short training of the method, by either side."""
    digits = load_data("digits", split="train")
    case = Case(cls.__name__, digits, make_encoder("resnet_small", digits).body, "grey", batch_size=128)
    if setting.quick:
        return replace(case, steps=1, warmup=1, rounds=1, batch_size=16)
    return replace(case, steps=4, warmup=2, rounds=4)


def _row(case: Case, cls: type[Method]) -> dict[str, Any]:
    def recipe(workers: int) -> float:
        found = example(case, ours(case, cls))
        return loop_turn(case, workers, found.transform, found.step)

    lightly = {f"lightly, {workers} workers": partial(recipe, workers) for workers in WORKERS}
    found = take_turns(case, {**lightly, "replearn": lambda: fit_turn(case, ours(case, cls))})
    best = max(lightly, key=lambda side: median(found[side]))
    ratios = [own / other for own, other in zip(found["replearn"], found[best], strict=True)]
    method = ours(case, cls)
    return {
        "method": case.name,
        "views": same_views(case, method.views, example(case, method).transform),
        "lightly documented, samples/s": median(found[best]),
        "its loader": best.removeprefix("lightly, "),
        "replearn, samples/s": median(found["replearn"]),
        "ratio": round(median(ratios), 2),
        "middle half": span(ratios),
    }


def example(case: Case, method: Method) -> Any:
    """lightly's example that goes with our method."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what torch deprecates and lightly uses
        from lightly_examples import EXAMPLES

        return EXAMPLES[type(method)](case, method)


def ours(case: Case, cls: type[Method]) -> Any:
    """Our method with the example's numbers."""
    return cls(
        encoder=case.encoder,
        views=views_of(case, cls),
        batch_size=case.batch_size,
        epochs=10,
        **FIELDS[cls],
    )


def views_of(case: Case, cls: type[Method]) -> Split:
    """The preset's views, with as many small crops as lightly's where there are any."""
    split = named_views(case.views, case.samples, cls.split)
    return replace(split, n_small=SMALL_CROPS) if isinstance(split, MultiCrop) else split


def same_views(case: Case, split: Split, transform: Callable[[Any], Any]) -> str:
    """The views of a sample in words, once both sides are seen to have the same."""
    own = [tuple(view.x.shape[1:]) for view in split(case.samples[np.arange(2)])]
    theirs = [tuple(view.shape) for view in Pictures(case.images[:1], transform)[0][0]]
    if own != theirs:
        raise RuntimeError(f"both sides must have the same views; replearn's are {own}, lightly's {theirs}.")
    return ", ".join(f"{number} of {side} px" for (*_, side), number in Counter(own).items())
