"""Odd image files are read right, and bad ones are left out, counted and named."""

import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from replearn.data import DataWarning, as_samples

rng = np.random.default_rng(0)
photo = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)


def only(folder, **knobs):
    """The one image in a folder, `(c, h, w)`."""
    samples = as_samples(folder, **knobs)
    assert len(samples) == 1
    return samples[np.array([0])].x[0].numpy()


def test_modes_that_are_exact(tmp_path):
    Image.fromarray(photo).quantize(256).save(tmp_path / "palette.png")
    expected = np.asarray(Image.open(tmp_path / "palette.png").convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(only(tmp_path), expected)


def test_one_bit(tmp_path):
    Image.fromarray(ramp > 99).save(tmp_path / "a.png")
    np.testing.assert_array_equal(only(tmp_path)[0], (ramp > 99) * 255)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_scaled_down(tmp_path, name):
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / name)
    x = only(tmp_path)
    assert x.shape == (1, 16, 16)
    np.testing.assert_array_equal(x[0], ramp)


def test_float_images(tmp_path):
    Image.fromarray((ramp / 255).astype(np.float32)).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(only(tmp_path)[0], ramp)


def test_cmyk_jpeg(tmp_path):
    Image.new("RGB", (16, 16), (250, 20, 30)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    x = only(tmp_path)
    assert x.shape == (3, 16, 16)
    np.testing.assert_allclose(x.mean((1, 2)), [250, 20, 30], atol=6)


def test_transparent_parts_are_white(tmp_path):
    image = np.zeros((4, 4, 4), np.uint8)
    image[:2] = [255, 0, 0, 128]
    Image.fromarray(image).save(tmp_path / "a.png")
    x = only(tmp_path)
    assert x[:, 0, 0].tolist() == [255, 127, 127]
    assert x[:, 3, 3].tolist() == [255, 255, 255]


def test_transparent_grey_stays_grey(tmp_path):
    image = np.zeros((4, 4, 2), np.uint8)
    image[:2] = [10, 255]
    Image.merge("LA", [Image.fromarray(band) for band in image.transpose(2, 0, 1)]).save(tmp_path / "a.png")
    assert only(tmp_path)[0, :, 0].tolist() == [10, 10, 255, 255]


def test_transparent_palette(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([9, 9, 9, 200, 0, 0])
    image.save(tmp_path / "a.gif", transparency=0)
    x = only(tmp_path)
    assert x[:, 0, 0].tolist() == [255, 255, 255]
    assert x[:, 0, 1].tolist() == [200, 0, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.png"])
def test_orientation(tmp_path, orientation, name):
    """Each of EXIF's eight orientations is turned upright."""
    stored = np.repeat(np.repeat(np.array([[0, 40, 80], [120, 160, 200]], np.uint8), 8, 0), 8, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / name, exif=exif)
    upright = [
        stored,
        stored[:, ::-1],
        stored[::-1, ::-1],
        stored[::-1],
        stored.T,
        np.rot90(stored, -1),
        stored[::-1, ::-1].T,
        np.rot90(stored),
    ][orientation - 1]
    np.testing.assert_allclose(only(tmp_path)[0], upright, atol=2)
    assert only(tmp_path, image_size=6).shape == (1, 6, 6)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_first_frame_of_an_animation(tmp_path, name):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    knobs = {"lossless": True} if name == "a.webp" else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=50, **knobs)
    assert only(tmp_path)[:, 4, 4].tolist() == [255, 0, 0]


def test_one_pixel(tmp_path):
    Image.new("RGB", (1, 1), "blue").save(tmp_path / "a.png")
    assert only(tmp_path).shape == (3, 1, 1)
    x = only(tmp_path, image_size=8)
    assert x.shape == (3, 8, 8)
    assert (x[2] == 255).all()


def test_grey_and_colour_together_are_colour(tmp_path):
    Image.fromarray(ramp).save(tmp_path / "a.png")
    Image.fromarray(photo).save(tmp_path / "b.png")
    Image.fromarray(ramp).save(tmp_path / "c.png")
    x = as_samples(tmp_path)[np.array([0])].x[0]
    assert x.shape == (3, 16, 16)
    assert (x.numpy() == ramp).all()


def empty_png(width, height, depth=1):
    """A valid 1-bit PNG of any size; its rows compress to almost nothing."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    packer, row = zlib.compressobj(1), bytes(1 + (width + 7) // 8)
    rows = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def bad_file(kind, tmp_path):
    Image.fromarray(photo).save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "whole.jpg").unlink()
    return {
        "zero bytes": b"",
        "text": b"this is no image",
        "truncated header": whole[:20],
        "truncated": whole[:-100],
        "noise": rng.bytes(500),
        "markup": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "huge": lambda: empty_png(20_000, 20_000),
        "bomb": lambda: empty_png(60_000, 60_000),
        "over the warning": lambda: empty_png(10_000, 10_000),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("zero bytes", "is not an image"),
        ("text", "is not an image"),
        ("truncated header", ""),
        ("truncated", "cannot be decoded"),
        ("noise", "is not an image"),
        ("markup", "is not an image"),
        ("huge", "too many pixels"),
        ("bomb", "too many pixels"),
        ("over the warning", "too many pixels"),
    ],
)
def test_bad_files_are_left_out(tmp_path, kind, reason):
    content = bad_file(kind, tmp_path)
    (tmp_path / "bad.jpg").write_bytes(content() if callable(content) else content)
    Image.fromarray(photo).save(tmp_path / "good.png")
    tracemalloc.start()
    with pytest.warns(DataWarning, match=r"1 of 2 images.*'bad.jpg'") as caught:
        samples = as_samples(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    assert list(samples.names) == ["good.png"]
    assert samples.skipped[0][0] == "bad.jpg"
    assert reason in samples.skipped[0][1]
    np.testing.assert_array_equal(samples[np.array([0])].x[0], photo.transpose(2, 0, 1))
    with pytest.raises(ValueError, match="strict: every image must decode; 1 of"):
        as_samples(tmp_path, strict=True)
    with pytest.warns(DataWarning, match="1 of 2 images"):  # the cache remembers
        as_samples(tmp_path)


def test_nothing_decodes(tmp_path, cache):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match="none of 1 can"):
        as_samples(tmp_path)
    assert not [path for path in cache.iterdir() if path.is_dir()]


def test_left_out_images_and_a_list_of_labels(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    Image.fromarray(photo).save(tmp_path / "b.png")
    with pytest.warns(DataWarning), pytest.raises(ValueError, match="1 files could not be decoded"):
        as_samples(tmp_path, ["x", "y"])


def test_unreadable_files_are_left_out(tmp_path):
    Image.fromarray(photo).save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b.png")  # opening it would wait for ever
    (tmp_path / "c.png").symlink_to(tmp_path / "nowhere.png")
    assert list(as_samples(tmp_path).names) == ["a.png"]
