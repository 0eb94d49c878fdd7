"""Copies, near copies, leaks, outliers and wrong labels that were planted are found, and little else."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import replearn
from replearn import as_samples
from replearn.cli import main
from replearn.cli.curate import representation
from replearn.service.curation import find, keep_table, whole_table

# Of each kind of finding: the least precision and recall; what was measured stands in docs/put-to-use.md.
LEAST = {"copy": (1, 1), "near copy": (1, 0.95), "outlier": (0.8, 0.95), "wrong label": (0.55, 0.65)}


def planted(images, labels, *, seed=0, share=0.03):
    """A set with copies, near copies, noise, and wrong labels, and where they are."""
    draw, n = np.random.default_rng(seed), len(images)
    k = int(share * n)
    copied, near, wrong = np.split(draw.permutation(n)[: 3 * k], 3)
    labels = labels.copy()
    labels[wrong] = (labels[wrong] + draw.integers(1, 10, k)) % 10
    nearly = np.clip(images[near].astype(int) + draw.integers(-3, 4, images[near].shape), 0, 255)
    noise = draw.integers(0, 256, (k, *images.shape[1:]))
    x = np.concatenate([images, images[copied], nearly, noise]).astype(np.uint8)
    y = np.concatenate([labels, labels[copied], labels[near], draw.integers(0, 10, k)])
    starts = n + k * np.arange(4)
    where = {
        name: np.arange(a, b)
        for name, a, b in zip(("copy", "near copy", "outlier"), starts, starts[1:], strict=False)
    }
    return as_samples(x, y), where | {"wrong label": wrong}


@pytest.mark.all
@pytest.mark.parametrize("seed", [0, 1])
def test_what_was_planted_is_found(seed):
    digits = replearn.load_data("digits", split="test").subset(np.arange(1500))
    batch = digits[np.arange(len(digits))]
    samples, where = planted(batch.x.numpy(), batch.labels.numpy(), seed=seed)
    method = replearn.registry()["bagofvisualwords"].cls().fit(samples)
    simple = representation(samples, None)
    found = find(samples, representation(samples, method), simple=simple)
    for kind, truth in where.items():
        told = {one.sample for one in found.of(kind)}
        hits = len(told & set(truth.tolist()))
        precision, recall = hits / max(1, len(told)), hits / len(truth)
        print(f"{kind}: {len(told)} found, precision {precision:.2f}, recall {recall:.2f}")
        assert precision >= LEAST[kind][0], kind
        assert recall >= LEAST[kind][1], kind
    bad = np.concatenate(list(where.values()))
    assert found.keep[bad].mean() < 0.1
    assert found.keep[np.setdiff1d(np.arange(len(samples)), bad)].mean() > 0.9


def blobs(n=120):
    draw = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return (10 * np.eye(3, 8)[labels] + draw.normal(size=(n, 8))).astype(np.float32), labels


@pytest.mark.all
def test_findings_of_a_table():
    rows, labels = blobs()
    labels[7] = (labels[7] + 1) % 3
    rows = np.r_[rows, rows[3:5], rows[9:10] + 1e-3, 80 * np.ones((1, 8), np.float32), rows[5:6]]
    labels = np.r_[labels, labels[3], (labels[4] + 1) % 3, labels[9], 0, -1]
    samples = as_samples(rows, labels)
    found = find(samples, rows)
    assert [(one.sample, one.other) for one in found.of("copy")] == [(120, 3), (121, 4), (124, 5)]
    assert [(one.sample, one.other) for one in found.of("near copy")] == [(122, 9)]
    assert found.of("outlier")[0].sample == 123
    assert len(found.of("outlier")) <= 2
    assert 7 in {one.sample for one in found.of("wrong label")}
    assert any("copies with another label" in line and line.endswith(": 1") for line in found.told)
    whole = whole_table(found)
    assert whole["keep"].tolist() == ["yes" if keep else "no" for keep in found.keep]
    assert whole.loc[122, "near copy"] == "9"
    assert keep_table(found)["number"].tolist() == np.flatnonzero(found.keep).tolist()


def test_labels_that_nobody_could_tell_leave_nothing_out():
    draw = np.random.default_rng(0)
    rows, labels = draw.normal(size=(200, 5)).astype(np.float32), draw.integers(0, 2, 200)
    found = find(as_samples(rows, labels), rows)
    assert len(found.of("wrong label")) > 20
    assert found.keep.sum() == 200 - len(found.of("outlier"))
    assert "labels that seem wrong are kept: the probes tell" in found.doubt[0]
    assert found.doubt[0] in found.told
    sure = find(as_samples(*blobs()), blobs()[0])
    assert not sure.doubt


def test_samples_of_the_test_part_are_leaks():
    rows, labels = blobs()
    test = as_samples(np.r_[blobs(30)[0] + 0.5, rows[5:6], rows[8:9] + 1e-3].astype(np.float32))
    found = find(as_samples(rows, labels), rows, test=test)
    assert [(one.sample, one.other) for one in found.of("leak")] == [(5, 30), (8, 31)]
    assert not found.keep[[5, 8]].any()


def test_texts_by_their_wording():
    texts = [f"a note on number {i} and its square {i * i}, which is all it says" for i in range(40)]
    texts += [texts[3], texts[5].upper().replace(",", " ;")]
    samples = as_samples(texts)
    found = find(samples, representation(samples, None))
    assert [(one.sample, one.other) for one in found.of("copy")] == [(40, 3)]
    assert (41, 5) in [(one.sample, one.other) for one in found.of("near copy")]


def test_a_balanced_part_is_of_what_has_no_finding():
    rows, labels = blobs()
    rows = np.r_[rows, rows[:10]]
    samples = as_samples(rows, np.r_[labels, labels[:10]])
    found = find(samples, rows, balanced=30)
    assert found.keep.sum() == 30
    assert not found.keep[120:].any()
    assert np.bincount(samples.labels[found.keep]).min() >= 8


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / "cache"))
    draw = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(20):
            Image.fromarray(draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(f"photos/{name}/{i}.png")
    (tmp_path / "photos/dog/x<b>y.png").write_bytes((tmp_path / "photos/cat/3.png").read_bytes())
    return tmp_path


def test_the_command(photos, capsys):
    before = sorted(str(path) for path in photos.rglob("*.png"))
    assert main(["curate", "photos"]) == 0
    out = capsys.readouterr().out
    assert "       1 copy\n" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    whole = pd.read_csv("runs/curate-photos/curate.csv", keep_default_na=False)
    assert whole.loc[whole["copy"] != "", ["file", "copy"]].to_numpy().tolist() == [
        ["dog/x<b>y.png", "cat/3.png"]
    ]
    page = (photos / "runs/curate-photos/curate.html").read_text()
    assert "x&lt;b&gt;y.png" in page
    assert "x<b>y" not in page
    assert "data:image/png" in page
    assert "script-src 'none'" in page
    assert sorted(str(path) for path in photos.rglob("*.png")) == before  # nothing is deleted
    assert main(["curate", "photos"]) == 2
    assert "must hold no curate.csv yet" in capsys.readouterr().err
    kept = pd.read_csv("runs/curate-photos/keep.csv")
    assert list(kept.columns) == ["number", "file", "label"]
    assert "dog/x<b>y.png" not in set(kept["file"])
