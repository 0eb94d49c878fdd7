"""Data in several files: a folder of Parquet files as one table, images in tar files as WebDataset has them."""

import io
import json
import os
import tarfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from replearn.data import as_samples
from replearn.data.tar_files import expanded
from replearn.data.told import DataWarning


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def frame():
    draw = np.random.default_rng(0)
    made = pd.DataFrame(draw.normal(size=(60, 3)).astype(np.float32), columns=list("abc"))
    made["label"] = np.array(["x", "y", "z"])[np.arange(60) % 3]
    return made


def split(frame, folder, count=4):
    folder.mkdir()
    for number, index in enumerate(np.array_split(np.arange(len(frame)), count)):
        frame.iloc[index].to_parquet(folder / f"part-{number:05}.parquet")
    (folder / "_SUCCESS").touch()
    (folder / ".part-00003.parquet.crc").touch()
    return folder


def test_a_folder_of_parquet_files_is_one_table(frame, tmp_path):
    frame.to_parquet(tmp_path / "one.parquet")
    one, several = as_samples(tmp_path / "one.parquet"), as_samples(split(frame, tmp_path / "several"))
    np.testing.assert_array_equal(several.flat(), one.flat())
    assert several.labels.tolist() == one.labels.tolist()
    assert several.classes == one.classes == ("x", "y", "z")


def test_so_is_one_of_texts(frame, tmp_path):
    frame["text"] = [f"text of row {number}" for number in range(60)]
    samples = as_samples(split(frame, tmp_path / "texts.parquet"), text="text")
    assert samples.kind == "text"
    assert list(samples[np.array([59])].x) == ["text of row 59"]
    assert samples.classes == ("x", "y", "z")


def test_files_of_other_columns_are_told(frame, tmp_path):
    folder = split(frame, tmp_path / "several")
    frame.rename(columns={"c": "d"}).to_parquet(folder / "part-00002.parquet")
    with pytest.raises(ValueError, match=r"part-00002\.parquet must have the columns of the first file"):
        as_samples(folder)
    (folder / "part-00002.parquet").write_bytes(b"PAR1 half")
    with pytest.raises(ValueError, match=r"must be a readable table.*part-00002"):
        as_samples(folder)


def test_a_folder_with_other_files_is_no_table(frame, tmp_path):
    folder = split(frame, tmp_path / "several")
    Image.new("L", (8, 8)).save(folder / "a.png")
    assert as_samples(folder).kind == "image"


def image(number):
    stream = io.BytesIO()
    Image.new("L", (8, 8), number).save(stream, "PNG")
    return stream.getvalue()


def write(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def shards(folder, ending=".cls", label=lambda number: str(number % 3).encode(), count=3, each=5):
    for shard in range(count):
        members = {}
        for number in range(shard * each, shard * each + each):
            members[f"{number:04}.png"] = image(10 * number)
            members[f"{number:04}{ending}"] = label(number)
        write(folder / f"train-{shard:03}.tar", members)


@pytest.mark.parametrize("how", ["braces", "folder"])
def test_tars_are_images_with_labels_in_order(tmp_path, how):
    (tmp_path / "tars").mkdir()
    shards(tmp_path / "tars")
    named = tmp_path / "tars" / "train-{000..002}.tar" if how == "braces" else tmp_path / "tars"
    samples = as_samples(named)
    assert samples.kind == "image"
    assert samples[np.arange(15)].x[:, 0, 0, 0].tolist() == [10 * number for number in range(15)]
    assert samples.labels.tolist() == [number % 3 for number in range(15)]
    assert samples.names[7] == "train-001.tar/0007.png"


def test_one_tar_and_labels_in_json_or_text(tmp_path):
    for ending, label in (
        (".json", lambda number: json.dumps({"label": "ab"[number % 2]}).encode()),
        (".txt", lambda number: f"{'ab'[number % 2]}\n".encode()),
    ):
        shards(tmp_path, ending, label, count=1)
        samples = as_samples(tmp_path / "train-000.tar")
        assert samples.classes == ("a", "b")
        assert samples.names[0] == "0000.png"


def test_captions_are_no_labels(tmp_path):
    shards(tmp_path, ".txt", lambda number: f"a picture of number {number}".encode(), count=5)
    with pytest.warns(DataWarning, match="25 different texts beside 25 images are no labels"):
        samples = as_samples(tmp_path / "train-{000..004}.tar")
    assert samples.labels is None


def test_a_changed_tar_is_read_again(tmp_path):
    shards(tmp_path, count=1)
    as_samples(tmp_path / "train-000.tar")
    write(tmp_path / "train-000.tar", {"1.png": image(77), "1.cls": b"9", "notes.md": b"-"})
    samples = as_samples(tmp_path / "train-000.tar")
    assert samples[np.arange(1)].x[0, 0, 0, 0] == 77
    assert samples.labels.tolist() == [9]


def test_what_is_wrong_with_tars_is_told(tmp_path):
    shards(tmp_path, count=2)
    with pytest.raises(ValueError, match=r"1 of 3 are not, the first: .*train-002\.tar"):
        as_samples(tmp_path / "train-{000..002}.tar")
    whole = (tmp_path / "train-001.tar").read_bytes()
    (tmp_path / "train-001.tar").write_bytes(whole[: 512 + 20])
    with pytest.raises(ValueError, match=r"train-001\.tar must be a whole tar file"):
        as_samples(tmp_path / "train-{000..001}.tar")
    (tmp_path / "t.tar.gz").write_bytes(b"x")
    with pytest.raises(ValueError, match="must not be packed"):
        as_samples(tmp_path / "t.tar.gz")
    with pytest.raises(ValueError, match="braces must stand for"):
        expanded("{9..1}.tar")


def test_an_image_that_cannot_be_decoded_is_left_out_with_its_label(tmp_path):
    members = {
        "0.png": image(0),
        "0.cls": b"4",
        "1.png": b"no image",
        "1.cls": b"5",
        "2.png": image(9),
        "2.cls": b"6",
    }
    write(tmp_path / "t.tar", members)
    with pytest.warns(DataWarning, match=r"1 of 3"):
        samples = as_samples(tmp_path / "t.tar")
    assert samples.labels.tolist() == [4, 6]
    assert samples.skipped[0][0] == "1.png"


def test_tars_of_one_name_in_two_folders_keep_their_labels(tmp_path):
    for number, label in enumerate((b"cat", b"dog")):
        (tmp_path / f"{number}").mkdir()
        write(tmp_path / f"{number}" / "data.tar", {"1.png": image(number), "1.cls": label})
    samples = as_samples(str(tmp_path / "{0..1}" / "data.tar"))
    assert [samples.classes[label] for label in samples.labels] == ["cat", "dog"]
    assert list(samples.names) == ["0/data.tar/1.png", "1/data.tar/1.png"]


@pytest.mark.parametrize("cut", [512, 512 + 100])  # between members, and within the next one's header
def test_a_tar_that_ends_early_is_not_whole(tmp_path, cut):
    write(tmp_path / "t.tar", {"0.png": image(0), "1.png": image(1)})
    with tarfile.open(tmp_path / "t.tar") as archive:
        second = archive.getmembers()[1].offset
    whole = (tmp_path / "t.tar").read_bytes()
    (tmp_path / "t.tar").write_bytes(whole[: second + cut - 512])
    with pytest.raises(ValueError, match=r"t\.tar must be a whole tar file"):
        as_samples(tmp_path / "t.tar")


def test_images_of_one_key_are_told(tmp_path):
    write(tmp_path / "t.tar", {"shot.1.png": image(0), "shot.2.png": image(1), "other.png": image(2)})
    with pytest.warns(DataWarning, match="1 images share their name up to its first point"):
        assert len(as_samples(tmp_path / "t.tar")) == 2


def test_a_tar_that_is_replaced_by_one_as_large_and_as_old_is_read_again(tmp_path):
    for value in (3, 8):
        write(tmp_path / "new.tar", {"0.png": image(value)})
        os.utime(tmp_path / "new.tar", (1e9, 1e9))
        os.replace(tmp_path / "new.tar", tmp_path / "t.tar")
        assert as_samples(tmp_path / "t.tar")[np.arange(1)].x[0, 0, 0, 0] == value


def test_texts_in_a_folder_of_parquet_are_read_again_when_a_file_changes(tmp_path):
    (tmp_path / "texts").mkdir()
    for text in ("old words", "new words"):
        pd.DataFrame({"text": [text]}).to_parquet(tmp_path / "texts" / "p0.parquet")
        assert list(as_samples(tmp_path / "texts").texts[:]) == [text]
    pd.DataFrame({"words": ["x"]}).to_parquet(tmp_path / "texts" / "p1.parquet")
    with pytest.raises(ValueError, match=r"p1\.parquet must have a column 'text'"):
        as_samples(tmp_path / "texts")
