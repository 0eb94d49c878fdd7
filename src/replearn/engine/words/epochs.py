"""The loop around word2vec's passes over texts: portions, threads, learning rate, losses.

    for each epoch:  for each portion of the texts:  each worker learns from its share
                     the loss of texts that are held out

Workers change the same tables without waiting for each other (Recht et al., "Hogwild", NeurIPS 2011): one worker gives
the same bits each time, several do not. https://arxiv.org/abs/1106.5730
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from replearn.engine.history import History
from replearn.engine.pace import Pace
from replearn.engine.words.corpus import LONELY, portions, shares, spans_of
from replearn.engine.words.draws import seed_state
from replearn.engine.words.lanes import table
from replearn.engine.words.passes import Keeping, Passes
from replearn.engine.words.predict import Setting, learn_words

PORTION = 2**18  # tokens per worker between two looks at the loss
LOWEST = 1e-4  # the learning rate ends there
VALIDATION = 2**31  # in the place of an epoch's number, for the generator


@dataclass(frozen=True)
class Plan:
    """How word vectors are learned.

    Attributes:
        epochs: passes over the texts.
        learning_rate: at the start; it falls linearly.
        workers: threads.
        held_out: share of the texts that only the validation loss is taken of.
        random_state: seed of all that is drawn.
    """

    epochs: int
    learning_rate: float
    workers: int
    held_out: float
    random_state: int


def learn_from_texts(
    ids: Int[np.ndarray, " t"],
    ends: Int[np.ndarray, " n"],
    inputs: Float[np.ndarray, "r d"],
    outputs: Float[np.ndarray, "m d"],
    setting: Setting,
    plan: Plan,
    keeping: Keeping = Keeping(),  # noqa: B008  # it does not change
) -> History:
    """Learn `inputs` and `outputs` from a stream of tokens.

    Returns:
        Rows with the mean loss per prediction since the row before; at the end of each epoch also with that of the
        whole epoch, `epoch_loss`, and that of the texts held out, `validation_loss`.

    Raises:
        ValueError: no word has a neighbour.
    """
    learn, held = _held_apart(spans_of(ends), plan)
    parts = portions(learn, PORTION * plan.workers)
    bench = Bench(ids, inputs, outputs, setting, plan)
    tables = {"inputs": inputs, "outputs": outputs}
    with (
        Passes(plan.epochs * len(parts), tables, keeping) as passes,
        ThreadPoolExecutor(plan.workers) as pool,
    ):
        for step in passes.left():
            epoch, number = divmod(step, len(parts))
            part, rates = parts[number], bench.rates(passes.pace)
            loss, count = bench.learn(part, rates, (epoch, number), pool)
            passes.count("epoch_loss", loss, count)
            named = {}
            if number == len(parts) - 1:
                named = passes.means()
                if not named:
                    raise ValueError(LONELY.replace(", or", ", set `sample` to 0, or"))
                named |= bench.validation(held)
            tokens = int((part[:, 1] - part[:, 0]).sum())
            passes.learned(loss / max(1, count), float(rates[1]), tokens, named)
    return passes.history


class Bench:
    """Tables, and the room that each worker needs to change them."""

    def __init__(
        self,
        ids: Int[np.ndarray, " t"],
        inputs: Float[np.ndarray, "r d"],
        outputs: Float[np.ndarray, "m d"],
        setting: Setting,
        plan: Plan,
    ) -> None:
        self.ids = np.asarray(ids).view()
        self.ids.flags.writeable = False  # as of a file: machine code is made for one case
        self.inputs, self.outputs, self.setting, self.plan = inputs, outputs, setting, plan
        neighbours = 2 * setting.window if setting.together else 1
        way = int(np.diff(setting.tree.starts).max(initial=0))
        self.widest = (
            neighbours * int(np.diff(setting.pieces.starts).max()),
            max(1 + setting.negatives, way),
        )
        self.room = [table(2, inputs.shape[1]) for _ in range(plan.workers)]
        self.share(np.zeros((0, 2), np.int64), np.zeros(2), (0,), 0)  # compile

    def rates(self, pace: Pace) -> Float[np.ndarray, " 2"]:
        """The learning rate before and after the next portion."""
        done = np.array([pace.share(pace.step), pace.share(pace.step + 1)])
        return self.plan.learning_rate - (self.plan.learning_rate - LOWEST) * done

    def learn(
        self,
        part: Int[np.ndarray, "s 2"],
        rates: Float[np.ndarray, " 2"],
        place: tuple[int, ...],
        pool: ThreadPoolExecutor,
    ) -> tuple[float, int]:
        """Learn from some spans, each worker from its share: the sum of losses, and the number of predictions."""
        own = shares(part, self.plan.workers)
        jobs = [pool.submit(self.share, spans, rates, place, worker) for worker, spans in enumerate(own)]
        found = [job.result() for job in jobs]
        return sum(loss for loss, _ in found), sum(count for _, count in found)

    def share(
        self,
        spans: Int[np.ndarray, "s 2"],
        rates: Float[np.ndarray, " 2"],
        place: tuple[int, ...],
        worker: int,
    ) -> tuple[float, int]:
        """What one worker does."""
        state = seed_state(self.plan.random_state, *place, worker)
        loss, predictions = learn_words(
            *(self.ids, np.ascontiguousarray(spans), self.inputs, self.outputs, self.setting, rates),
            *(self.room[worker], self.widest, state),
        )
        return float(loss), int(predictions)

    def validation(self, held: Int[np.ndarray, "s 2"]) -> dict[str, float]:
        """The mean loss of texts that were held out, with the same words dropped and drawn each time."""
        loss, predictions = self.share(held, np.zeros(2), (VALIDATION,), 0)
        return {"validation_loss": loss / predictions} if predictions else {}


def _held_apart(spans: Int[np.ndarray, "s 2"], plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """The spans to learn from, and those that are held out."""
    chosen = np.random.default_rng(plan.random_state).random(len(spans)) < plan.held_out
    if chosen.all():  # of one text, say
        chosen[:] = False
    return spans[~chosen], spans[chosen]
