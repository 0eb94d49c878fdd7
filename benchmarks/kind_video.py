"""What is learned of clips, beside raw input, features made by hand and untrained networks.

    python benchmarks/kind_video.py                                 bouncing, every row, seeds 0, 1 and 2, 5 CPU minutes
    python benchmarks/kind_video.py --data sprites arrowoftime      one row: sprites of a game, characters kept apart
    python benchmarks/kind_video.py --data bouncing-ideal arrowoftime    the control: nothing can be learned

    bouncing, bouncing-ideal, moving-digits    built in, as given
    sprites    animations of Wesnoth's units by what they do; 4 frames inside of their length; GroupKFold(5) by unit, of
               which --folds are taken

    action     accuracy of a linear probe with all labels
    kNN        the same by five neighbours
    question   of arrowoftime and orderverification, the share of test questions that are answered right; of tuples,
               two in three of which are out of order, it is the mean of those in order and those out of order
    tracking   of colourtracking, and of its untrained network: intersection over union of the things' masks in frames 2
               to 8 of 100 clips that are drawn apart, and if nothing is moved

Methods see the training part only and have their defaults, MAE hides 90 %. Epochs are whole ones, as many as take about
`--minutes` of CPU time in each fold by the pace of its first steps, one at least. Sprites need the file (--sprites),
which is no part of the package. Results: `benchmarks/results/kind_video.json` and `kind_video.md`; a row that lies
there is not measured again (--again does).
"""

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import by_fold
import numpy as np
import rows

DATA = ("bouncing", "bouncing-ideal", "moving-digits", "sprites")
BASELINES = ("raw", "hand-made", "untrained simclr", "untrained colourtracking")
METHODS = ("simclr", "vicreg", "mae", "arrowoftime", "orderverification", "colourtracking", "supervised")
SPRITES = Path("shared/data/bench/wesnoth_anim.npz")
FRAMES = 4  # of sprites
COLUMNS = ("action", "kNN", "question", "tracking", "nothing moved")
KEY = by_fold.KEY
command = by_fold.command(__file__, "sprites")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    fields = {"share": 0.9} if asked.methods == ["mae"] else {}
    measure = partial(by_fold.measure, folds=folds(asked), judge=judged, **fields)
    wanted = by_fold.wanted(asked, (*BASELINES, *METHODS))
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = by_fold.options(__file__, __doc__, DATA, folds=(1, "of sprites, the first ones"))
    parser.add_argument("--sprites", type=Path, default=SPRITES, help="animations of Wesnoth's units")
    asked = parser.parse_args()
    by_fold.check_file(parser, asked, "sprites", "sprites")
    return asked


def folds(asked: argparse.Namespace) -> Iterator[by_fold.Fold]:
    """Training and test parts."""
    import replearn

    if asked.data != "sprites":
        yield tuple(replearn.load_data(asked.data, split=part) for part in ("train", "test"))
        return
    from sklearn.model_selection import GroupKFold

    samples = sprites(asked.sprites)
    for train, test in list(GroupKFold(5).split(samples.groups, samples.labels, samples.groups))[
        : asked.folds
    ]:
        yield samples.subset(train), samples.subset(test)


def sprites(path: Path) -> Any:
    """Animations that are long enough and whose action is known; the frames in the middle of their length."""
    import replearn

    with np.load(path) as found:
        action = found["action_names"][found["action"]]
        kept = (found["length"] >= FRAMES) & (action != "other")
        clips = [x[:long] for x, long in zip(found["clips"][kept], found["length"][kept], strict=True)]
        groups = found["group"][kept].astype(str)
    return replearn.as_samples(clips, list(action[kept]), kind=f"video:frames={FRAMES}", groups=list(groups))


def judged(own: Any, train: Any, other: Any, test: Any, method: Any) -> dict[str, float]:
    """Accuracies of probes, and how a method answers its own question."""
    from replearn.evaluate import knn_probe, linear_probe

    found = {
        "action": linear_probe(own, train.labels, other, test.labels).accuracy,
        "kNN": knn_probe(own, train.labels, other, test.labels),
    }
    return found | own_scores(method, test)


def own_scores(method: Any, test: Any) -> dict[str, float]:
    """How a method answers its own question on test samples."""
    import torch

    name = type(method).__name__
    asked = {"ArrowOfTime": arrow, "OrderVerification": order, "ColourTracking": tracking}.get(name)
    if asked is None:
        return {}
    for module in method.modules().values():
        module.eval()
    with torch.no_grad():
        return asked(method, test)


def arrow(method: Any, test: Any) -> dict[str, float]:
    """Of both directions of every test clip that is asked."""
    from replearn.views.directions import Directions, directions_of

    hits = []
    for part in np.array_split(np.arange(len(test)), -(-len(test) // 64)):
        (played,), right = Directions().parts(test[part]), directions_of(test[part])
        told = method.logits_(method.encoder_(played)).argmax(1)
        hits.append((told == right)[right >= 0].float())
    return {"question": float(np.concatenate([one.numpy() for one in hits]).mean())}


def order(method: Any, test: Any) -> dict[str, float]:
    """Of the tuples where most moves in every test clip that is asked, as if both answers were equally frequent."""
    import torch

    from replearn.views.tuples import FrameTuples, can_be_ordered

    hits = []
    for part in np.array_split(np.arange(len(test)), -(-len(test) // 64)):
        batch = test[part]
        (frames,) = FrameTuples().parts(batch)
        logits = method.logits(frames, torch.zeros(len(batch), 3, dtype=torch.bool))[can_be_ordered(batch)]
        score = (logits[..., 1] - logits[..., 0] + np.log(2)).numpy()
        hits.append(np.stack([score[:, 0] > 0, (score[:, 1:] < 0).mean(1)], axis=1))
    return {"question": float(np.concatenate(hits).mean())}


def tracking(method: Any, test: Any) -> dict[str, float]:
    """Masks of the first frames carried along, in clips like those of `bouncing` that nobody has seen."""
    from replearn.data.videos import bouncing
    from replearn.evaluate import mask_iou, propagate

    if test.shape != (3, 8, 32, 32):
        return {}
    made = bouncing(100, random_state=5)
    masks = made.masks.astype(np.int64)
    found = propagate(method.maps(made.samples()), masks[:, 0])
    still = np.repeat(masks[:, :1], masks.shape[1], axis=1)
    return {"tracking": mask_iou(found, masks).mean(), "nothing moved": mask_iou(still, masks).mean()}


def markdown(found: list[dict[str, Any]]) -> str:
    """A table for each of the data."""
    about = "In percent: accuracy of probes, share of questions answered right, intersection over union."
    return by_fold.page(__file__, "Videos", about, found, COLUMNS, told_folds)


def told_folds(data: str, number: int) -> str:
    """What a title says of them."""
    return f", {number} of 5 folds" if data == "sprites" else ""


if __name__ == "__main__":
    sys.exit(main())
