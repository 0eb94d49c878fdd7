"""Odd image files are read right, and bad ones are left out, counted and named."""

import ast
import os
import struct
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

import replearn
from replearn.data import DataWarning, as_samples, decode

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
    with pytest.warns(
        DataWarning, match="1 of 1 images have more than one frame or page, of which the first is read"
    ):
        as_samples(tmp_path)
    with pytest.warns(DataWarning):
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
    with pytest.raises(ValueError, match=r"strict: 1 of .* images in .* were left out"):
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


PROMISED = (
    "avif",
    "bmp",
    "dib",
    "gif",
    "ico",
    "jpg",
    "jp2",
    "pbm",
    "pgm",
    "png",
    "ppm",
    "tga",
    "tif",
    "webp",
)


@pytest.mark.parametrize("ending", PROMISED)
def test_promised_formats(tmp_path, ending):
    if ending in ("avif", "webp", "jp2") and not features.check("jpg_2000" if ending == "jp2" else ending):
        pytest.skip("Pillow was built without it")
    mode = {"pbm": "1", "pgm": "L"}.get(ending, "RGB")
    Image.new("RGB", (16, 16), (255, 255, 255)).convert(mode).save(tmp_path / f"a.{ending}")
    x = only(tmp_path)
    assert x.shape == (1 if mode != "RGB" else 3, 16, 16)
    assert (x > 250).all()


def test_a_photograph_of_two_pictures(tmp_path):
    """As some telephones and cameras write them: a JPEG that Pillow calls MPO."""
    image = Image.fromarray(photo)
    image.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[image])
    assert only(tmp_path).shape == (3, 16, 16)


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n%%EOF\n"


def others(tmp_path):
    """Files of formats that Pillow knows and nobody promised."""
    yield "eps", POSTSCRIPT
    for kind in ("PCX", "SGI", "MSP", "DDS", "PDF", "XBM", "SPIDER"):
        path = tmp_path / "written"
        mode = "1" if kind in ("MSP", "XBM") else "F" if kind == "SPIDER" else "RGB"
        Image.new(mode, (16, 16)).save(path, kind)
        yield kind.lower(), path.read_bytes()
        path.unlink()


def test_other_decoders_are_never_tried(tmp_path, monkeypatch):
    """Neither Ghostscript nor any other of Pillow's decoders runs on a file that is called an image."""
    import PIL.EpsImagePlugin

    monkeypatch.setattr(PIL.EpsImagePlugin, "Ghostscript", raising)
    found = dict(others(tmp_path))
    (tmp_path / "images").mkdir()
    for name, content in found.items():
        (tmp_path / "images" / f"{name}.jpg").write_bytes(content)
    Image.fromarray(photo).save(tmp_path / "images" / "good.png")
    with pytest.warns(DataWarning, match=f"{len(found)} of {len(found) + 1} images"):
        samples = as_samples(tmp_path / "images", image_size=16)
    assert list(samples.names) == ["good.png"]
    assert {reason for _, reason in samples.skipped} == {"is not an image"}


def raising(*_, **__):
    raise AssertionError


def test_images_are_opened_with_a_list_of_formats():
    """Everywhere in the source."""
    folder = Path(replearn.__file__).parent
    calls = [
        (path.name, node)
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Image.open", "PIL.Image.open")
    ]
    assert calls
    assert not [name for name, call in calls if "formats" not in {word.arg for word in call.keywords}]


def test_large_images_are_decoded_one_after_the_other(tmp_path, monkeypatch):
    """However many threads there are, images that are decoded at once fit in the room for them."""
    side, at_once, most = 200, 0, 0
    (tmp_path / "images").mkdir()
    for number in range(12):
        Image.effect_noise((side, side), 50).save(tmp_path / "images" / f"{number}.png")
    Image.effect_noise((5 * side, 5 * side), 50).save(
        tmp_path / "images" / "over.png"
    )  # larger than the room
    lock, standard = threading.Lock(), decode.standard_mode

    def watched(image, **knobs):
        nonlocal at_once, most
        with lock:
            at_once += image.width * image.height
            most = max(most, at_once)
        result = standard(image, **knobs)
        threading.Event().wait(0.02)
        with lock:
            at_once -= image.width * image.height
        return result

    monkeypatch.setattr(decode, "standard_mode", watched)
    monkeypatch.setattr(decode, "room", decode.Room(3 * side * side * decode.PIXEL_BYTES))
    monkeypatch.setattr("replearn.data.folder.threads", lambda: 8)
    assert len(as_samples(tmp_path / "images", image_size=32)) == 13
    assert most == (5 * side) ** 2  # alone
    with ThreadPoolExecutor(8) as pool:
        files = [(tmp_path / "images" / f"{number}.png").open("rb") for number in range(12)]
        most = 0
        list(pool.map(lambda file: decode.read_image(file, size=8, grey=True), files))
        for file in files:
            file.close()
    assert 0 < most <= 3 * side * side
