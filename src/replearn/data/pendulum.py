"""A pendulum that a motor swings up and holds, as a robot's sensors and a camera tell of it.

    start --controller, kicks--> torque --Runge, Kutta--> angle, velocity --windows--> states (4, t), frames (2, h, w)

A weight of 1 kg hangs on a rod of 1 m without mass, under gravity of 9.81 m/s². The motor gives at most 4 N m, too
little to lift it, so the controller swings it to and fro until it has the energy of standing upright, and holds it
there. The angle is 0 upright and grows clockwise, in rad; the velocity is in rad/s; a row is 1/20 s.

Reference: Åström and Furuta, Swinging up a pendulum by energy control, Automatica 36, 2000, equation 6.
https://doi.org/10.1016/S0005-1098(99)00140-5
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Int, UInt8

from replearn.data.samples import ArraySamples, Samples
from replearn.data.series import SeriesSamples
from replearn.data.targets import Targets

SECONDS = 0.05  # of a row
GRAVITY = 9.81  # m/s²; of 1 kg on 1 m it is also the largest torque of the weight, in N m
FRICTION = 0.05  # N m s
MOST = 4.0  # N m of the motor
PUMP = 0.3  # N m for each J that is missing and rad/s of velocity
HOLD = (20.0, 6.0)  # N m for each rad, and for each rad/s
NEAR = 0.5  # rad from upright, within which the controller may hold
KEPT = 0.8  # of a kick, a row later
APART = 2  # rows between the two frames
LENGTH, THICK = 0.42, 0.06  # of the rod in a picture, and half of its width, as shares of the side
CHANNELS = ("cos", "sin", "velocity", "torque")
WAYS = ("up", "right", "down", "left")

Moments = Float[np.ndarray, " *n"]
Of = TypeVar("Of", bound=Samples)


@dataclass(frozen=True)
class Swings:
    """Trajectories of the pendulum, a row every 1/20 s.

    Attributes:
        angle, velocity: in rad and rad/s.
        torque: the motor's, in N m, that led to each row; 0 in the first.
        chosen: what the controller asks for in each row, without kicks: what a clone of it is to learn.
    """

    angle: Float[np.ndarray, "n t"]
    velocity: Float[np.ndarray, "n t"]
    torque: Float[np.ndarray, "n t"]
    chosen: Float[np.ndarray, "n t"]

    def states(self, *, window: int = 16, stride: int = 4) -> SeriesSamples:
        """Windows of cosine and sine of the angle, velocity, and torque that led to each row.

        Labels, targets (cosine, sine, velocity, and the torque that the controller chooses next) are those of a
        window's last row; trajectories are groups.

        Raises:
            ValueError: trajectories are shorter than a window.
        """
        of, last = self._moments(window, stride)
        rows = last[:, None] + np.arange(1 - window, 1)  # (m, window)
        told = np.stack([np.cos(self.angle), np.sin(self.angle), self.velocity, self.torque], axis=1)
        windows = told[of[:, None], :, rows].transpose(0, 2, 1)  # (m, 4, window)
        samples = SeriesSamples(
            np.ascontiguousarray(windows, dtype=np.float32), channels=CHANNELS, stride=stride
        )
        return self._told(samples, of, last)

    def frames(self, *, window: int = 16, stride: int = 4, size: int = 32) -> ArraySamples:
        """Two pictures as channels, a tenth of a second apart, at the same moments as the last rows of `states`.

        Raises:
            ValueError: trajectories are shorter than a window, or a window is too short for two frames.
        """
        if window <= APART:
            raise ValueError(f"window must hold two frames, at least {APART + 1} rows; got {window}.")
        of, last = self._moments(window, stride)
        seen = np.stack([self.angle[of, last - APART], self.angle[of, last]], axis=1)  # (m, 2)
        return self._told(ArraySamples(drawn(seen, size)), of, last)

    def _moments(self, window: int, stride: int) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
        """The trajectory and the last row of each window."""
        n, rows = self.angle.shape
        if not 1 <= window <= rows or stride < 1:
            raise ValueError(
                f"window must lie between 1 and the {rows} rows of a trajectory, stride be at least 1; got {window} "
                f"and {stride}. Ask for more rows."
            )
        last = np.arange(window - 1, rows, stride)
        return np.repeat(np.arange(n), len(last)), np.tile(last, n)

    def _told(self, samples: Of, of: Int[np.ndarray, " m"], last: Int[np.ndarray, " m"]) -> Of:
        """The samples with what is known of their moments."""
        angle, velocity = self.angle[of, last], self.velocity[of, last]
        values = np.stack([np.cos(angle), np.sin(angle), velocity, self.chosen[of, last]], axis=1)
        samples.targets = Targets(CHANNELS, (None,) * len(CHANNELS), values)
        samples.labels, samples.classes = np.round(angle / (np.pi / 2)).astype(np.int64) % 4, WAYS
        samples.groups = np.array([f"trajectory {number}" for number in of])
        samples.names = [f"trajectory {number}, row {row}" for number, row in zip(of, last, strict=True)]
        return samples


def pendulum(*, n: int = 150, rows: int = 80, noise: float = 2.0, random_state: int = 0) -> Swings:
    """Demonstrations: trajectories from random starts, by the controller and by kicks that lead off its way.

    Args:
        n: trajectories.
        rows: of a trajectory, 20 a second.
        noise: deviation of the kicks, in N m; they fade within a quarter of a second. Without them a clone never sees
            how the controller mends what went wrong (Laskey et al., 2017, https://arxiv.org/abs/1703.09327).
        random_state: of starts and kicks; with the same, everything is the same.

    Raises:
        ValueError: there is no trajectory or no row, or the noise is negative or not finite.

    >>> swings = pendulum(n=2, rows=40)
    >>> swings.angle.shape, swings.states().shape, swings.frames(size=24).shape
    ((2, 40), (4, 16), (2, 24, 24))
    """
    if n < 1 or rows < 1:
        raise ValueError(f"n and rows must be at least 1; got {n} and {rows}.")
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise must be a number of at least 0, in N m; got {noise}.")
    angle, velocity, fresh = random_starts(n, rows, random_state)
    kicks = np.zeros((n, rows))
    for row in range(1, rows):
        kicks[:, row] = KEPT * kicks[:, row - 1] + np.sqrt(1 - KEPT**2) * noise * fresh[:, row]
    return simulate(
        angle, velocity, lambda so_far: controller(so_far.angle[:, -1], so_far.velocity[:, -1]), kicks
    )


def random_starts(
    n: int, rows: int, random_state: int
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Float[np.ndarray, "n t"]]:
    """Any angle, velocities up to 4 rad/s either way, and standard normal numbers for each row.

    The first trajectories are the same however many there are.
    """
    draws = [np.random.default_rng([random_state, number]) for number in range(n)]
    starts = np.array([draw.uniform([-np.pi, -4], [np.pi, 4]) for draw in draws])
    return starts[:, 0], starts[:, 1], np.stack([draw.normal(size=rows) for draw in draws])


def simulate(
    angle: Float[np.ndarray, " n"],
    velocity: Float[np.ndarray, " n"],
    policy: Callable[[Swings], Float[np.ndarray, " n"]],
    kicks: Float[np.ndarray, "n t"],
) -> Swings:
    """What a policy does with the pendulum from some starts.

    Args:
        angle, velocity: of the starts.
        policy: the torques that it chooses, by all rows so far, the last of which is now; `chosen` holds the earlier
            ones, and 0 now.
        kicks: added to what is chosen before the motor's limit, in N m; their rows are those of the trajectories.
    """
    so_far = np.zeros((4, *kicks.shape))
    for row in range(kicks.shape[1]):
        if row:
            torque = np.clip(so_far[3, :, row - 1] + kicks[:, row], -MOST, MOST)
            angle, velocity = ahead(angle, velocity, torque)
            so_far[2, :, row] = torque
        so_far[0, :, row], so_far[1, :, row] = angle, velocity
        so_far[3, :, row] = np.clip(policy(Swings(*so_far[:, :, : row + 1])), -MOST, MOST)
    return Swings(*so_far)


def controller(angle: Moments, velocity: Moments) -> Moments:
    """Torques, in N m: near upright those that pull it there, elsewhere those that bring its energy there.

    By dE/dt = torque · velocity, a torque of -PUMP · E · velocity brings E, which is 0 upright and at rest, to 0.
    """
    off = (angle + np.pi) % (2 * np.pi) - np.pi
    hold = -(HOLD[0] * off + HOLD[1] * velocity)
    near = (np.abs(off) < NEAR) & (np.abs(hold) < 2 * MOST)
    found: Moments = np.clip(np.where(near, hold, -PUMP * energy(angle, velocity) * velocity), -MOST, MOST)
    return found


def energy(angle: Moments, velocity: Moments) -> Moments:
    """In J: 0 upright and at rest."""
    found: Moments = velocity**2 / 2 + GRAVITY * (np.cos(angle) - 1)
    return found


def ahead(angle: Moments, velocity: Moments, torque: Moments) -> tuple[Moments, Moments]:
    """Angle and velocity a row later, under a torque that stays: one step of Runge and Kutta's fourth order."""

    def slope(state: np.ndarray) -> np.ndarray:
        return np.stack([state[1], GRAVITY * np.sin(state[0]) + torque - FRICTION * state[1]])

    state = np.stack([angle, velocity])
    a = slope(state)
    b = slope(state + SECONDS / 2 * a)
    c = slope(state + SECONDS / 2 * b)
    d = slope(state + SECONDS * c)
    angle, velocity = state + SECONDS / 6 * (a + 2 * b + 2 * c + d)
    return angle, velocity


def drawn(angle: Float[np.ndarray, "n c"], size: int) -> UInt8[np.ndarray, "n c h w"]:
    """A white rod on black for each angle, its pivot in the middle; a pixel is nearly as white as its share in it.

    Raises:
        ValueError: a size under 8 pixels.
    """
    if size < 8:
        raise ValueError(f"size must be at least 8 pixels, to show a rod; got {size}.")
    off = (np.arange(size, dtype=np.float32) + 0.5 - size / 2)[None, None]  # of pixels from the middle
    cos, sin = (part(angle).astype(np.float32)[..., None, None] for part in (np.cos, np.sin))
    right, up = off[..., None, :], -off[..., None]
    along = (right * sin + up * cos).clip(0, LENGTH * size)  # (n, c, h, w)
    distance = np.hypot(right - along * sin, up - along * cos)
    white: np.ndarray = np.round(255 * (THICK * size + 0.5 - distance).clip(0, 1))
    return white.astype(np.uint8)
