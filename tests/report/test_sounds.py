"""Sounds of a report are played from the page itself."""

import base64
import io
import re
import wave
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from replearn.comparison import Comparison, Representation
from replearn.data.sound import SoundSamples
from replearn.report.kinds import LOOKS
from replearn.report.kinds.sound import PLAYED
from replearn.report.page import render


def tones(n: int, length: int = 400, *, rate: int = 8000) -> SoundSamples:
    x = np.sin(np.arange(length) * np.linspace(0.1, 1, n)[:, None]).astype(np.float32)
    return SoundSamples(x, np.arange(n) % 2, rate=rate, classes=["low", '"><script>'])


def as_heard(uri: str) -> tuple[int, np.ndarray]:
    with wave.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2])), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), np.frombuffer(file.readframes(-1), "<i2") / 32_767


def test_queries_and_their_nearest_neighbours_are_played(
    make_comparison: Callable[..., Comparison],
) -> None:
    made = make_comparison(classes=("low", "high"), n=24)
    rows = [Representation(row.name, row.train, row.test) for row in made.rows]
    made = replace(made, train=tones(24), test=tones(24), rows=rows)
    text = render(made, title="sounds")
    assert "media-src data:" in text
    assert "<script>&#34;" not in text
    found = re.findall(r'<audio controls preload="none" src="([^"]+)" aria-label="([^"]+)">', text)
    assert len(found) == text.count("<audio") == 8 + 8 * len(made.rows)
    rate, heard = as_heard(found[0][0])
    assert rate == 8000
    assert np.abs(heard - made.test.flat()).max(1).min() < 1e-4
    assert found[0][1].startswith("low (no. ")


def test_images_have_no_players(make_comparison: Callable[..., Comparison]) -> None:
    assert "<audio" not in render(make_comparison(), title="images")


def test_of_long_sounds_the_beginning_is_played() -> None:
    samples = tones(2, PLAYED + 5000, rate=44_100)
    heard = LOOKS["sound"].heard(samples, 1)
    assert len(heard) == 44 + 2 * PLAYED
    assert as_heard("base64," + base64.b64encode(heard).decode())[0] == 44_100
