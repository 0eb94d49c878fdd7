"""Samples that belong together: exact copies, found by a hash of their content, and members of one group."""

import hashlib

import numpy as np
from jaxtyping import Int, UInt64

from replearn.data.content import each_as_bytes
from replearn.data.progress import progress
from replearn.data.samples import Samples

SHOWN = 2**16  # samples whose hashing takes long enough to be shown as progress


def content_hashes(samples: Samples) -> UInt64[np.ndarray, " n"]:
    """A number per sample that equal ones share: of decoded pixels, of the numbers of a row, of a text.

    Two unlike samples share one with probability 2^-64. Memory is bounded: samples are fetched in parts.
    """
    hashes = np.empty(len(samples), dtype=np.uint64)
    with progress("looking for copies" if len(samples) >= SHOWN else "", len(samples)) as advance:
        for part in samples.parts():
            found = b"".join(
                hashlib.blake2b(row, digest_size=8).digest() for row in each_as_bytes(samples[part].x)
            )
            hashes[part] = np.frombuffer(found, dtype=np.uint64)
            advance(len(part))
    return hashes


def content_fingerprint(samples: Samples) -> str:
    """A short hash of every sample, label and name of a class: what scores are scores of.

    `Samples.fingerprint` looks at 4,096 samples at most, enough to tell one data set from another.
    """
    digest = hashlib.blake2b(
        repr((samples.kind, samples.shape, len(samples), samples.classes)).encode(), digest_size=8
    )
    digest.update(content_hashes(samples).tobytes())
    if samples.labels is not None:
        digest.update(np.asarray(samples.labels, dtype=np.int64).tobytes())
    return digest.hexdigest()


def copies(hashes: UInt64[np.ndarray, " n"]) -> int:
    """How many samples repeat one that came before."""
    return len(hashes) - len(np.unique(hashes))


def belonging(samples: Samples, hashes: UInt64[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """A number per sample, shared by copies and by members of a group, and by whatever these join; in order.

    A group without a name, `""`, joins nothing.
    """
    joined = np.unique(hashes, return_inverse=True)[1]
    if samples.groups is not None:
        joined = connected(joined, samples.groups)
    _, first, numbers = np.unique(joined, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[numbers]


def connected(units: Int[np.ndarray, " n"], groups: np.ndarray) -> Int[np.ndarray, " n"]:
    """Numbers of the parts that are connected by a unit or by a group; one without a name, `""`, connects nothing."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, numbers = np.unique(groups, return_inverse=True)
    named = groups != ""
    several, size = int(units.max()) + 1, int(numbers.max()) + 1
    # In 32 bits, which the search of older releases of scipy asks for, and doesn't say so aloud.
    edges = units[named].astype(np.int32), (numbers[named] + several).astype(np.int32)
    graph = coo_array((np.ones(named.sum(), dtype=np.int8), edges), shape=(several + size, several + size))
    found: np.ndarray = np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
    return np.asarray(found[units])
