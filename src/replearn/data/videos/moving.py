"""Clips that are made: things that bounce, with and without a direction of time, and digits that move.

    a thing, where it is at each frame --drawn on a ground--> frames (n, t, c, h, w), and where it is seen: masks

A thing flies under gravity and bounces, or slides along the floor. With loss, bounces and friction take energy, so
played backwards a clip shows what does not happen. Without loss, clips forwards and backwards are equally likely,
whatever is looked at: phases are drawn evenly, and the laws are the same both ways. What tells them apart there has
learned a fault of the drawing.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from replearn.data.videos.samples import VideoSamples
from replearn.data.videos.windows import Windows

ACTIONS = ("drop", "throw", "slide")
FORMS = ("disc", "square", "triangle")
BOUNCE = 0.7  # of its speed that a thing has after a bounce, with loss
DRAG, FRICTION = 0.05, 0.3  # of its speed that a thing in the air, and on the floor, loses in a frame
PERIOD = (4.0, 7.0)  # frames of the first flight
PART = 250  # clips that are drawn together
DIGIT = 14  # pixels a side


@dataclass(frozen=True)
class Moving:
    """Clips that were made.

    Attributes:
        frames: of one or three channels.
        masks: where the thing is.
        labels: which of the classes each clip is of.
        classes: their names.
        factors: numbers that each clip was made from, by name of the column.
    """

    frames: UInt8[np.ndarray, "n t c h w"]
    masks: Bool[np.ndarray, "n t h w"]
    labels: Int[np.ndarray, " n"]
    classes: tuple[str, ...]
    factors: dict[str, np.ndarray] = field(default_factory=dict)

    def samples(self) -> VideoSamples:
        """The clips as samples, without their masks."""
        n, t = self.frames.shape[:2]
        samples = VideoSamples(
            self.frames.reshape(n * t, *self.frames.shape[2:]),
            t * np.arange(n),
            Windows(t),
            labels=self.labels,
            classes=self.classes,
        )
        if self.factors:
            samples.factors = np.stack([*self.factors.values()], axis=1).astype(np.int64)
            samples.factor_names = tuple(self.factors)
        return samples


def bouncing(
    n: int = 1250, *, frames: int = 8, size: int = 32, loss: bool = True, random_state: int = 0
) -> Moving:
    """A disc, a square or a triangle that is dropped, thrown or slid over a floor between two walls.

    Args:
        n: clips.
        frames: of a clip.
        size: pixels a side.
        loss: whether bounces and friction take energy; without, no clip has a direction of time.
        random_state: seed.

    >>> made = bouncing(4, size=16)
    >>> made.frames.shape, made.masks.shape, made.classes
    ((4, 8, 3, 16, 16), (4, 8, 16, 16), ('drop', 'throw', 'slide'))
    """
    rng = np.random.default_rng(random_state)
    labels, form = rng.integers(3, size=n), rng.integers(3, size=n)
    radius = rng.uniform(0.1, 0.16, n)  # all lengths are shares of the side
    room = 1 - 2 * radius
    x, y = _ways(rng, labels, frames, loss)  # (n, t), in [0, 1] of the room
    across = radius[:, None] + x * room[:, None]
    down = 1 - radius[:, None] - y * room[:, None]
    ground, ink = _grounds(rng, n, size), _inks(rng, n)
    made = np.empty((n, frames, 3, size, size), np.uint8)
    masks = np.empty((n, frames, size, size), bool)
    for start in range(0, n, PART):
        part = slice(start, start + PART)
        cover = _covers(form[part], across[part], down[part], radius[part], size)[
            :, :, None
        ]  # (k, t, 1, h, w)
        mixed = ground[part, None] * (1 - cover) + ink[part, None, :, None, None] * cover
        made[part] = np.rint(255 * mixed)
        masks[part] = cover[:, :, 0] > 0.5
    return Moving(made, masks, labels, ACTIONS, {"action": labels, "form": form})


def _ways(
    rng: np.random.Generator, labels: Int[np.ndarray, " n"], frames: int, loss: bool
) -> tuple[Float[np.ndarray, "n t"], Float[np.ndarray, "n t"]]:
    """Where things are, from left to right and from the floor up, in [0, 1] of the room."""
    n, at = len(labels), np.arange(frames)
    slides = labels == ACTIONS.index("slide")
    speed = np.where(slides, rng.uniform(0.08, 0.25, n), rng.uniform(0.05, 0.12, n))
    speed = np.where(labels == ACTIONS.index("drop"), 0, speed) * rng.choice([-1, 1], n)
    slowed = np.where(slides, FRICTION, DRAG)[:, None]
    passed = (1 - np.exp(-slowed * at)) / slowed if loss else at + np.zeros((n, 1))
    x = rng.uniform(0, 2, n)[:, None] + speed[:, None] * passed
    x = np.abs((x % 2) - 1)  # walls throw it back
    high, period = rng.uniform(0.4, 0.95, n), rng.uniform(*PERIOD, n)
    gravity = 8 * high / period**2
    lift = gravity * period / 2  # with which it leaves the floor
    since = rng.uniform(0, 1, n)[:, None] * period[:, None] + at  # frames since then
    lift = np.repeat(lift[:, None], frames, axis=1)
    flight = 2 * lift / gravity[:, None]
    while (landed := since >= flight).any() and (flight > 1e-3).any():
        since = np.where(landed, since - flight, since)
        lift = np.where(landed, lift * (BOUNCE if loss else 1), lift)
        flight = np.where(landed, np.maximum(2 * lift / gravity[:, None], 1e-4), flight)
        still = flight <= 1e-3
        since = np.where(still, 0, since)
    y = lift * since - gravity[:, None] * since**2 / 2
    return x, np.where(slides[:, None], 0, y.clip(0, 1))


def _grounds(rng: np.random.Generator, n: int, size: int) -> Float[np.ndarray, "n 3 h w"]:
    """Smooth dark grounds that do not move."""
    at = np.linspace(0, 1, size)
    waves = rng.uniform(0, 2 * np.pi, (n, 3, 2)), rng.uniform(1, 7, (n, 3, 2))
    along = [np.sin(waves[1][..., axis, None] * at + waves[0][..., axis, None]) for axis in range(2)]
    ground: np.ndarray = 0.25 + 0.1 * along[0][..., :, None] + 0.1 * along[1][..., None, :]
    return ground.astype(np.float32)


def _inks(rng: np.random.Generator, n: int) -> Float[np.ndarray, "n 3"]:
    """Bright colours of all hues."""
    hue = rng.uniform(0, 1, n)[:, None] + np.array([0, 1 / 3, 2 / 3])
    inks: np.ndarray = (0.55 + 0.42 * np.cos(2 * np.pi * hue)).astype(np.float32)
    return inks


def _covers(
    form: Int[np.ndarray, " n"],
    across: Float[np.ndarray, "n t"],
    down: Float[np.ndarray, "n t"],
    radius: Float[np.ndarray, " n"],
    size: int,
) -> Float[np.ndarray, "n t h w"]:
    """How much of each pixel a thing covers."""
    at = (np.arange(size) + 0.5) / size
    u = ((at - across[..., None]) / radius[:, None, None]).astype(np.float32)[:, :, None, :]
    v = ((at - down[..., None]) / radius[:, None, None]).astype(np.float32)[:, :, :, None]
    apart = np.empty(np.broadcast_shapes(u.shape, v.shape), np.float32)
    for number, outline in enumerate((_disc, _square, _triangle)):
        apart[form == number] = outline(u[form == number], v[form == number])
    cover: np.ndarray = (0.5 - apart * (radius * size).astype(np.float32)[:, None, None, None]).clip(0, 1)
    return cover


def _disc(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Distance to a disc of radius 1, negative within."""
    found: np.ndarray = np.sqrt(u**2 + v**2) - 1
    return found


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.maximum(np.abs(u), np.abs(v)) - 0.9
    return found


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.maximum(v - 0.8, np.abs(u) * 0.87 - v * 0.5 - 0.45)
    return found


def moving_digits(
    images: UInt8[np.ndarray, "m 28 28"],
    labels: Int[np.ndarray, " m"],
    *,
    frames: int = 8,
    size: int = 32,
    random_state: int = 0,
) -> Moving:
    """Digits of half their size that move straight on and are thrown back by the edges; one clip of each.

    References: Srivastava, Mansimov & Salakhutdinov, ICML 2015, section 3.1 (of one digit in place of two).
        https://arxiv.org/abs/1502.04681
    """
    rng, n, room = np.random.default_rng(random_state), len(images), size - DIGIT
    small = images.reshape(n, DIGIT, 2, DIGIT, 2).mean((2, 4)).round().astype(np.uint8)
    speed = rng.uniform(1, 3.5, (n, 2)) * rng.choice([-1, 1], (n, 2))
    path = (
        rng.uniform(0, 2 * room, (n, 2))[:, None] + speed[:, None] * np.arange(frames)[:, None]
    )  # (n, t, 2)
    corner = np.abs((path % (2 * room)) - room).round().astype(np.int64)
    made = np.zeros((n, frames, 1, size, size), np.uint8)
    inside = np.arange(DIGIT)
    clip, frame = np.arange(n)[:, None, None, None], np.arange(frames)[None, :, None, None]
    rows = corner[:, :, 0, None, None] + inside[:, None]  # (n, t, d, 1)
    columns = corner[:, :, 1, None, None] + inside  # (n, t, 1, d)
    made[clip, frame, 0, rows, columns] = small[:, None]
    classes = tuple(str(digit) for digit in range(10))
    return Moving(made, made[:, :, 0] > 64, labels.astype(np.int64), classes)
