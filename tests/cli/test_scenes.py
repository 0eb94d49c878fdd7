"""`replearn finetune --task detect` and `segment`: from scenes to a run that answers, and to its page."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from replearn import Detector, Segmenter, load, make_scenes
from replearn.data import scene_sources

TINY = ("--width", 16, "--epochs", 1)
MODELS = {"detect": (Detector, "ap", "ap50"), "segment": (Segmenter, "miou", "accuracy")}


@pytest.fixture(autouse=True)
def _few_scenes(monkeypatch):
    monkeypatch.setattr(scene_sources, "DRAWN_PARTS", {"train": (16, 0), "test": (8, 2_000)})


@pytest.fixture
def files(tmp_path):
    """Drawn scenes as files: COCO's two of them, PASCAL VOC's, and folders of images and masks."""
    for name, seed in (("train", 0), ("val", 1)):
        scenes = make_scenes(10, random_state=seed, classes=("ring", "cross"))
        images, annotations = [], []
        for i in range(len(scenes)):
            for folder, picture in (
                (name, scenes.x[i].transpose(1, 2, 0)),
                (f"{name}_masks", scenes.masks[i]),
            ):
                (tmp_path / folder).mkdir(exist_ok=True)
                Image.fromarray(picture).save(tmp_path / folder / f"{i}.png")
            images.append({"id": i, "file_name": f"{i}.png"})
            for (left, top, right, bottom), label in zip(scenes.boxes[i], scenes.box_labels[i], strict=True):
                box = [float(v) for v in (left, top, right - left, bottom - top)]
                annotations.append({"image_id": i, "category_id": int(label), "bbox": box})
        categories = [{"id": 0, "name": "ring"}, {"id": 1, "name": "cross"}]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize("task", MODELS)
def test_drawn_scenes_to_a_run_that_answers_and_a_page(command, tmp_path, task):
    cls, main, other = MODELS[task]
    answer = command("finetune", "cnn", "scenes", "--task", task, *TINY)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert re.fullmatch(rf"{task} on scenes: 16 scenes, 2 steps, .* s", lines[0])
    assert lines[1].split() == [
        "of",
        "8",
        "test",
        "scenes",
        "score",
        "95",
        "%",
        "interval",
        "usual",
        "answer",
    ]
    assert [lines[2].split()[0], lines[3].split()[0]] == [main, other]
    assert all(len(line) <= 80 and line.isascii() for line in lines)
    run = tmp_path / "runs" / f"{task}-scenes"
    test = scene_sources.as_scenes("scenes:test")
    model = load(run)
    assert isinstance(model, cls)
    assert lines[2].split()[1] == f"{model.score(test):.4f}"

    told = command("report", f"runs/{task}-scenes")
    assert told.code == 0, told.err
    assert told.out.splitlines()[:2] == lines[1:3]
    page = (run / "report.html").read_text()
    assert "script-src 'none'" in page
    assert "<script" not in page
    own = model.judged(model.predict(test), test)
    known = sum(np.isfinite(own(np.array([i]))[main]) for i in range(len(test)))
    assert page.count("data:image/png") == known
    assert f"replearn finetune cnn scenes --task {task}" in page
    assert command("report", run, "--title", "<b>").code == 0
    assert "<h1>&lt;b&gt;</h1>" in (run / "report.html").read_text()


@pytest.mark.parametrize(
    ("task", "args"),
    [
        ("detect", ("train.json", "--images", "train")),
        pytest.param(
            *("detect", ("train.json", "--test", "val.json", "--images", "train", "val")),
            marks=pytest.mark.all,
        ),
        ("segment", ("train", "--masks", "train_masks", "--classes", "ring", "cross")),
        pytest.param(
            "segment",
            ("train", "--test", "val", "--masks", "train_masks", "val_masks", "--classes", "ring", "cross"),
            marks=pytest.mark.all,
        ),
    ],
)
def test_scenes_of_files(command, files, task, args):
    answer = command("finetune", "cnn", *args, "--task", task, *TINY, "--image-size", 64, "--to", "run")
    assert answer.code == 0, answer.err
    number = 10 if "--test" in args else 8
    assert f"{number} scenes, " in answer.out
    assert f"of {10 if '--test' in args else 2} test scenes" in answer.out
    assert load(files / "run").classes_.tolist() == ["ring", "cross"]
    assert command("report", "run").code == 0


def test_the_page_is_of_the_scenes_that_were_judged(command, files):
    args = ("finetune", "cnn", "train.json", "--images", "train", "--task", "detect", *TINY, "--to", "run")
    assert command(*args).code == 0
    content = json.loads((files / "train.json").read_text())
    for row in content["annotations"]:
        row["bbox"][2] -= 1
    (files / "train.json").write_text(json.dumps(content))
    assert "the scenes must be those that were judged" in command("report", "run").line
    for broken in ("{}", '{"data": {"data": "scenes", "fingerprint": "x", "more": 1}}', "[]"):
        (files / "run" / "scenes.json").write_text(broken)
        assert "must be as replearn wrote it" in command("report", "run").line


@pytest.mark.all
def test_a_run_that_ended_has_nothing_to_do_and_the_encoder_goes_on(command, tmp_path):
    args = ("finetune", "cnn", "scenes", "--task", "detect", *TINY, "--to", "run")
    first = command(*args)
    again = command(*args, "--resume")
    assert "has ended already" in again.err
    assert again.out.splitlines()[1:] == first.out.splitlines()[1:]
    assert command("embed", "run", "emoji:test").code == 0
    assert (tmp_path / "run" / "emoji-test.parquet").is_file()
    told = command("evaluate", "run", "emoji:test").line
    assert "run holds a Detector, since it answers what is where in scenes" in told
    assert command("finetune", "run", "scenes", "--task", "segment", *TINY, "--to", "masks").code == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (
            ("scenes", "--task", "detect", "--pooling", "mean"),
            "options must be those of `replearn finetune --task",
        ),
        (("scenes", "--task", "detect", "--labels", "x"), "got --labels"),
        (("scenes", "--task", "detect", "--head", "fcn"), "got --head"),
        (("digits8x8", "--head", "fcn"), "options must be those of `replearn finetune`; got --head"),
        (("digits8x8", "--task", "detec"), "--task must be one of 'classify'"),
        (("scenes:train", "--task", "detect"), "must be named without a part"),
        (("scenes", "--task", "detect", "--images", "x"), "images must name"),
        (("train", "--task", "segment", "--masks", "x", "y"), "--masks must name a folder"),
        (("scenes", "--task", "detect", "--trained", "half"), "got 'half', not {full,frozen}|INT"),
        (("scenes", "--task", "detect", "--trained", "9"), "trained must be at most 3"),
        (("scenes", "--task", "detect", "--accumulate", "2"), "accumulate must be left out for Detector"),
        (("scenes", "--task", "segment", "--image-size", "50"), "size must be 64 or 96"),
        (("emoji", "--task", "detect"), "data must be scenes, a .json file"),
        (("train", "--task", "detect", "--masks", "train_masks", "--classes", "a", "b"), "masks alone"),
        (("train.json", "--task", "segment", "--images", "train"), "segmentation that is neither"),
    ],
)
def test_one_line_on_bad_input_and_no_trace(command, files, args, told):
    assert told in command("finetune", "cnn", *args).line
    assert not list(files.glob("runs/*"))
