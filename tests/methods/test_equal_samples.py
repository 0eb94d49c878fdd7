"""Equal samples of a batch are no negatives of each other, whatever a method contrasts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import replearn
from replearn.engine.run import WEIGHTS, write_tensors
from replearn.methods import find_method
from replearn.objectives import nt_xent, uniformity
from replearn.objectives.contrast import negative_mask

METHODS = ("simclr", "mocov3", "cmc", "cpc")
ROWS = np.random.default_rng(0).integers(0, 256, (8, 3, 16, 16), dtype=np.uint8)


def prepared(name, rows, **given):
    torch.manual_seed(0)
    cls = find_method(name).cls
    return cls(batch_size=8, device="cpu", random_state=0, **given).prepare(rows)


def loss_of(method, rows):
    method.encoder_.eval() if hasattr(method, "encoder_") else method.encoders_.eval()
    torch.manual_seed(1)
    return method.loss(replearn.as_samples(rows)[np.arange(len(rows))].floats())


@pytest.mark.parametrize("name", [name for name in METHODS if name != "cpc"])
def test_a_batch_of_one_sample_has_no_negatives(name):
    """Every row is told from none, so there is nothing to lose."""
    method = prepared(name, ROWS)
    same = loss_of(method, np.repeat(ROWS[:1], 8, axis=0))
    assert same.item() == pytest.approx(0, abs=1e-6)
    assert loss_of(method, ROWS).item() > 0.5


def test_patches_of_equal_samples_are_told_from_other_places_only(monkeypatch):
    method, same = prepared("cpc", ROWS), np.repeat(ROWS[:1], 8, axis=0)
    found = loss_of(method, same)
    monkeypatch.setattr(type(method), "content", lambda _, batch: torch.arange(len(batch)))
    assert 0 < found.item() < loss_of(method, same).item() - 0.1


@pytest.mark.parametrize("name", METHODS)
def test_nothing_changes_where_no_two_are_equal(name, monkeypatch):
    method = prepared(name, ROWS)
    found = loss_of(method, ROWS)
    monkeypatch.setattr(type(method), "content", lambda _, batch: torch.arange(len(batch)))
    assert torch.equal(found, loss_of(method, ROWS))


LATER = (
    "moco",
    "nnclr",
    "instdisc",
    "pirl",
    "alignuniform",
    "supcon",
)  # each below: copies of batches before, or of a kind


@pytest.mark.parametrize("name", LATER)
def test_these_change_by_nothing_but_copies_too(name):
    """The losses and weights of a training without copies are those of a training that looks for none."""
    given = {"encoder": "linear", "epochs": 2, "precision": "32-true", "hidden": 8, "dim": 4}
    rows = np.random.default_rng(1).integers(0, 256, (32, 3, 16, 16), dtype=np.uint8)
    found = []
    for looks in (True, False):
        cls = find_method(name).cls
        method = cls(batch_size=8, device="cpu", random_state=0, **given)
        with pytest.MonkeyPatch.context() as patch:
            if not looks:
                patch.setattr(cls, "content", lambda _, batch: batch.index)
            method.fit(rows, [0, 1, -1, -1] * 8)
        told = [row["loss"] for row in method.history_.rows]
        found.append((told, [p.detach().clone() for p in method.encoder_.parameters()]))
    assert found[0][0] == found[1][0]
    assert all(torch.equal(a, b) for a, b in zip(found[0][1], found[1][1], strict=True))


def parts_of_copies(rows):
    """Two batches; each sample of the second is a copy of one of the first."""
    samples = replearn.as_samples(np.concatenate([rows, rows]))
    return [samples[np.arange(start, start + 8)].floats() for start in (0, 8)]


@pytest.mark.parametrize("name", ["moco", "instdisc", "pirl"])
def test_rows_of_copies_in_a_queue_or_bank_are_no_negatives(name, monkeypatch):
    """The second batch is told from the other 7 samples of the first, or from none of them where all are equal."""
    first, second = parts_of_copies(ROWS)
    given = {"moco": {"queue": 8}}.get(name, {"negatives": 16})
    method = prepared(name, np.concatenate([ROWS, ROWS]), **given)
    seen = {}
    objective = {"moco": "info_nce_queue"}.get(name, "nce")
    module = __import__(type(method).__module__, fromlist=["_"])
    whole = getattr(module, objective)
    monkeypatch.setattr(module, objective, lambda *rows, **named: seen.update(named) or whole(*rows, **named))
    drawn = torch.arange(16)
    monkeypatch.setattr(torch, "randint", lambda *_, **__: drawn)
    method.loss(first)
    method.loss(second)
    copies = torch.eye(8, dtype=torch.bool)
    expected = {
        "moco": ("keep", ~copies),
        "instdisc": ("own", torch.cat([copies, ~copies & copies], dim=1)),
        "pirl": ("own", torch.cat([copies, copies], dim=1)),  # its own row, too
    }
    mask, value = expected[name]
    assert torch.equal(seen[mask], value)


def test_a_queue_of_nothing_but_copies_has_no_negatives():
    same = np.repeat(ROWS[:1], 8, axis=0)
    first, second = parts_of_copies(same)
    method = prepared("moco", np.concatenate([same, same]), queue=8)
    method.loss(first)
    assert method.loss(second).item() == pytest.approx(0, abs=1e-6)


def test_equal_samples_do_not_repel_each_other():
    method = prepared("alignuniform", ROWS, alignment=0.0)
    assert loss_of(method, np.repeat(ROWS[:1], 8, axis=0)).item() == 0
    half = np.concatenate([ROWS[:4], ROWS[:4]])
    torch.manual_seed(1)
    method.encoder_.eval()
    batch = replearn.as_samples(half)[np.arange(8)].floats()
    a, b = (method.head_(method.encoder_(view)) for view in method.views_(batch))
    keep = torch.arange(8)[:, None] % 4 != torch.arange(8) % 4
    expected = (uniformity(a, keep=keep) + uniformity(b, keep=keep)) / 2
    assert torch.equal(loss_of(method, half), expected)


def test_copies_without_a_label_are_no_negatives_and_those_of_two_classes_are():
    same = np.repeat(ROWS[:1], 8, axis=0)
    samples = replearn.as_samples(np.concatenate([ROWS, same]), [0, 1] * 8)
    method = find_method("supcon").cls(batch_size=8, device="cpu", random_state=0).prepare(samples)

    def loss(labels):
        torch.manual_seed(1)
        return method.loss(replace(samples[np.arange(8, 16)].floats(), labels=torch.tensor(labels))).item()

    assert loss([-1] * 8) == pytest.approx(0, abs=1e-6)
    assert loss([0, 1] * 4) > 0.5


@pytest.mark.parametrize("name", ["moco", "nnclr", "instdisc", "pirl"])
def test_runs_of_before_rows_had_contents_are_loaded(name, tmp_path):
    given = {"encoder": "linear", "epochs": 1, "hidden": 8, "dim": 4}
    fitted = find_method(name).cls(batch_size=8, device="cpu", **given).fit(ROWS)
    fitted.save(tmp_path / "run")
    tensors = nn.ModuleDict(fitted.modules()).state_dict()
    kept = {key: value for key, value in tensors.items() if not key.startswith("contents_")}
    assert len(kept) == len(tensors) - 2
    write_tensors(tmp_path / "run" / WEIGHTS, kept)
    again = replearn.load(tmp_path / "run")
    np.testing.assert_array_equal(again.transform(ROWS), fitted.transform(ROWS))
    assert (again.contents_.index == -1).all()


def test_pairs_of_a_repeated_text_are_masked_and_no_others():
    pytest.importorskip("tokenizers")
    texts = [
        "a red cat",
        "a blue dog",
        "a red cat",
        "one green hen",
        "the grey cow",
        "a blue dog",
        "two",
        "three",
    ]
    method = replearn.SimCSE(encoder="lstm", batch_size=8, device="cpu").prepare(texts)
    batch = replearn.as_samples(texts)[np.arange(8)]
    torch.manual_seed(0)
    found = method.loss(batch)
    torch.manual_seed(0)
    a, b = (method.head_(method.encoder_(view)) for view in method.views_(batch))
    same = torch.tensor([0, 1, 0, 3, 4, 1, 6, 7]).repeat(2)
    assert torch.equal(found, nt_xent(a, b, temperature=method.temperature, keep=same[:, None] != same))
    assert not torch.equal(found, nt_xent(a, b, temperature=method.temperature, keep=negative_mask(a, b)))
