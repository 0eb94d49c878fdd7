"""Kept representations: the bits that computing would give, or none."""

import errno
import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from replearn import load, load_data
from replearn.data import ArraySamples, DataWarning, as_samples
from replearn.data.copies import content_fingerprint
from replearn.engine import kept
from replearn.engine.kept import EMBEDDED
from replearn.engine.run import METHOD, WEIGHTS, write_tensors
from replearn.methods import SimCLR, SimCSE, reuse, store
from replearn.methods.classical import PCA
from replearn.methods.reuse import Reuse, ingredients
from replearn.transfer import FineTune

IMAGES = load_data("digits8x8", split="train")[np.arange(96)]
X, Y = IMAGES.x.numpy(), IMAGES.labels.numpy()
CLASSES = [str(number) for number in range(10)]
DIGITS = ArraySamples(X, labels=Y, classes=CLASSES)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("fitted") / "run"
    tiny = SimCLR(encoder="mlp", hidden=8, dim=4, epochs=1, batch_size=32, precision="32-true")
    tiny.fit(DIGITS, run=run)
    return run


@pytest.fixture
def run(fitted, tmp_path) -> Path:
    """A copy of a run that keeps the representations of `DIGITS`."""
    run = Path(shutil.copytree(fitted, tmp_path / "run"))
    Reuse().transform(load(run), DIGITS, run=run)
    return run


def look(run, samples=DIGITS, **options):
    return Reuse().look(load(run), samples, run=run, **options).rows


def array_of(run) -> Path:
    [array] = (run / EMBEDDED).glob("*.npy")
    return array


# What changes: an ingredient, and how. Each of them gives what to look for, in the run as it is now.


def weights(run, patch):
    tensors = load_file(run / WEIGHTS)
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    first = tensors[name].view(-1)[:1]
    tensors[name].view(-1)[:1] = torch.nextafter(first, first + 1)
    write_tensors(run / WEIGHTS, tensors)
    return {}


def a_field(run, patch):
    content = json.loads((run / METHOD).read_text())
    content["fields"]["temperature"] = 0.123
    (run / METHOD).write_text(json.dumps(content))
    return {}


def what_it_was_fitted_on(run, patch):
    content = json.loads((run / METHOD).read_text())
    content["samples"]["fingerprint"] = "0"
    (run / METHOD).write_text(json.dumps(content))
    return {}


def versions(run, patch):
    patch.setattr(store, "versions", lambda: {"torch": "0"})
    return {}


def one_number_of_one_sample(run, patch):
    x = X.copy()
    x[77, 0, 3, 3] += 1
    return {"samples": ArraySamples(x, labels=Y, classes=CLASSES)}


def their_order(run, patch):
    return {"samples": DIGITS.subset(np.r_[1, 0, np.arange(2, 96)])}


def their_number(run, patch):
    return {"samples": DIGITS.subset(np.arange(95))}


def their_type(run, patch):
    return {"samples": ArraySamples(X.astype(np.float32) / 255, labels=Y, classes=CLASSES)}


def the_batch(run, patch):
    return {"rows": 40}


def precision(run, patch):
    content = json.loads((run / METHOD).read_text())
    content["fields"]["precision"] = "bf16-mixed"
    (run / METHOD).write_text(json.dumps(content))
    return {}


def rounding(run, patch):
    chosen = reuse.choose_for_inference
    patch.setattr(reuse, "choose_for_inference", lambda device, _: chosen(device, "bf16-mixed"))
    return {}


def threads(run, patch):
    patch.setattr(torch, "get_num_threads", lambda: 77)
    return {}


def processor(run, patch):
    patch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "ANOTHER")
    return {}


def sources(run, patch):
    patch.setattr(reuse, "_sources", lambda package: "changed")
    return {}


def a_library(run, patch):
    patch.setattr(reuse, "_version", lambda package: "99")
    return {}


def what(run, patch):
    patch.setattr(reuse, "REPRESENTATION", "layer 1")
    return {}


CHANGES = {
    "weights": [weights],
    "method": [a_field, what_it_was_fitted_on, versions, precision],
    "samples": [one_number_of_one_sample, their_order, their_number, their_type],
    "rows": [the_batch],
    "machine": [rounding, threads, processor],
    "code": [sources, a_library],
    "what": [what],
}


@pytest.mark.parametrize("change", [change for changes in CHANGES.values() for change in changes])
def test_whatever_changes_is_a_miss(run, monkeypatch, change) -> None:
    assert look(run) is not None
    asked = change(run, monkeypatch)
    assert look(run, **asked) is None
    rows = Reuse().transform(load(run), asked.get("samples", DIGITS), run=run)
    assert np.array_equal(rows, load(run).transform(asked.get("samples", DIGITS)))


def test_every_ingredient_is_changed_above(run) -> None:
    of = ingredients(load(run), DIGITS, rows=512, fingerprint=content_fingerprint(DIGITS))
    assert set(of) == set(CHANGES)


def test_a_hit_has_the_bits_that_computing_gives(run, caplog, monkeypatch) -> None:
    expected = load(run).transform(DIGITS)
    monkeypatch.setattr(SimCLR, "represent", None)  # nothing is computed
    used = Reuse()
    with caplog.at_level(logging.INFO, "replearn"):
        rows = used.transform(load(run), DIGITS, run=run)
        used.tell()
    assert rows.dtype == expected.dtype
    assert rows.tobytes() == expected.tobytes()
    assert rows.flags.writeable
    assert f"96 representations are read from {run / EMBEDDED}, made on " in caplog.text
    assert "--again makes them anew" in caplog.text


def test_again_makes_them_anew(run) -> None:
    before = array_of(run).stat().st_mtime_ns
    used = Reuse(again=True)
    assert used.look(load(run), DIGITS, run=run).rows is None
    used.transform(load(run), DIGITS, run=run)
    assert array_of(run).stat().st_mtime_ns > before


def test_the_code_is_that_of_every_package_that_is_not_known_by_its_version(run) -> None:
    class Own(SimCLR):
        pass

    Own.__module__ = "no_such_package.own"
    method = load(run)
    known = reuse.code_of(method)
    assert {"replearn", "torchvision", "timm"} <= set(known)
    assert None not in known.values()
    method.__class__ = Own
    assert reuse.code_of(method)["no_such_package"] is None
    assert Reuse().look(method, DIGITS, run=run).key is None  # nobody could tell when it changes


def cut(array: Path) -> None:
    os.truncate(array, array.stat().st_size - 4)


def flip(array: Path) -> None:
    content = bytearray(array.read_bytes())
    content[-9] ^= 1
    array.write_bytes(content)


def say(**values):
    def change(array: Path) -> None:
        told = array.with_suffix(".json")
        told.write_text(json.dumps(json.loads(told.read_text()) | values))

    return change


def link_to_itself(array: Path) -> None:
    array.unlink()
    array.symlink_to(array.name)


DAMAGES = {
    "cut": cut,
    "flipped": flip,
    "gone": Path.unlink,
    "a link to itself": link_to_itself,
    "no JSON": lambda array: array.with_suffix(".json").write_text("{"),
    "a list": lambda array: array.with_suffix(".json").write_text("[]"),
    "no date": say(made="yesterday"),
    "another checksum": say(checksum=None),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_told_and_made_again(run, caplog, damage) -> None:
    expected = load(run).transform(DIGITS)
    DAMAGES[damage](array_of(run))
    assert np.array_equal(Reuse().transform(load(run), DIGITS, run=run), expected)
    [told] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "are damaged" in told.getMessage()
    caplog.clear()
    assert look(run) is not None
    assert not caplog.records


def test_other_rows_under_the_same_name_are_no_hit(run) -> None:
    array = array_of(run)
    np.save(array, np.zeros((95, 4), dtype=np.float32))
    say(checksum=kept.file_checksum(array))(array)
    assert look(run) is None


@pytest.fixture(params=["file", "owner", "full", "read-only"])
def cannot_write(request, fitted, tmp_path, monkeypatch):
    """A run that nothing can be kept in."""
    run = Path(shutil.copytree(fitted, tmp_path / "closed"))
    number = {"full": errno.ENOSPC, "read-only": errno.EROFS}.get(request.param)

    def refuse(*args, **options):
        raise OSError(number, os.strerror(number))

    if request.param == "file":
        (run / EMBEDDED).write_text("mine")
    if request.param == "owner":
        (run / EMBEDDED).mkdir()
        (run / EMBEDDED / "owner.lock").write_text(json.dumps({"process": 1, "host": "elsewhere"}))
    if request.param == "full":
        monkeypatch.setattr(kept, "ArrayWriter", refuse)
    if request.param == "read-only":
        monkeypatch.setattr(kept.Path, "mkdir", refuse)
    return run


def test_where_nothing_can_be_written_only_the_reuse_is_lost(cannot_write, caplog) -> None:
    before = sorted(cannot_write.rglob("*"))
    with caplog.at_level(logging.INFO, "replearn"):
        rows = Reuse().transform(load(cannot_write), DIGITS, run=cannot_write)
    assert np.array_equal(rows, load(cannot_write).transform(DIGITS))
    [line] = [record.getMessage() for record in caplog.records if "kept" in record.getMessage()]
    assert "representations of 96 samples are not kept" in line
    assert [path for path in cannot_write.rglob("*") if path.suffix in (".npy", ".part", ".json")] == [
        path for path in before if path.suffix == ".json"
    ]


def test_what_lies_in_a_read_only_folder_is_read(run, monkeypatch) -> None:
    def refuse(*args, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("mkdir", "touch", "unlink", "write_text", "write_bytes"):
        monkeypatch.setattr(kept.Path, name, refuse)
    assert look(run) is not None


def test_a_run_keeps_so_much_and_the_oldest_goes(run, caplog, monkeypatch) -> None:
    size = array_of(run).stat().st_size
    first = array_of(run)
    for name in (f"{'0' * 32}.npy", f".{'0' * 32}.npy.77.part"):
        (run / EMBEDDED / name).write_bytes(b"half")
    monkeypatch.setattr(kept, "MOST", 2 * size + 100)
    parts = [DIGITS.subset(np.arange(start, 96)) for start in (1, 2)]
    with caplog.at_level(logging.INFO, "replearn"):
        for number, part in enumerate(parts):
            os.utime(first, ns=(number, number))
            Reuse().transform(load(run), part, run=run)
    assert not first.exists()
    assert not first.with_suffix(".json").exists()
    assert all(look(run, part) is not None for part in parts)
    assert {path.suffix for path in (run / EMBEDDED).iterdir()} == {".npy", ".json"}
    assert len(list((run / EMBEDDED).iterdir())) == 4
    assert "the 1 oldest of 2 arrays are removed" in caplog.text


def test_files_of_others_stay(run, monkeypatch) -> None:
    monkeypatch.setattr(kept, "MOST", array_of(run).stat().st_size)
    others = [run / EMBEDDED / name for name in ("mine.npy", ".mine.npy.77.part", "0.npy", "0.json")]
    for other in others:
        other.write_text("mine")
    other = run / EMBEDDED / f"{'0' * 32}.npy"
    other.symlink_to(other.name)
    other.with_suffix(".json").write_text("{}")
    Reuse().transform(load(run), DIGITS.subset(np.arange(90)), run=run)
    assert [other.read_text() for other in others] == ["mine"] * 4
    assert look(run, DIGITS.subset(np.arange(90))) is not None


def test_links_in_circles_are_no_failures(fitted, tmp_path, caplog) -> None:
    run = Path(shutil.copytree(fitted, tmp_path / "run"))
    (run / EMBEDDED).symlink_to(EMBEDDED)
    with caplog.at_level(logging.INFO, "replearn"):
        Reuse().transform(load(run), DIGITS, run=run)
    assert "representations of 96 samples are not kept" in caplog.text
    (run / WEIGHTS).unlink()
    (run / WEIGHTS).symlink_to(WEIGHTS)
    with pytest.raises(ValueError, match=WEIGHTS):
        load(run)


def test_more_than_a_run_keeps_is_not_even_hashed(run, caplog, monkeypatch) -> None:
    monkeypatch.setattr(kept, "MOST", 96 * 4 * 4 - 1)
    monkeypatch.setattr(reuse, "content_fingerprint", None)
    with caplog.at_level(logging.INFO, "replearn"):
        assert look(run) is None
    assert "96 samples are too many to be kept" in caplog.text


def test_nothing_outside_of_the_run_is_read_or_written(run, tmp_path) -> None:
    os.rename(run / EMBEDDED, tmp_path / "outside")
    (run / EMBEDDED).symlink_to(tmp_path / "outside")
    before = sorted((tmp_path / "outside").iterdir())
    assert look(run) is None
    Reuse(again=True).transform(load(run), DIGITS, run=run)
    assert sorted((tmp_path / "outside").iterdir()) == before


def test_methods_with_another_transform_are_not_kept(tmp_path) -> None:
    x, y = DIGITS.flat()[:40], Y[:40]
    for method in (PCA(2).fit(x), FineTune(encoder="linear", trained="frozen", epochs=1).fit(x, y)):
        samples = as_samples(x)
        Reuse().look(method, samples, run=tmp_path).keep(np.zeros((40, 2), np.float32))
        assert not (tmp_path / EMBEDDED).exists()


def test_samples_that_are_not_like_those_of_fit_are_refused_as_ever(run) -> None:
    with pytest.raises(ValueError, match="must be like those of fit"):
        Reuse().transform(load(run), as_samples(np.zeros((4, 16, 16), np.uint8)), run=run)


def test_texts_that_are_cut_are_told_on_a_hit_too(tmp_path) -> None:
    texts = [*["the cat sat on the mat"] * 20, *["the dog ran " * 400] * 4]
    method = SimCSE(encoder="bert_tiny", batch_size=8).prepare(texts)
    for _ in range(2):
        with pytest.warns(DataWarning, match="4 of 24 texts are longer"):
            Reuse().transform(method, as_samples(texts), run=tmp_path)
    with pytest.warns(DataWarning):
        assert Reuse().look(method, as_samples(texts), run=tmp_path).rows is not None
