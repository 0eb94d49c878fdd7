"""Samples with members go through the methods, the engine and the commands as any samples do."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import replearn
from lanes import one_of_each
from made_methods import labelled_for, quick
from made_texts import made_texts
from replearn.cli import main
from replearn.data import as_samples, describe, description_from_json, load_data
from replearn.data.captioned import captioned
from replearn.data.kinds import KINDS
from replearn.data.pairs import PairSamples, Together, member
from replearn.data.told import DataWarning
from replearn.encoders import make_encoder
from replearn.methods import Trained, registry
from replearn.report.kinds import LOOKS
from replearn.views import default_views, split_to_json, view_from_json
from replearn.views.members import Apart, Each

pytest.importorskip("tokenizers", reason="needs replearn[text]")
PIL = pytest.importorskip("PIL.Image")
N = 40
SMALL = "image=cnn,text=words"
QUICK = {"encoder": SMALL, "batch_size": 16, "epochs": 1, "device": "cpu", "precision": "32-true"}


def made(n=N, seed=0):
    """Pictures and texts of n samples in two classes."""
    images = np.random.default_rng(seed).integers(0, 256, (n, 1, 8, 8), dtype=np.uint8)
    return as_samples({"image": images, "text": made_texts(n)}, np.arange(n) % 2)


@pytest.mark.parametrize(
    "name", one_of_each(name for name, entry in registry().items() if "pairs" in entry.kinds)
)
def test_every_method_whose_needs_they_meet_learns_from_them(name, tmp_path):
    own = {"encoder": "auto"} if name == "cmc" else {}  # it makes one for each group, which has no name
    method = quick(registry()[name].cls, **QUICK | own)
    samples = labelled_for(type(method), made())
    before = method.prepare(samples).transform(samples)
    after = method.fit(samples, run=tmp_path / "run").transform(samples)
    assert np.isfinite(after).all()
    assert isinstance(method, Trained) != np.array_equal(before, after)
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(samples), after)


def test_methods_serve_them_that_say_nothing_of_them():
    for name in ("simclr", "vicreg", "byol", "supcon", "supervised", "cmc"):
        assert "pairs" in registry()[name].kinds


# Samples


def test_members_stay_together():
    samples = made()
    batch = samples[np.array([3, 1])]
    assert isinstance(batch.x, Together)
    assert batch.x.members["text"] == (samples.members["text"].texts[3], samples.members["text"].texts[1])
    assert torch.equal(member(batch, "image").x, samples.members["image"][np.array([3, 1])].x)
    some = samples.subset([5, 2])
    assert some[np.array([1])].x == samples[np.array([2])].x
    assert some.labels.tolist() == [1, 0]
    assert batch.rows(1, 2).x == samples[np.array([1])].x
    assert batch.x != samples[np.array([1, 3])].x


def test_their_bytes_tell_where_a_member_ends():
    one, other = (
        as_samples({"a": [first], "b": [second]})[np.arange(1)].x
        for first, second in (("ab", "c"), ("a", "bc"))
    )
    assert list(one.each()) != list(other.each())


def test_the_description_of_members_is_kept():
    told = describe(made())
    again = description_from_json(json.loads(json.dumps(told.to_json())))
    assert {name: (part.kind, part.shape) for name, part in again.members.items()} == {
        "image": ("image", (1, 8, 8)),
        "text": ("text", ()),
    }
    assert again.fingerprint == told.fingerprint != describe(made(seed=1)).fingerprint


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"image": np.zeros((4, 1, 8, 8), np.uint8)}, "two members or more"),
        ({"image": np.zeros((4, 1, 8, 8), np.uint8), "text": ["a", "b"]}, "4 of 'image', 2 of 'text'"),
    ],
)
def test_unlike_many_members_are_refused(members, said):
    with pytest.raises(ValueError, match=said):
        as_samples(members)


# Files


@pytest.fixture
def files(tmp_path):
    """Six pictures, one of which can't be read, and a table of two captions of each."""
    for number in range(6):
        PIL.fromarray(np.full((8, 8, 3), 40 * number, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "5.png").write_bytes(b"no picture")
    rows = [
        (f"{number}.png", f"{word} {number}", "xy"[number % 2]) for number in range(6) for word in ("a", "b")
    ]
    return tmp_path, pd.DataFrame(rows, columns=["file_name", "caption", "kind"])


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_names_pictures_beside_it(files, ending):
    folder, frame = files
    frame.loc[3, "caption"] = None
    path = folder / f"metadata.{ending}"
    write = {"csv": frame.to_csv, "parquet": frame.to_parquet}
    if ending == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        write[ending](path, index=False)
    with pytest.warns(DataWarning) as told:
        samples = as_samples(folder, "kind", kind="pairs")
    lines = " / ".join(str(one.message) for one in told)
    assert "1 of 12 rows lack a member" in lines
    assert "2 of 11 pairs are left out: of 0 a file is missing, of 2 one can't be read" in lines
    assert {name: part.kind for name, part in samples.members.items()} == {
        "image": "image",
        "caption": "text",
    }
    assert list(samples.members["caption"].texts) == [
        f"{word} {number}" for number in range(5) for word in "ab" if (number, word) != (1, "b")
    ]
    shades = samples[np.arange(len(samples))].x.members["image"][:, 0, 0, 0].tolist()
    assert shades == [0, 0, 40, 80, 80, 120, 120, 160, 160]
    assert [samples.classes[label] for label in samples.labels] == [*"xxyxxyyxx"]
    with pytest.warns(DataWarning):
        again = as_samples(path, kind="pairs:columns=file_name+caption")
    assert len(again) == 9
    with pytest.warns(DataWarning):
        like = as_samples(folder, kind="pairs", columns=["image", "caption"], groups="kind")
    assert like.groups.tolist() == [*"xxyxxyyxx"]


def test_a_picture_with_several_captions_stays_on_one_side(files, monkeypatch):
    """And it does not matter from where a folder is named."""
    folder, frame = files
    (folder / "5.png").unlink()
    frame.to_csv(folder / "metadata.csv", index=False)
    with pytest.warns(DataWarning, match="of 2 a file is missing, of 0 one can't be read"):
        samples = as_samples(folder, kind="pairs:columns=image+caption")
    assert samples.groups.tolist() == [f"{number}.png" for number in range(5) for _ in "ab"]
    (folder / "4.png").write_bytes(b"no picture")
    (folder / "deeper").mkdir()
    for start, named in ((folder, "."), (folder / "deeper", "..")):
        monkeypatch.chdir(start)
        with pytest.warns(DataWarning):
            assert len(as_samples(named, kind="pairs")) == 8


def test_a_run_on_pairs_is_put_to_a_task(tmp_path):
    first = replearn.CLIP(**QUICK).fit(made(), run=tmp_path / "run")
    for encoder in (first, str(tmp_path / "run")):
        tuned = replearn.FineTune(encoder=encoder, epochs=1, trained="frozen", device="cpu").fit(made())
        own, kept = (model.encoder_.state_dict() for model in (tuned, first))
        assert all(torch.equal(own[name], kept[name]) for name in kept if "running" not in name)
    with pytest.raises(ValueError, match="encoders must be of the members a, b; these are of image, text"):
        make_encoder(first.encoder_, as_samples({"a": made().members["image"], "b": made().members["text"]}))


def test_a_folder_of_pictures_and_their_texts(files):
    folder, _ = files
    (folder / "5.png").unlink()
    for number in (0, 1, 3, 4):
        (folder / f"{number}.txt").write_text(f"shade {number}\n")
    with pytest.warns(DataWarning, match=r"1 of 5 images have no text"):
        samples = as_samples(folder, kind="pairs")
    assert list(samples.members["text"].texts) == ["shade 0", "shade 1", "shade 3", "shade 4"]
    assert list(samples.names) == ["0.png", "1.png", "3.png", "4.png"]


def test_what_is_no_pair_is_refused_in_a_line(files):
    folder, frame = files
    for data, options, said in (
        (folder, {}, "pairs must be a table"),
        (frame, {"drop": ["kind", "caption"]}, "two columns or more of the frame"),
        (frame.assign(caption=""), {}, "no row of the frame has"),
        (frame.assign(n=1), {}, "column 'n' of the frame holds 1"),
        (frame, {"columns": ["caption", "who"]}, "got 'who'"),
        (np.zeros((4, 1, 8, 8)), {}, "pairs must be a mapping"),
    ):
        with pytest.raises(ValueError, match=said):
            as_samples(data, kind="pairs", **options)


def test_other_pairs_are_read_like_those_of_fit(tmp_path):
    method = replearn.Frozen(encoder=SMALL, device="cpu").fit(made())
    big = {"image": np.zeros((3, 1, 9, 9), np.uint8), "text": ["a", "b", "c"]}
    with pytest.raises(ValueError, match=r"'image' must be like that of fit, of shape \(1, 8, 8\)"):
        method.transform(big)
    with pytest.raises(ValueError, match=r"the members image \(image\), text \(text\), as those of fit"):
        method.transform({"image": np.zeros((3, 1, 8, 8), np.uint8), "caption": ["a", "b", "c"]})


# Views and networks


def test_views_see_each_member_by_its_kind():
    samples = made()
    pair = default_views(samples, "pair")
    assert isinstance(pair.view, Each)
    assert view_from_json(split_to_json(pair)) == pair
    batch = samples[np.arange(20)]
    torch.manual_seed(0)
    whole = pair(batch)[0].x
    torch.manual_seed(0)
    part = pair(batch.rows(4, 9))[0].x
    assert part.members["text"] == whole.members["text"][4:9]
    torch.testing.assert_close(part.members["image"], whole.members["image"][4:9])
    assert whole.members["text"] != batch.x.members["text"]


def test_members_are_parted_and_nothing_is_mirrored():
    samples = made()
    apart = default_views(samples, "groups")
    assert isinstance(apart, Apart)
    assert view_from_json(split_to_json(apart)) == apart
    assert "Flip" not in repr(apart)
    image, text = apart(samples[np.arange(8)])
    assert text.x == samples[np.arange(8)].x.members["text"]
    assert image.x.shape == (8, 1, 8, 8)
    with pytest.raises(ValueError, match="a view for each member"):
        Each(("image", "text"), ())


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("cnn", "one for each member of pairs, image=auto,text=auto"),
        ("image=cnn,sound=cnn", "members of the pairs, image, text; got sound"),
        ("text=cnn", "encoder"),
    ],
)
def test_encoders_that_are_of_no_member_are_refused(spec, said):
    with pytest.raises(ValueError, match=said):
        make_encoder(spec, made())


def test_modules_for_members():
    body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 5))
    encoder = make_encoder(torch.nn.ModuleDict({"image": body}), made())
    batch = made()[np.arange(3)]
    own = encoder.towers["image"](member(batch, "image"))
    torch.testing.assert_close(encoder(batch)[:, :5], own)
    assert encoder.dim == 5 + encoder.towers["text"].dim
    with pytest.raises(ValueError, match="states are of one member"):
        encoder.read(batch, "states")


def test_slices_have_the_gradient_of_the_whole():
    exact = QUICK | {"encoder": "image=linear,text=words", "optimizer": "sgd"}  # no statistics of a batch
    whole, sliced = (
        replearn.SimCLR(**exact, slice_size=size).fit(made()).transform(made()) for size in (None, 5)
    )
    np.testing.assert_allclose(whole, sliced, rtol=1e-3, atol=1e-4)


def test_rows_pictures_and_what_is_made_by_hand():
    samples = made()
    rows = samples.flat()
    np.testing.assert_allclose(np.linalg.norm(rows[:, :64], axis=1), 1, rtol=1e-5)
    assert rows.shape == (N, 64 + 4096)
    assert LOOKS["pairs"].draw(samples[np.arange(3)].x, 16).shape == (3, 16, 16, 3)
    assert KINDS["pairs"].features(samples) is None
    both = as_samples({"a": ["x y"] * 3, "b": ["z"] * 3})
    assert (LOOKS["pairs"].draw(both[np.arange(3)].x, 4) == 255).all()


# Built-in pairs


def test_combinations_of_the_test_are_new_and_their_parts_are_not():
    samples, test = captioned(each=1)
    train = samples.subset(np.setdiff1d(np.arange(len(samples)), test))
    texts = set(train.members["text"].texts)
    assert not texts & set(samples.subset(test).members["text"].texts)
    for place in range(3):
        assert len(set(train.members["text"].texts)) == 259
        assert set(samples.factors[test, place]) <= set(
            samples.factors[np.setdiff1d(np.arange(len(samples)), test), place]
        )
    with pytest.raises(ValueError, match="each must be at least 1"):
        captioned(each=0)


def test_pictures_are_of_what_their_captions_say():
    samples, _ = captioned(each=2)
    images = samples.members["image"][np.arange(len(samples))].x.numpy().astype(float)
    dark = (images.mean((2, 3), keepdims=True) - images).clip(0).sum(1)  # ink on a light ground
    rows, columns = dark.sum(2), dark.sum(1)
    for axis, weights in ((1, rows), (0, columns)):
        centre = (weights**2 * (np.arange(32) + 0.5)).sum(1) / (weights**2).sum(1) / 32
        told = samples.factors[:, 2] // 3 if axis else samples.factors[:, 2] % 3
        assert (np.clip(centre * 3, 0, 2.99).astype(int) == told).mean() > 0.97


def test_emoji_and_their_names_belong_together():
    samples, images = load_data("emoji-names", split="test"), load_data("emoji", split="test")
    assert list(samples.members["text"].texts) == [name.lower() for name in images.names]
    assert torch.equal(samples[np.arange(9)].x.members["image"], images[np.arange(9)].x)
    assert isinstance(samples, PairSamples)


@pytest.mark.all
def test_all_commands(files, tmp_path, monkeypatch, capsys):
    folder, frame = files
    monkeypatch.chdir(tmp_path)

    def told(*words):
        assert main([*map(str, words)]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    frame[:10].to_csv(folder / "pairs.csv", index=False)
    few = ("--encoder", "image=cnn,caption=words", "--epochs", 2, "--batch-size", 8)
    told("fit", "clip", "pairs.csv", "--kind", "pairs", "--labels", "kind", "--run", "r", *few)
    told("embed", "r", "pairs.csv", "--labels", "kind", "--out", "rows.npy")
    assert len(np.load("rows.npy")) == 10
    few = ("--encoder", SMALL, "--epochs", 1)
    told("fit", "clip", "emoji-names", "--run", "c", *few)
    assert "image to text: recall" in told("evaluate", "c", "emoji-names", "--draws", 1)
    told("report", "c")
    page = Path("c/report.html").read_text()
    assert "image to text" in page
    assert "data:image/png;base64" in page
    told("finetune", "c", "emoji-names", "--to", "f", "--epochs", 1)
    found = told("zeroshot", "c", "emoji:test", "--out", "z.csv")
    assert "of 382 samples" in found
    for part, warned in (("test", False), ("train", True)):
        assert main(["zeroshot", "c", f"emoji:{part}"]) == 0
        assert ("the accuracy is that of training" in capsys.readouterr().err) == warned
    assert list(pd.read_csv("z.csv").columns) == ["file", "class", "probability"]
    assert "no accuracy: Activities" in told(
        "zeroshot", "c", "emoji:test", "--classes", "a", "b", "--out", "n/z.csv"
    )
    assert main(["zeroshot", "c", "emoji", "--classes", "nowhere.txt"]) == 2
    assert "got 'nowhere.txt' alone" in capsys.readouterr().err
    assert main(["zeroshot", "c", "motions", "--classes", "one", "two"]) == 2
    assert "must be like" in capsys.readouterr().err
    assert main(["zeroshot", "f", "emoji"]) == 2
    assert "must be one of clip" in capsys.readouterr().err
