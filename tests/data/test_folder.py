"""Folders and zips of images."""

import os
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from replearn.data import DataWarning, as_samples, folder, survey


def pixels(number, size=8):
    return np.random.default_rng(number).integers(0, 256, (size, size, 3), dtype=np.uint8)


def pack(source, target, prefix=""):
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(source.rglob("*")):
            archive.write(path, prefix + str(path.relative_to(source)))
    return target


def test_flat_folder_is_unlabelled(draw):
    samples = as_samples(draw("b.png", "a.png", "deep.er.PNG"))
    assert list(samples.names) == ["a.png", "b.png", "deep.er.PNG"]
    assert samples.labels is None
    assert samples.classes == ()
    assert samples.shape == (3, 8, 8)
    np.testing.assert_array_equal(samples[np.array([1])].x[0], pixels(0).transpose(2, 0, 1))


def test_sub_folders_are_classes(draw):
    samples = as_samples(draw("dog/1.png", "cat/2.png", "cat/sub/3.png"))
    assert list(samples.names) == ["cat/2.png", "cat/sub/3.png", "dog/1.png"]
    assert samples.classes == ("cat", "dog")
    assert samples.labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    "names", [("1.png", "2.png"), ("one/1.png", "2.png"), ("one/1.png", "one/2.png"), ("one/1.png",)]
)
def test_one_sub_folder_is_no_class(draw, names):
    assert as_samples(draw(*names)).labels is None


def test_a_wrapping_folder_is_no_class(draw):
    samples = as_samples(draw("pets/cat/1.png", "pets/dog/2.png"))
    assert samples.classes == ("cat", "dog")


def test_splits_are_no_classes(draw):
    with pytest.raises(ValueError, match=r"holds the parts test, train.*Name one of them"):
        as_samples(draw("train/cat/1.png", "train/dog/2.png", "test/cat/3.png"))


def test_classes_of_another_set_are_kept(draw):
    samples = as_samples(draw("dog/1.png", "fox/2.png"), classes=("cat", "dog", "fox"))
    assert samples.labels.tolist() == [1, 2]


def test_zip_equals_folder(draw, tmp_path):
    root = draw("dog/1.png", "cat/2.png", "cat/3.png")
    plain = as_samples(root)
    zipped = as_samples(pack(root, tmp_path / "pets.zip", "pets/"))
    inside = as_samples(tmp_path / "pets.zip" / "pets" / "cat")
    assert zipped.classes == plain.classes
    assert zipped.labels.tolist() == plain.labels.tolist()
    np.testing.assert_array_equal(zipped[np.arange(3)].x, plain[np.arange(3)].x)
    assert list(zipped.names) == ["pets/" + name for name in plain.names]
    assert list(inside.names) == ["2.png", "3.png"]


def test_large_members_of_a_zip_are_unpacked_as_they_are_read(tmp_path, monkeypatch):
    root = tmp_path / "images"
    root.mkdir()
    for number, ending in enumerate(("png", "jpg", "tif", "gif", "webp", "bmp")):
        Image.fromarray(pixels(number, 40)).save(root / f"{number}.{ending}")
    plain = as_samples(root)
    archive = pack(root, tmp_path / "x.zip")
    monkeypatch.setattr("replearn.data.sources.LARGEST_WHOLE", 10)
    monkeypatch.setattr(zipfile.ZipFile, "read", None)  # calling it would fail
    np.testing.assert_array_equal(as_samples(archive)[np.arange(6)].x, plain[np.arange(6)].x)


@pytest.mark.parametrize(
    "name",
    ["snö ☃.png", "a b.png", 'it\'s "q".png', "<script>alert(1)<script>.png", "new\nline.png", "%s{}.png"],
)
def test_names_are_kept(draw, tmp_path, name):
    root = draw(name)
    assert list(as_samples(root).names) == [name]
    assert list(as_samples(pack(root, tmp_path / "x.zip")).names) == [name]
    (root / name).write_bytes(b"")
    (root / "fine.png").write_bytes(png())
    with pytest.warns(DataWarning) as caught:
        skipped = as_samples(root).skipped
    assert skipped == [(name, "is not an image")]
    assert "\n" not in str(caught[0].message)


def png():
    buffer = BytesIO()
    Image.fromarray(pixels(0)).save(buffer, "PNG")
    return buffer.getvalue()


def test_names_that_are_no_unicode(tmp_path):
    (tmp_path / "images").mkdir()
    with open(os.path.join(os.fsencode(tmp_path / "images"), b"caf\xe9.png"), "wb") as file:
        file.write(png())
    samples = as_samples(tmp_path / "images")
    assert os.fsencode(samples.names[0]) == b"caf\xe9.png"


def test_hidden_and_other_files_are_not_images(draw):
    root = draw("a.png", ".hidden.png", "__MACOSX/a.png", ".cache/b.png")
    (root / "notes.txt").write_text("hello")
    assert list(as_samples(root).names) == ["a.png"]


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_no_sample_is_counted_in_one_line(draw, tmp_path, caplog, packed):
    root = draw("a.png", "._a.png", ".cache/b.png")
    for name in (".DS_Store", "a.heic", "b.HEIC", "notes", "c.txt"):
        (root / name).write_text("x")
    with caplog.at_level("INFO", logger="replearn"):
        as_samples(pack(root, tmp_path / "images.zip") if packed else root)
    (line,) = (line for line in caplog.messages if "not read as samples" in line)
    assert "3 hidden files (.DS_Store, ._a.png, .cache/b.png), 3 of other endings (.heic 2, none 1)" in line
    assert any("1 .txt files are left out" in line for line in caplog.messages)


def test_links_that_lead_nowhere_or_in_a_circle_are_told_and_stop_nothing(draw, caplog):
    root = draw("cat/1.png", "dog/2.png")
    (root / "self").symlink_to(root / "self")
    (root / "cat" / "up").symlink_to(root)
    (root / "gone").symlink_to(root / "nowhere")
    with caplog.at_level("INFO", logger="replearn"):
        assert list(as_samples(root).names) == ["cat/1.png", "dog/2.png"]
    told = "3 links or folders that lead nowhere, in a circle or are locked (gone, self, cat/up)"
    assert told in caplog.text


def test_links_are_followed_but_not_in_circles(draw):
    root = draw("cat/1.png", "dog/2.png")
    (root / "cat" / "up").symlink_to(root)
    (root / "fox").symlink_to(root / "dog")
    assert list(as_samples(root).names) == ["cat/1.png", "dog/2.png", "fox/2.png"]


def test_unequal_sizes_become_squares(draw):
    root = draw("a.png")
    Image.new("RGB", (300, 100), "blue").save(root / "b.png")
    samples = as_samples(root)
    assert samples.shape == (3, survey.DEFAULT_SIZE, survey.DEFAULT_SIZE)
    assert samples[np.array([1])].x[0, :, 50, 50].tolist() == [0, 0, 255]
    assert as_samples(root, image_size=20).shape == (3, 20, 20)
    assert as_samples(root).shape == (3, survey.DEFAULT_SIZE, survey.DEFAULT_SIZE)


def test_equal_sizes_are_kept_up_to_a_limit(tmp_path):
    for size, expected in (((40, 30), (1, 30, 40)), ((600, 10), (1, 96, 96))):
        root = tmp_path / str(size)
        root.mkdir()
        Image.new("L", size).save(root / "a.png")
        assert as_samples(root).shape == expected


def test_resizing_is_antialiased_and_centred(tmp_path):
    board = np.indices((64, 128)).sum(0) % 2 * 255  # a checkerboard of single pixels averages to grey
    board[:, :32], board[:, 96:] = 0, 255  # both sides are cut away
    Image.fromarray(board.astype(np.uint8)).save(tmp_path / "a.png")
    x = as_samples(tmp_path, image_size=8)[np.array([0])].x
    assert x[:, :, :, 1:-1].float().sub(127.5).abs().max() < 6


def test_large_jpeg_decodes_as_small(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 1024).astype(np.uint8), (1024, 1))
    Image.fromarray(ramp).save(tmp_path / "a.jpg", quality=95)
    x = as_samples(tmp_path, image_size=32)[np.array([0])].x[0, 0].float()
    expected = ramp.reshape(32, 32, 32, 32).mean((1, 3))
    assert np.abs(x.numpy() - expected).max() < 4


def test_second_time_comes_from_the_cache(draw, monkeypatch):
    root = draw("cat/1.png", "dog/2.png")
    first = as_samples(root)
    monkeypatch.setattr(folder, "_build", None)
    second = as_samples(root)
    assert second.fingerprint() == first.fingerprint()
    assert second.classes == first.classes
    assert list(second.names) == list(first.names)


def test_a_run_asks_for_the_size_that_images_have(draw, cache, tmp_path, caplog):
    """`fit` reads images at their own size, `embed` and `evaluate` at the run's: one entry serves all."""
    root = draw("cat/1.png", "dog/2.png")
    first = as_samples(root)
    second = as_samples(root, image_size=8)
    assert second.fingerprint() == first.fingerprint()
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 1
    Image.new("RGB", (300, 100), "blue").save(root / "dog" / "3.png")
    with caplog.at_level("INFO", logger="replearn"):
        unequal = as_samples(root)
    assert "3 of 3 images were resized to 96 x 96" in caplog.text
    assert "(--image-size, in Python image_size=, takes another size)" in caplog.text
    caplog.clear()
    assert as_samples(root, image_size=96).fingerprint() == unequal.fingerprint()
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 2
    assert as_samples(root, image_size=8).shape == (3, 8, 8)
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 3


def test_change_is_noticed(draw):
    root = draw("a.png")
    before = as_samples(root).fingerprint()
    stat = (root / "a.png").stat()
    Image.fromarray(pixels(5)).save(root / "a.png")
    os.utime(root / "a.png", ns=(stat.st_atime_ns, stat.st_mtime_ns))  # even if someone hides it
    assert as_samples(root).fingerprint() != before


def test_names_are_read_late(tmp_path):
    """Opening a cache of a million images must not load a million names."""
    path = tmp_path / "names.json"
    names = folder.StoredNames(path, 3)
    assert len(names) == 3
    path.write_text('["a", "b", "c"]')
    assert names[1] == "b"
    assert names[1:] == ["b", "c"]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_nothing_in_it(tmp_path, kind):
    (tmp_path / "empty" / "sub").mkdir(parents=True)
    (tmp_path / "empty" / "notes.md").write_text("hello")
    path = tmp_path / "empty" if kind == "folder" else pack(tmp_path / "empty", tmp_path / "empty.zip")
    with pytest.raises(ValueError, match="at least one image; found no file ending in"):
        as_samples(path)


def test_not_there(tmp_path, draw):
    draw("a.png")
    with pytest.raises(ValueError, match="Did you mean 'images'"):
        as_samples(tmp_path / "image")
    with pytest.raises(ValueError, match="Name the folder for a single image"):
        as_samples(tmp_path / "images" / "a.png")


def test_damaged_zip(tmp_path, draw):
    path = pack(draw("a.png", "b.png"), tmp_path / "x.zip")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="got"):
        as_samples(path)
    start = whole.index(b"PNG")
    path.write_bytes(whole[:start] + bytes(50) + whole[start + 50 :])
    with pytest.warns(DataWarning, match="1 of 2 images"):
        assert as_samples(path).skipped[0][0] == "a.png"


def test_images_outside_the_sub_folders_are_unlabelled_and_counted(draw, tmp_path, caplog):
    caplog.set_level("INFO", "replearn")
    root = draw("cat/1.png", "dog/2.png", "loose.png")
    for data in (root, pack(root, tmp_path / "pets.zip"), pack(root, tmp_path / "wrapped.zip", "pets/")):
        caplog.clear()
        samples = as_samples(data)
        assert samples.classes == ("cat", "dog")
        assert samples.labels.tolist() == [0, 1, -1]
        assert "1 of 3 samples are unlabelled" in caplog.text


@pytest.mark.parametrize(
    "names", [("cat\\1.png", "dog\\2.png"), ("cat\\1.png", "dog/2.png", "pets\\dog\\3.png")]
)
def test_backslashes_in_a_zip_separate_folders(draw, tmp_path, names):
    picture = (draw("1.png") / "1.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # as it lies in the file, on any system
            archive.writestr(info, picture)
    samples = as_samples(tmp_path / "pets.zip")
    assert list(samples.names) == [name.replace("\\", "/") for name in names]
    assert samples.classes == ("cat", "dog", "pets")[: len(names)]
    assert len(as_samples(tmp_path / "pets.zip" / "cat")) == 1


def test_members_that_lead_out_of_a_zip_are_counted(draw, tmp_path, caplog):
    picture = (draw("1.png") / "1.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for name in ("cat/1.png", "dog/1.png", "../1.png", "cat/../../2.png"):
            archive.writestr(name, picture)
    with caplog.at_level("WARNING"):
        assert len(as_samples(tmp_path / "pets.zip")) == 2
    assert "2 members whose names lead out of it (../) are left out" in caplog.text


def test_class_folders_that_are_not_utf8(draw, tmp_path):
    root = draw("1.png")
    for number, name in enumerate((b"caf\xe9", b"caf\xe8")):
        folder = os.path.join(os.fsencode(root), name)
        os.mkdir(folder)
        (picture,) = [entry for entry in os.scandir(root) if entry.is_file()]
        with (
            open(picture.path, "rb") as source,
            open(os.path.join(folder, b"%d.png" % number), "wb") as target,
        ):
            target.write(source.read())
    samples = as_samples(root)
    assert samples.classes == ("caf\\xe8", "caf\\xe9")
    assert sorted(samples.labels.tolist()) == [-1, 0, 1]
    for name in samples.classes:
        name.encode()


@pytest.mark.parametrize("make", [str, Path, np.str_])
def test_a_list_of_paths_is_images_in_that_order(draw, make):
    root = draw("b.png", "a.png", "cat/c.png")
    paths = [root / name for name in ("b.png", "cat/c.png", "a.png", "b.png")]
    samples = as_samples([make(path) for path in paths], ["x", "y", "y", "x"])
    assert samples.kind == "image"
    assert list(samples.names) == [str(path) for path in paths]
    assert samples.labels.tolist() == [0, 1, 1, 0]
    plain, x = as_samples(root), samples[np.arange(4)].x
    for row, name in enumerate(("b.png", "cat/c.png", "a.png", "b.png")):
        np.testing.assert_array_equal(x[row], plain[np.array([list(plain.names).index(name)])].x[0])


def test_a_list_of_paths_that_are_not_there(draw):
    root = draw("a.png")
    with pytest.raises(ValueError, match=r"1 of 2 do not exist, the first: 'nothing\.png'"):
        as_samples([str(root / "a.png"), "nothing.png"])
    assert as_samples(["a.png is a picture", "b.png"]).kind == "text"
