"""Draws what is found in scenes: `python docs/make_surgery.py RUNS`, the folder that `benchmarks/surgery.py` keeps."""

import argparse
from pathlib import Path

import replearn
from replearn.report import scene_figure

IMAGES = Path(__file__).parent / "images"
SEED = 2_000  # of scenes that none has learned from, with unseen emoji
SHOWN = 8


def main() -> None:
    """Two pictures for the first run of each task that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    runs = parser.parse_args().runs
    scenes = replearn.make_scenes(SHOWN, random_state=SEED, split="test")
    for task in ("detect", "segment"):
        found = sorted(runs.glob(f"{task}-simclr-*"))
        if found:
            figure = scene_figure(scenes, replearn.load(found[0]).predict(scenes))
            figure.savefig(IMAGES / f"surgery_{task}.png")


if __name__ == "__main__":
    main()
