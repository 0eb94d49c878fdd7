"""Skip-gram and CBOW: one pass over texts that predicts words from their neighbours, and learns by each prediction.

    tokens --some frequent ones dropped--> centre, window of 1 to `window` words on each side
    skip-gram: each neighbour --> centre;    CBOW: mean of all neighbours --> centre

References: Mikolov et al. 2013, https://arxiv.org/abs/1301.3781 and https://arxiv.org/abs/1310.4546
"""

from typing import Any, NamedTuple

import numpy as np

from replearn.engine.compiled import compiled, inlined
from replearn.engine.words.draws import Alias, below, bits, draw
from replearn.engine.words.lanes import add, dot, exchange, fetch
from replearn.engine.words.pieces import Pieces
from replearn.engine.words.tree import Tree

REACH, STEPS = 16.0, 64  # scores between -16 and 16 have their sigmoid from a table, 64 entries per unit
HIDDEN, WORK = 0, 1  # rows of the scratch table
LONGEST = 10_000  # tokens in a span at most: see `epochs.spans_of`


class Setting(NamedTuple):
    """What stays the same over a training.

    Attributes:
        window: words on each side at most.
        negatives: drawn for each prediction; 0: the tree's turns are predicted.
        together: whether all neighbours predict the centre at once, by their mean (CBOW), or one by one (skip-gram).
        kept: int64, by token: it is kept with this chance in parts of 2³²; 0 for tokens that are no words.
        pieces: rows of the input table, by token.
        noise: the distribution of negatives.
        tree: ways to all words.
        sigmoids: see `sigmoid_table`.
    """

    window: int
    negatives: int
    together: bool
    kept: np.ndarray
    pieces: Pieces
    noise: Alias
    tree: Tree
    sigmoids: np.ndarray


def sigmoid_table() -> np.ndarray:
    """float32: σ from -16 to 16, and one entry more; between entries it is interpolated (3e-6 off at most)."""
    return (1 / (1 + np.exp(-(np.arange(2 * REACH * STEPS + 2) / STEPS - REACH)))).astype(np.float32)


@inlined
def sigmoid(x: float, table: np.ndarray) -> Any:
    """`1 / (1 + exp(-x))`."""
    if not -REACH < x < REACH:
        return 1.0 / (1.0 + np.exp(-np.float64(x)))
    place = (x + np.float32(REACH)) * np.float32(STEPS)
    i = np.int64(place)
    return np.float64(table[i] + (place - np.float32(i)) * (table[i + 1] - table[i]))


@inlined
def choose_targets(
    word: int,
    setting: Setting,
    outputs: np.ndarray,
    targets: np.ndarray,
    labels: np.ndarray,
    at: int,
    state: np.ndarray,
) -> Any:
    """Write what is to be decided about a word from place `at` on: rows of `outputs`, and labels; how many.

    The rows are asked for, so that they are there when needed.
    """
    if setting.negatives == 0:
        start = setting.tree.starts[word]
        count = setting.tree.starts[word + 1] - start
        for t in range(count):
            targets[at + t], labels[at + t] = setting.tree.nodes[start + t], 1 - setting.tree.turns[start + t]
            fetch(outputs, targets[at + t])
        return count
    targets[at], labels[at], count = word, 1, 1
    fetch(outputs, word)
    for _ in range(setting.negatives):
        drawn = draw(state, setting.noise)
        if drawn != word:  # as in the authors' program: it is no noise
            targets[at + count], labels[at + count] = drawn, 0
            fetch(outputs, drawn)
            count += 1
    return count


@inlined
def predict(
    outputs: np.ndarray,
    targets: np.ndarray,
    labels: np.ndarray,
    at: int,
    count: int,
    scores: np.ndarray,
    rate: float,
    scratch: np.ndarray,
    sigmoids: np.ndarray,
) -> float:
    """Decide `count` targets, from place `at` on, by HIDDEN; change their outputs, and leave the change of it in WORK.

    Returns:
        The chance that all decisions had.
    """
    told = 1.0
    for t in range(count):
        scores[t] = dot(scratch, HIDDEN, outputs, targets[at + t])
    for t in range(count):
        sign = 2 * labels[at + t] - 1
        right = sigmoid(sign * scores[t], sigmoids)
        told *= right
        scores[t] = rate * sign * (1 - right)
    scratch[WORK] = 0
    for t in range(count):
        exchange(scores[t], scratch, HIDDEN, outputs, targets[at + t], scratch, WORK)
    return told


@inlined
def keep_words(ids: np.ndarray, kept: np.ndarray, words: np.ndarray, state: np.ndarray) -> int:
    """Write those tokens that are words, without some of the frequent ones; how many they are."""
    count = 0
    for i in range(len(ids)):
        chance = kept[ids[i]]
        if chance >= 2**32 or (chance > 0 and np.int64(bits(state)) < chance):
            words[count] = ids[i]
            count += 1
    return count


@compiled
def learn_words(
    ids: np.ndarray,
    spans: np.ndarray,
    inputs: np.ndarray,
    outputs: np.ndarray,
    setting: Setting,
    rates: np.ndarray,
    scratch: np.ndarray,
    widest: tuple[int, int],
    state: np.ndarray,
) -> tuple[float, int]:
    """One pass over the tokens in `spans`, with a learning rate that moves from `rates[0]` to `rates[1]`.

    The targets of all predictions in a window are drawn before the first, so that their rows are there when needed.

    Args:
        ids: tokens.
        spans: int64 `(s, 2)`: begin and end of stretches of text; windows do not reach beyond.
        inputs, outputs: the tables that are learned.
        setting: see there.
        rates: of learning; zeros: nothing is changed.
        scratch: a table of two rows.
        widest: the most rows that a prediction is made by, and the most targets that it has.
        state: of the generator.

    Returns:
        The sum of losses, and the number of predictions.
    """
    loss, predictions, done = 0.0, 0, 0
    total = max(1, (spans[:, 1] - spans[:, 0]).sum())
    pieces, sigmoids, together = setting.pieces, setting.sigmoids, setting.together
    words, rows = np.empty(LONGEST, np.int32), np.empty(widest[0], np.int64)
    size, width = 2 * setting.window, widest[1]
    targets, labels = np.empty(size * width, np.int64), np.empty(size * width, np.float32)
    counts, scores = np.empty(size, np.int64), np.empty(width, np.float32)
    for s in range(len(spans)):
        rate = np.float32(rates[0] + (rates[1] - rates[0]) * done / total)
        done += spans[s, 1] - spans[s, 0]
        length = keep_words(ids[spans[s, 0] : spans[s, 1]], setting.kept, words, state)
        for centre in range(length):
            reach = 1 + below(state, setting.window)
            first, last = max(0, centre - reach), min(length, centre + reach + 1)
            for q in range(min(1, last - first - 1) if together else last - first - 1):
                counts[q] = choose_targets(words[centre], setting, outputs, targets, labels, q * width, state)
            q = many = 0
            for other in range(first, last):
                if other != centre:
                    for place in range(pieces.starts[words[other]], pieces.starts[words[other] + 1]):
                        rows[many] = pieces.rows[place]
                        many += 1
                if many and (not together or other + 1 == last):
                    scratch[HIDDEN] = 0
                    for r in range(many):
                        add(np.float32(1 / many), inputs, rows[r], scratch, HIDDEN)
                    told = predict(
                        outputs, targets, labels, q * width, counts[q], scores, rate, scratch, sigmoids
                    )
                    for r in range(many):  # all alike, as in the authors' program
                        add(np.float32(1), scratch, WORK, inputs, rows[r])
                    loss -= np.log(told)
                    predictions, q, many = predictions + 1, q + 1, 0
    return loss, predictions
