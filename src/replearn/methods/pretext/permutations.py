"""Orders of a few things that are far from each other, for puzzles whose answers must not be alike."""

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Int, Int8
from torch import Tensor

WHOLE = 9  # places of which all orders are looked at: 362,880
POOL = 100_000  # orders that are looked at of more places


def far_permutations(places: int, number: int, *, random_state: int = 0) -> Int[Tensor, "k p"]:
    """So many orders of `places` things, each as far as can be from those before it.

    The first one is drawn. Each later one is, among all orders, one whose smallest Hamming distance to those chosen is
    largest, and of these one whose mean distance is; what is left of ties is broken at random. Of more than 9 things
    not all orders are looked at, but 100,000 that are drawn.

    Raises:
        ValueError: there are not so many orders.

    References: Noroozi & Favaro, ECCV 2016, algorithm 1. https://arxiv.org/abs/1603.09246

    >>> first, second, third = far_permutations(3, 3)
    >>> [int((a != b).sum()) for a, b in ((first, second), (first, third), (second, third))]
    [3, 3, 3]
    """
    most = math.factorial(places)
    if not 1 <= number <= min(most, POOL):
        raise ValueError(
            f"permutations must be from 1 to {min(most, POOL):,}, of the {most:,} orders of {places} tiles; got "
            f"{number}. Choose fewer."
        )
    return torch.from_numpy(_chosen(places, number, random_state).astype(np.int64))


@lru_cache(maxsize=8)
def _chosen(places: int, number: int, random_state: int) -> Int8[np.ndarray, "k p"]:
    rng = np.random.default_rng(random_state)
    pool = _orders(places) if places <= WHOLE else rng.permuted(np.tile(np.arange(places), (POOL, 1)), axis=1)
    pool = pool[rng.permutation(len(pool))].astype(np.int8)
    nearest, total = np.full(len(pool), places), np.zeros(len(pool), int)
    found = [0]
    while len(found) < number:
        distance = (pool != pool[found[-1]]).sum(1)
        nearest, total = np.minimum(nearest, distance), total + distance
        found.append(int((nearest * (number * places + 1) + total).argmax()))
    return pool[found]


def _orders(places: int) -> Int8[np.ndarray, "k p"]:
    """All orders."""
    orders = np.zeros((1, 1), np.int8)
    for last in range(1, places):
        orders = np.concatenate([np.insert(orders, at, last, axis=1) for at in range(last + 1)])
    return orders
