"""GloVe's training: vectors whose dot products are logarithms of counts, by AdaGrad.

Each pair of words is seen from both sides: as word and context, and as context and word. The loops' steps are those of
`replearn.objectives.glove`. References: Pennington et al., EMNLP 2014. https://aclanthology.org/D14-1162
Duchi et al., JMLR 2011 (AdaGrad). https://jmlr.org/papers/v12/duchi11a.html
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from replearn.engine.compiled import compiled
from replearn.engine.history import History
from replearn.engine.words.cooccurrence import Pair
from replearn.engine.words.epochs import Plan
from replearn.engine.words.lanes import descend, dot, table
from replearn.engine.words.passes import Keeping, Passes

HELD_OUT = 2**32  # hashes of pairs lie below
WHOLE, NONE = np.float32(1), np.float32(0)  # of AdaGrad's steps


@dataclass(frozen=True)
class Counted:
    """The tables that GloVe learns, and AdaGrad's sums beside them.

    Attributes:
        words, contexts: vectors, one per token.
        biases: of words and of contexts.
        squares: sums of squared gradients, of words and of contexts.
        bias_squares: the same of biases.
    """

    words: Float[np.ndarray, "n d"]
    contexts: Float[np.ndarray, "n d"]
    biases: Float[np.ndarray, "2 n"]
    squares: tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]
    bias_squares: Float[np.ndarray, "2 n"]


def counted_tables(words: int, dim: int, first_rate: float, random: np.random.Generator) -> Counted:
    """Little vectors and biases, and AdaGrad's sums: its steps are g / √sum, of which the first are `first_rate` g.

    As in the authors' program, whose sums are of squared steps and not of squared gradients (decision 17).
    """
    vectors, squares = (tuple(table(words, dim) for _ in range(2)) for _ in range(2))
    for side in range(2):
        vectors[side][:, :dim] = (random.random((words, dim), dtype=np.float32) - 0.5) / dim
        squares[side][:] = 1 / first_rate**2
    biases = (random.random((2, words), dtype=np.float32) - 0.5) / dim
    return Counted(
        vectors[0], vectors[1], biases, (squares[0], squares[1]), np.full_like(biases, 1 / first_rate**2)
    )


def learn_from_counts(
    files: list[Path],
    tables: Counted,
    plan: Plan,
    *,
    most: float,
    power: float,
    keeping: Keeping = Keeping(),  # noqa: B008  # it does not change
) -> History:
    """Learn from pairs and counts, each pair once in an epoch, in a new order.

    Returns:
        Rows with the mean loss per pair since the row before; at the end of each epoch also with that of the whole
        epoch, `epoch_loss`, and that of the pairs held out, `validation_loss`.
    """
    weighing = (np.float64(most), np.float64(power))
    kept = vars(tables) | {f"squares_{side}": table for side, table in enumerate(tables.squares)}
    del kept["squares"]
    _step(tables, weighing, NONE, np.empty(0, Pair))  # compile
    with Passes(plan.epochs * len(files), kept, keeping) as passes, ThreadPoolExecutor(plan.workers) as pool:
        for step in passes.left():
            epoch, number = divmod(step, len(files))
            place = np.random.default_rng([plan.random_state, epoch]).permutation(len(files))[number]
            pairs = np.fromfile(files[place], Pair)
            held = _held(pairs, plan)
            own = np.random.default_rng([plan.random_state, epoch, number]).permutation(pairs[~held])
            shares = np.array_split(own, plan.workers)
            loss = sum(pool.map(partial(_step, tables, weighing, WHOLE), shares))
            passes.count("epoch_loss", loss, len(own))
            passes.count("validation_loss", _step(tables, weighing, NONE, pairs[held]), int(held.sum()))
            named = passes.means() if number == len(files) - 1 else {}
            passes.learned(loss / max(1, len(own)), plan.learning_rate, len(own), named)
    return passes.history


def _step(tables: Counted, weighing: tuple[Any, Any], rate: Any, pairs: np.ndarray) -> float:
    return float(_learn_pairs(pairs, *_arrays(tables), *weighing, rate))


def _arrays(tables: Counted) -> tuple[Any, ...]:
    return tables.words, tables.contexts, tables.biases, *tables.squares, tables.bias_squares


def _held(pairs: np.ndarray, plan: Plan) -> np.ndarray:
    """Which pairs are held out: by a hash, so the same in each epoch."""
    key = pairs["first"].astype(np.uint64) << np.uint64(32) | pairs["second"].astype(np.uint64)
    mixed = (key ^ np.uint64(plan.random_state)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(29)) * np.uint64(0xBF58476D1CE4E5B9)
    held: np.ndarray = mixed >> np.uint64(32) < np.uint64(plan.held_out * HELD_OUT)
    return held


@compiled
def _learn_pairs(
    pairs: np.ndarray,
    words: np.ndarray,
    contexts: np.ndarray,
    biases: np.ndarray,
    word_squares: np.ndarray,
    context_squares: np.ndarray,
    bias_squares: np.ndarray,
    most: float,
    power: float,
    rate: float,
) -> float:
    """A step for each pair, from both sides; the sum of the losses, each the mean of both sides. Rate 0: no step."""
    loss = 0.0
    for i in range(len(pairs)):
        count = np.float64(pairs[i]["count"])
        weight = 1.0 if count >= most else (count / most) ** power
        goal = np.log(count)
        for side in range(2):
            if side == 0:
                word, context = np.int64(pairs[i]["first"]), np.int64(pairs[i]["second"])
            else:
                word, context = np.int64(pairs[i]["second"]), np.int64(pairs[i]["first"])
            error = dot(words, word, contexts, context) + biases[0, word] + biases[1, context] - goal
            loss += weight * error * error / 2
            if rate == 0:
                continue
            g = np.float32(2 * weight * error)
            descend(g, rate, words, word, word_squares, contexts, context, context_squares)
            biases[0, word] -= rate * g / np.sqrt(bias_squares[0, word])
            biases[1, context] -= rate * g / np.sqrt(bias_squares[1, context])
            bias_squares[0, word] += g * g
            bias_squares[1, context] += g * g
    return loss
