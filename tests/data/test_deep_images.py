"""Images deeper than bytes keep all their levels, by one range for the whole set, as files and as arrays."""

import logging
import re
import struct
import zlib

import numpy as np
import PIL
import pytest
import torch
from packaging.version import Version
from PIL import Image

from replearn.data import DataWarning, as_samples, describe, description_from_json

rng = np.random.default_rng(0)


def write_tiff(path, *pages, colour=False):
    """TIFF files as instruments write them and Pillow does not: uncompressed pages `(h, w)` or `(h, w, c)`."""
    out, link = bytearray(b"II*\0\0\0\0\0"), 4
    for page in pages:
        channels, bits = (page.shape[2] if page.ndim == 3 else 1), page.dtype.itemsize * 8
        kind = {"u": 1, "i": 2, "f": 3}[page.dtype.kind]
        more = channels - (3 if colour else 1)
        start = len(out)
        out += np.ascontiguousarray(page).tobytes()
        tags = [
            (256, 4, [page.shape[1]]),
            (257, 4, [page.shape[0]]),
            (258, 3, [bits] * channels),
            (259, 3, [1]),
            (262, 3, [2 if colour else 1]),
            (273, 4, [start]),
            (277, 3, [channels]),
            (278, 4, [page.shape[0]]),
            (279, 4, [page.nbytes]),
            *([(338, 3, [0] * more)] if more else []),
            (339, 3, [kind] * channels),
        ]
        entries = []
        for tag, width, values in tags:
            content = struct.pack(f"<{len(values)}{'H' if width == 3 else 'I'}", *values)
            if len(content) > 4:
                place = len(out)
                out += content
                content = struct.pack("<I", place)
            entries.append(struct.pack("<HHI", tag, width, len(values)) + content.ljust(4, b"\0"))
        out[link : link + 4] = struct.pack("<I", len(out))
        out += struct.pack("<H", len(entries)) + b"".join(entries)
        link = len(out)
        out += bytes(4)
    path.write_bytes(out)


def folder_of(tmp_path, images, *, ending="tif", write=None):
    """A folder of files, one per image."""
    root = tmp_path / ending
    root.mkdir()
    for number, image in enumerate(images):
        path = root / f"{number:03}.{ending}"
        if write is None:
            Image.fromarray(image).save(path)
        else:
            write(path, image)
    return root


def everything(samples):
    return samples[np.arange(len(samples))].x.numpy()


def rising(most, dtype, n=6, side=16):
    """Images of unlike brightness, whose brightest has the level `most`."""
    shares = np.linspace(0.1, 1, n)[:, None, None]
    return (np.linspace(0, most, side * side).reshape(side, side) * shares).astype(dtype)


def pgm(path, image):
    path.write_bytes(b"P5 %d %d 65535\n" % image.shape[::-1] + image.astype(">u2").tobytes())


SIXTEEN = {"png": None, "tif": None, "pgm": pgm}


@pytest.mark.parametrize("most", [200, 4000, 4095, 65535])
@pytest.mark.parametrize("ending", SIXTEEN)
def test_sixteen_bit_files_are_as_exact_as_the_array(tmp_path, ending, most):
    images = rising(most, np.uint16)
    x = everything(as_samples(folder_of(tmp_path, images, ending=ending, write=SIXTEEN[ending])))
    top = {200: 255, 4000: 4095}.get(most, most)
    assert x.dtype == np.float32
    assert x.shape == (6, 1, 16, 16)
    np.testing.assert_array_equal(np.rint(x[:, 0] * np.float32(top)), images)  # every level, in one range
    np.save(tmp_path / "x.npy", images)
    for same in (images, tmp_path / "x.npy", list(images), [Image.fromarray(image) for image in images]):
        np.testing.assert_array_equal(everything(as_samples(same)), x)


def test_numbers_of_32_bits(tmp_path):
    for most, top in ((255, 255), (70_000, 131_071)):
        (tmp_path / str(most)).mkdir()
        root = folder_of(tmp_path / str(most), rising(most, np.int32))
        np.testing.assert_array_equal(
            np.rint(everything(as_samples(root))[:, 0] * top), rising(most, np.int32)
        )


def test_negative_levels_and_floats_have_one_range(tmp_path):
    scans = rising(3000, np.int16) - np.int16(1024)
    root = folder_of(tmp_path, scans, ending="tif", write=write_tiff)
    low, high = scans.min(), scans.max()
    expected = (scans.astype(np.float32) - low) / (high - low)
    np.testing.assert_allclose(everything(as_samples(root))[:, 0], expected, atol=1e-6)
    metres = rising(7.5, np.float32) + np.float32(0.5)
    (tmp_path / "metres").mkdir()
    samples = as_samples(folder_of(tmp_path / "metres", metres))
    assert samples.levels == (0.5, 8.0)
    np.testing.assert_allclose(everything(samples)[:, 0], (metres - 0.5) / 7.5, atol=1e-6)


def test_floats_in_the_unit_interval_stay(tmp_path):
    images = rising(0.9, np.float32)
    np.testing.assert_array_equal(everything(as_samples(folder_of(tmp_path, images)))[:, 0], images)


@pytest.mark.parametrize("most", [4000, 65535])
def test_resizing_keeps_depth(tmp_path, most):
    images = rising(most, np.uint16, side=64)
    root = folder_of(tmp_path, images)
    x = everything(as_samples(root, image_size=16))
    assert x.shape == (6, 1, 16, 16)
    assert len(np.unique(x)) > 600
    expected = images.reshape(6, 16, 4, 16, 4).mean((2, 4)) / (4095 if most == 4000 else 65535)
    np.testing.assert_allclose(x[:, 0], expected, atol=0.02)
    array = everything(as_samples(images, image_size=16))
    np.testing.assert_allclose(x, array, atol=0.02)
    pictures = as_samples([Image.fromarray(image) for image in images], image_size=16)
    np.testing.assert_array_equal(everything(pictures), array)


def test_pages_are_channels(tmp_path, caplog):
    """As microscopes and tifffile write several channels."""
    images = rng.integers(0, 4096, (4, 5, 12, 9)).astype(np.uint16)
    root = folder_of(tmp_path, images, write=lambda path, image: write_tiff(path, *image))
    with caplog.at_level(logging.INFO, logger="replearn"):
        samples = as_samples(root)
    assert samples.shape == (5, 12, 9)
    assert "each image has 5 pages, read as its channels" in caplog.text
    np.testing.assert_array_equal(everything(samples), everything(as_samples(images)))
    assert as_samples(root, image_size=6).shape == (5, 6, 6)
    (tmp_path / "bytes").mkdir()
    images = rng.integers(0, 256, (3, 2, 12, 9)).astype(np.uint8)
    root = folder_of(tmp_path / "bytes", images, write=lambda path, image: write_tiff(path, *image))
    np.testing.assert_array_equal(everything(as_samples(root)), images)


def test_unequal_numbers_of_pages_are_said(tmp_path):
    images = rng.integers(0, 256, (5, 8, 8)).astype(np.uint8)
    root = folder_of(tmp_path, range(1, 4), write=lambda path, n: write_tiff(path, *images[:n]))
    with pytest.warns(DataWarning, match="2 of 3 images have more than one page, of which the first is read"):
        assert as_samples(root).shape == (1, 8, 8)


def png_of_16_bits(path, image):
    def chunk(kind, content):
        sum_ = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + sum_

    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in image)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


@pytest.mark.parametrize(
    ("shape", "dtype", "write", "lost"),
    [
        ((8, 8, 3), np.uint16, png_of_16_bits, "16 bits a channel, of which Pillow reads the upper 8"),
        ((8, 8, 3), np.uint16, "colour", "16 bits a channel, of which Pillow reads the upper 8"),
        pytest.param(
            *((8, 8, 2), np.uint8, "grey", "2 channels, of which 1 is read"),
            marks=pytest.mark.skipif(
                Version(PIL.__version__) < Version("13"), reason="older releases refuse them, which is told"
            ),
        ),
        ((8, 8, 5), np.uint8, "colour", "5 channels, of which 3 are read"),
    ],
    ids=["16 bits by hand", "16 bits", "2 channels", "5 channels"],
)
def test_what_pillow_leaves_out_is_counted(tmp_path, shape, dtype, write, lost):
    images = rng.integers(0, np.iinfo(dtype).max, (3, *shape)).astype(dtype)
    how = write if callable(write) else lambda path, image: write_tiff(path, image, colour=write == "colour")
    with pytest.warns(DataWarning, match=f"3 of 3 images have {lost}"):
        as_samples(folder_of(tmp_path, images, ending="png" if callable(write) else "tif", write=how))


def test_a_bitmap_of_16_bits_a_pixel_loses_nothing(tmp_path):
    """Five or six bits a colour."""
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    header = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 16, 3, 128, 0, 0, 0, 0)
    file = struct.pack("<2sIHHI", b"BM", 14 + 40 + 12 + 128, 0, 0, 66)
    (tmp_path / "a.bmp").write_bytes(file + header + masks + struct.pack("<H", 0xF800) * 64)
    assert everything(as_samples(tmp_path))[0, :, 4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("shape", "dtype", "reason"),
    [
        ((8, 8, 5), np.uint16, "5 channels of 16-bit numbers"),
        ((8, 8), np.float64, "1 channels of 64-bit floats"),
        ((8, 8, 4), np.float32, "4 channels of 32-bit floats"),
    ],
    ids=str,
)
def test_tiffs_that_cannot_be_read_say_why(tmp_path, shape, dtype, reason):
    root = folder_of(tmp_path, np.ones((1, *shape), dtype), write=write_tiff)
    with pytest.raises(
        ValueError, match=rf"is a TIFF of {reason}, which Pillow does not read: save the set as .npy"
    ):
        as_samples(root)


def test_deep_and_eight_bits_together(tmp_path):
    """One range for all deep files, and a line."""
    root = folder_of(tmp_path, rising(4000, np.uint16), ending="png")
    Image.fromarray(np.full((16, 16), 200, np.uint8)).save(root / "z.png")
    with pytest.warns(
        DataWarning, match=r"6 of 7 images are deeper than 8 bits.*levels 0 ... 4,095 of the deep"
    ):
        x = everything(as_samples(root))
    np.testing.assert_array_equal(x[:6, 0], np.rint(rising(4000, np.uint16) / 4095 * 255))
    assert (x[6] == 200).all()
    Image.fromarray(np.full((16, 16, 3), 100, np.uint8)).save(root / "z.png")
    with pytest.warns(DataWarning, match="6 of 7 images are deeper"):
        assert everything(as_samples(root)).shape == (7, 3, 16, 16)
    with pytest.raises(ValueError, match="must all have one depth; image 1 is L, image 0 I;16"):
        as_samples([Image.new("I;16", (8, 8)), Image.new("L", (8, 8))])


def test_levels_that_no_float_holds(tmp_path):
    images = np.array([[[0, 2**30], [1, 2]], [[0, 1], [2, 3]]], np.int32)
    with pytest.warns(
        DataWarning, match=r"1 of 2 images.*'000.tif' has levels 0 ... 1,073,741,824, which float32"
    ):
        assert len(as_samples(folder_of(tmp_path, images))) == 1
    (tmp_path / "nan").mkdir()
    with pytest.raises(ValueError, match="has no finite pixel"):
        as_samples(folder_of(tmp_path / "nan", np.full((1, 4, 4), np.nan, np.float32)))


@pytest.mark.parametrize(
    ("deep", "reason"),
    [
        (np.full((8, 8), 2**30, np.int32), "1,073,741,824, which float32 does not hold"),
        (np.full((8, 8), np.nan, np.float32), "has no finite pixel"),
    ],
)
def test_a_deep_image_among_bytes_that_cannot_be_used_says_why(tmp_path, deep, reason):
    for number in range(4):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
    Image.fromarray(deep).save(tmp_path / "deep.tif")
    with pytest.warns(DataWarning, match=f"1 of 5 images in .* 'deep.tif' .*{reason}"):
        samples = as_samples(tmp_path)
    assert samples.shape == (3, 8, 8)


def test_the_range_is_said_and_kept(tmp_path, caplog):
    root = folder_of(tmp_path, rising(4000, np.uint16))
    for data in (root, rising(4000, np.uint16)):
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="replearn"):
            samples = as_samples(data)
        lines = [record.getMessage() for record in caplog.records]
        assert [("0 ... 4,000" in line and "0 ... 4,095 become 0 ... 1" in line) for line in lines] == [True]
    again = description_from_json(describe(samples.subset([0, 1])).to_json())
    assert again.levels == (0.0, 4095.0)
    assert description_from_json(describe(as_samples(np.zeros((2, 4, 4), np.uint8))).to_json()).levels is None
    old = describe(samples).to_json()
    del old["levels"]
    assert description_from_json(old).levels == (0.0, 65535.0)  # as runs of before read them


ARRAYS = {
    "digits": (rising(16, np.int64), (0, 255), "0 ... 16, .*0 ... 255 become 0 ... 1; .*at most 16 of 255"),
    "masks": (rising(1, np.int32), (0, 255), "at most 1 of 255"),
    "bytes": (rising(255, np.int64), (0, 255), "0 ... 255 become 0 ... 1$"),
    "signed bytes": (rising(100, np.int8), (0, 255), "images of int8: .*0 ... 255 become 0 ... 1$"),
    "bits": (rising(4000, np.int32), (0, 4095), "0 ... 4,095 become 0 ... 1$"),
    "scans": (rising(3000, np.int16) - np.int16(1024), (-1024, 1976), "-1,024 ... 1,976 become 0 ... 1$"),
    "floats": (rising(255, np.float64).round(), (0, 255), "0 ... 255 become 0 ... 1$"),
    "metres": (rising(7.5, np.float32) + np.float32(0.5), (0.5, 8), "0.5 ... 8 become 0 ... 1$"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_any_numbers_are_read_as_files_of_them(tmp_path, caplog, name):
    images, (low, high), said = ARRAYS[name]
    expected = (images.astype(np.float32)[:, None] - low) / np.float32(high - low)
    np.save(tmp_path / "x.npy", images)
    for data in (images, torch.from_numpy(images), tmp_path / "x.npy", list(images)):
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="replearn"):
            x = everything(as_samples(data))
        assert x.dtype == np.float32
        np.testing.assert_allclose(x, expected, atol=1e-6)
        told = [record.getMessage() for record in caplog.records]
        (line,) = [each for each in told if "hold one number throughout" not in each]  # some masks do
        assert re.search(said, line)
    if images.dtype in (np.int32, np.float32):
        root = folder_of(tmp_path, images)
        np.testing.assert_array_equal(everything(as_samples(root)), x)


@pytest.mark.parametrize("kind", ["array", "list", "folder"])
@pytest.mark.parametrize(
    ("most", "lines"), [(1, ["at most 1 of 255"]), (16, ["at most 16 of 255"]), (40, [])]
)
def test_dark_bytes_stay_bytes_and_are_said(tmp_path, caplog, kind, most, lines):
    images = rising(most, np.uint8)
    data = {"array": images, "list": list(images), "folder": folder_of(tmp_path, images, ending="png")}[kind]
    with caplog.at_level(logging.INFO, logger="replearn"):
        x = everything(as_samples(data))
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(x[:, 0], images)
    said = [record.getMessage() for record in caplog.records if "dark" in record.getMessage()]
    assert len(said) == len(lines)
    assert all(line in one for line, one in zip(lines, said, strict=True))


def test_whole_numbers_of_a_long_list_are_one_range():
    """Items are put together 256 at a time; each part must be read alike."""
    images = [np.full((4, 4), 10)] * 300 + [np.full((4, 4), 1000)]
    assert everything(as_samples(images))[[0, 299, 300], 0, 0, 0] * 1023 == pytest.approx([10, 10, 1000])
    with pytest.raises(ValueError, match="must all have one type; image 1 holds float64, image 0 uint8"):
        as_samples([np.full((4, 4), 10, np.uint8), np.full((4, 4), 0.5)])


def test_resizing_keeps_the_range_of_floats():
    x = everything(as_samples(rising(255, np.float32, side=64), image_size=16))
    assert x.max() > 0.9
    assert len(np.unique(x)) > 600
