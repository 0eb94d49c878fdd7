"""Arrays on disk: the right rows, and flat memory."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from replearn.data import as_samples
from replearn.data.stored import StoredRows, open_rows, stored_rows

rng = np.random.default_rng(0)


def save(path, array):
    np.save(path, array)
    return np.load(path, mmap_mode="r")


@pytest.mark.parametrize(
    "index",
    [
        [3],
        [0, 1, 2, 3],
        [5, 3, 9, 3],
        [9, 0, 1, 2, 7, 8, 4],
        [-1, 0],
        list(range(10)),
        [],
    ],
)
def test_rows(tmp_path, index):
    array = rng.integers(0, 256, (10, 3, 4), dtype=np.uint8)
    rows = stored_rows(save(tmp_path / "a.npy", array))
    np.testing.assert_array_equal(rows[np.array(index, dtype=int)], array[index])


@pytest.mark.parametrize("index", [[10], [-11], [0, 99]])
def test_positions_out_of_range(tmp_path, index):
    rows = stored_rows(save(tmp_path / "a.npy", np.zeros((10, 3), np.uint8)))
    with pytest.raises(IndexError, match="positions must lie in"):
        rows[np.array(index)]


def test_slices_of_a_map_are_found_in_the_file(tmp_path):
    array = rng.normal(size=(5000, 7)).astype(np.float32)
    mapped = save(tmp_path / "a.npy", array)
    rows = stored_rows(mapped[1234:][5:2000])
    np.testing.assert_array_equal(rows[np.arange(len(rows))], array[1239:3234])
    assert stored_rows(mapped[::2]) is None
    assert stored_rows(mapped[:, 1:]) is None
    assert stored_rows(np.load(tmp_path / "a.npy", mmap_mode="c")) is None


@pytest.mark.parametrize("shape", [(9, 4, 4), (9, 3, 4, 6), (9, 4, 6, 3), (9, 5)])
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_maps_equal_arrays(tmp_path, shape, kind):
    array = rng.integers(0, 2, shape).astype(kind)
    mapped = as_samples(save(tmp_path / "a.npy", array))
    assert isinstance(mapped.x, StoredRows) == (kind == "float32" or (kind == "uint8" and len(shape) > 2))
    in_memory = as_samples(array)
    assert mapped.fingerprint() == in_memory.fingerprint() == as_samples(tmp_path / "a.npy").fingerprint()
    np.testing.assert_array_equal(mapped.flat(), in_memory.flat())
    again = pickle.loads(pickle.dumps(mapped))
    np.testing.assert_array_equal(again[np.array([8, 0])].x, in_memory[np.array([8, 0])].x)


def test_maps_are_checked(tmp_path):
    array = np.zeros((9, 1, 4, 4), np.float32)
    array[7, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="first: image 7"):
        as_samples(save(tmp_path / "a.npy", array))
    array[7, 0, 0, 0] = 3
    assert as_samples(save(tmp_path / "b.npy", array)).levels == as_samples(array).levels


def test_file_cut_short(tmp_path):
    save(tmp_path / "a.npy", np.zeros((10, 3), np.float32))
    rows = open_rows(tmp_path / "a.npy")
    with open(tmp_path / "a.npy", "r+b") as file:
        file.truncate(200)
    with pytest.raises(ValueError, match="ends early"):
        rows[np.array([9])]


MEMORY = """
import sys
import numpy as np
from replearn.data import as_samples

draw = np.random.default_rng(0)
for path in sys.argv[1:]:
    samples = as_samples(path)
    samples.fingerprint(), samples.statistics
    for _ in range(40):
        samples[draw.integers(0, len(samples), 256)]
    for start in range(0, len(samples), 1024):
        samples[np.arange(start, min(start + 1024, len(samples)))]
    # Not getrusage: a process inherits the peak of the one that started it.
    print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="measured by /proc")
def test_memory_is_flat(tmp_path):
    """From 8 MB to 118 MB of images, the peak grows by less than a tenth."""
    counts = (10_000, 150_000)
    for n in counts:
        images = np.lib.format.open_memmap(tmp_path / f"{n}.npy", "w+", np.uint8, (n, 28, 28))
        images[:] = 1
        del images
    command = [sys.executable, "-c", MEMORY, *(str(tmp_path / f"{n}.npy") for n in counts)]
    first, second = map(int, subprocess.run(command, capture_output=True, check=True).stdout.split())
    assert second < 1.1 * first


@pytest.mark.parametrize("shape", [(50, 3), (50, 2, 3, 4)])
def test_statistics_are_those_of_all_values(shape):
    array = rng.random(shape, dtype=np.float32) * np.float32(0.1) + np.float32(0.8)
    samples = as_samples(array)
    samples._parts = lambda index: np.array_split(index, 7)
    mean, std = samples.statistics
    axes = (0, 2, 3) if len(shape) == 4 else 0
    np.testing.assert_allclose(mean, array.mean(axes), rtol=1e-5)
    np.testing.assert_allclose(std, array.std(axes), rtol=1e-4)
