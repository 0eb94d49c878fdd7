"""`replearn transfer`: one table of all ways to put an encoder to labelled data, cell by cell."""

import json
from dataclasses import replace

import numpy as np
import pytest

from replearn.cli.transfer import in_columns
from replearn.transfer import Cell, FineTune, Transfer

FAST = ("--per-class", 3, 8, "--epochs", 1, "--batch-size", 8)
WAYS = ["raw input", "linear probe", "from scratch", "frozen", "top 1", "full", "fresh top 1"]


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """96 images of 8 x 8 in three classes."""
    path = tmp_path_factory.mktemp("target") / "target.npz"
    draw = np.random.default_rng(1)
    labels = np.arange(96) % 3
    images = draw.integers(0, 100, (96, 8, 8), dtype=np.uint8)
    images[labels == 1, 4:] += 100
    images[labels == 2, :, 4:] += 100
    np.savez(path, images=images, labels=labels)
    return path


def stored(folder):
    return json.loads((folder / "transfer.json").read_text())


@pytest.mark.all
def test_a_table_of_all_ways_and_numbers_of_labels(command, trained, target, tmp_path):
    answer = command("transfer", trained, target, *FAST, "--seeds", 2)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    names = [line[:20].strip() for line in lines]
    assert [name for name in names if name in WAYS] == WAYS
    assert "3 a class      8 a class            all" in answer.out
    assert "2 draws of labels" in answer.out
    folder = tmp_path / "runs" / "transfer-target"
    cells = [Cell(**cell) for cell in stored(folder)["cells"]]
    assert len({cell.key for cell in cells}) == len(cells) == len(WAYS) * 3 * 2
    assert {cell.labels for cell in cells if cell.setting == "3 a class"} == {9}
    assert all((cell.steps > 0) == (cell.way not in WAYS[:2]) for cell in cells)
    best = max(cell.accuracy for cell in cells)
    assert best > 0.6
    assert "training on" in answer.err


@pytest.mark.all
def test_it_goes_on_cell_by_cell(command, trained, target, tmp_path, monkeypatch):
    whole = command("transfer", trained, target, *FAST, "--to", "whole")
    fit, fits = FineTune.fit, []

    def stop_at_the_third(self, *args, **more):
        fits.append(self)
        if len(fits) == 3:
            raise KeyboardInterrupt
        return fit(self, *args, **more)

    monkeypatch.setattr(FineTune, "fit", stop_at_the_third)
    stopped = command("transfer", trained, target, *FAST, "--to", "parts")
    assert stopped.code == 130
    assert "--resume" in stopped.err
    before = stored(tmp_path / "parts")["cells"]
    assert len(before) == 4
    monkeypatch.setattr(
        FineTune, "fit", lambda self, *args, **more: fits.append(self) or fit(self, *args, **more)
    )
    del fits[:]
    again = command("transfer", trained, target, *FAST, "--to", "parts", "--resume")
    assert again.code == 0, again.err
    assert len(fits) == 5 * 3 - 2
    assert stored(tmp_path / "parts")["cells"][:4] == before
    assert table(again) == table(whole)
    assert "choose another --to" in command("transfer", trained, target, *FAST, "--to", "parts").line
    other = command("transfer", trained, target, *FAST, "--to", "parts", "--resume", "--momentum", 0.5)
    assert "these differ: fields" in other.line
    del fits[:]
    more = command("transfer", trained, target, *FAST, "--to", "parts", "--resume", "--seeds", 2)
    assert more.code == 0
    assert len(fits) == 15  # the new seed alone


def table(answer):
    return [line for line in answer.out.splitlines() if line[:20].strip() in WAYS]


@pytest.mark.all
def test_a_built_in_target_is_made_like_what_the_run_reads(command, trained):
    answer = command(
        "transfer", trained, "digits8x8", "--per-class", 2, "--minutes", 0.001, "--views", "auto"
    )
    assert answer.code == 0, answer.err
    assert "put to digits8x8: accuracy of 359 test samples" in answer.out
    assert answer.err.count("views: ") == 1  # chosen by all samples, whatever few are drawn


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("nowhere", "digits8x8"), "nowhere"),
        (("RUN", "nowhere.npz"), "must be a path that exists"),
        (("RUN", "python-manual"), "the target must be like what the run reads, image"),
        (("RUN", "digits8x8", "--top", "9"), "--top must lie between 1 and 3, the layers of the encoder"),
        (("RUN", "digits8x8", "--epochs", "0"), "epochs must be at least 1"),
        (("RUN", "digits8x8", "--epochs", "2", "--least-steps", "9"), "least_steps must be left out"),
        (("RUN", "digits8x8", "--views", "text"), "not for samples of kind 'image'"),
        (("PCA", "digits8x8"), "must be a run of a method with an encoder, such as SimCLR; it is of"),
    ],
)
def test_one_line_on_bad_input_and_no_trace(command, trained, tmp_path, args, told):
    if "PCA" in args:
        assert command("fit", "pca", "digits8x8", "--n-components", 2, "--run", "pca").code == 0
    given = [{"RUN": trained, "PCA": "pca"}.get(arg, arg) for arg in args]
    assert told in command("transfer", *given).line
    assert not list(tmp_path.glob("runs/*"))


def test_a_target_without_labels(command, trained, tmp_path):
    np.save(tmp_path / "bare.npy", np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8))
    assert "the target must have labels" in command("transfer", trained, "bare.npy").line


def test_a_broken_table_is_told(command, trained, target, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "transfer.json").write_text('{"cells": [{}]}')
    line = command("transfer", trained, target, *FAST, "--to", "broken", "--resume").line
    assert "must be as `replearn transfer` wrote it" in line


def test_numbers_that_are_all_labels_are_one_column(trained, target, caplog):
    import replearn

    caplog.set_level("INFO", "replearn")
    samples = replearn.as_samples(str(target))
    asked = Transfer(str(trained), samples, samples, per_class=(5, 32, 40))
    assert list(asked.settings) == ["5 a class", "all"]
    assert list(replace(asked, every=False).settings) == ["5 a class"]
    assert list(replace(asked, per_class=(32,), every=False).settings) == ["all"]
    assert "32 a class are all 96 labels: see the column all" in caplog.messages


def test_from_scratch_begins_at_random_weights_of_the_same_network(trained, target):
    import torch

    import replearn
    from replearn.transfer.table import random_encoder

    own = replearn.load(trained).encoder_
    a, b, c = (random_encoder(own, seed).state_dict() for seed in (0, 0, 1))
    assert {key: value.shape for key, value in a.items()} == {k: v.shape for k, v in own.state_dict().items()}
    assert all(torch.equal(a[key], b[key]) for key in a)
    weights = [key for key in a if a[key].ndim > 1]
    assert all(not torch.equal(a[key], c[key]) for key in weights)
    assert all(not torch.equal(a[key], own.state_dict()[key]) for key in weights)


def test_more_numbers_than_a_terminal_is_wide_are_a_second_block():
    settings = [f"{n} a class" for n in (1, 2, 3, 4, 5)] + ["all"]
    cells = [
        Cell(way, s, 10, seed, 0.5 + 0.1 * seed, 1.0) for way in WAYS for s in settings for seed in (0, 1)
    ]
    lines = in_columns(cells, WAYS, settings, tested=100)
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("raw input") for line in lines) == 2


def test_what_explains_the_intervals_fits_a_terminal():
    cells = [Cell(way, "all", 10, 0, 0.5, 1.0) for way in WAYS]
    assert max(map(len, in_columns(cells, WAYS, ["all"], tested=1_000_000))) <= 80
