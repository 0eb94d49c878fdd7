"""A weak and a strong view of every kind, by every preset."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from made_clouds import made_clouds
from made_graphs import made_graphs, made_nodes
from made_texts import made_texts
from replearn.data import Batch, as_samples
from replearn.data.games import PLANES, BoardSamples
from replearn.data.graphs import Graphs, Nodes
from replearn.data.pairs import Together, member
from replearn.data.samples import ArraySamples, Samples
from replearn.data.targets import Targets
from replearn.data.text import TextSamples
from replearn.views import Flip, Pair, RandAugment, Same, default_views, split_to_json, view_from_json
from replearn.views.choose import make_views
from replearn.views.kinds import OWN


def images(channels: int) -> Samples:
    waves = np.random.default_rng(0).uniform(0, 2, (3, 20, channels, 1, 1))
    places = np.linspace(0, 2, 16)
    smooth = 0.5 + 0.5 * np.sin(waves[0] * places + waves[1] * places[:, None] + 3 * waves[2])
    return ArraySamples((255 * smooth).astype(np.uint8))


def waves(fastest: float, kind: str) -> Samples:
    speed, size = np.random.default_rng(0).uniform(0.2, 0.9, (2, 20, 1, 1))
    return as_samples((size * np.sin(fastest * speed * np.arange(800))).astype(np.float32), kind=kind)


def boards(channels: int) -> Samples:
    """Positions of chess, or with one channel of Go."""
    game, side = ("go", 9) if channels == 1 else ("chess", 8)
    bits = np.random.default_rng(0).integers(
        0, 256, (20, len(PLANES[game]), side, -(-side // 8)), dtype=np.uint8
    )
    told = Targets(("x",), (None,), np.zeros((20, 1)))
    names = [f"game {i}" for i in range(20)]
    return BoardSamples(
        bits,
        game=game,
        side=side,
        results=np.zeros(20, int),
        groups=np.array(names),
        names=names,
        targets=told,
    )


def samples_of(kind: str, channels: int = 3) -> Samples:
    made: dict[str, Callable[[], Samples]] = {
        "image": lambda: images(channels),
        "board": lambda: boards(channels),
        "text": lambda: TextSamples(made_texts(20)),
        "sequence": lambda: as_samples(["ACGTTGCANN" * 6] * 20, kind="sequence:alphabet=dna"),
        "pairs": lambda: as_samples({"image": images(channels), "text": made_texts(20)}),
        "graph": lambda: made_graphs(20),
        "node": lambda: made_nodes(20),
        "volume": lambda: as_samples(
            np.random.default_rng(0).random((20, channels, 8, 9, 10)), kind="volume"
        ),
        "points": lambda: as_samples(made_clouds(20), kind="points"),
        "series": lambda: waves(0.02, "series"),
        "sound": lambda: waves(1.0, "sound:rate=8000"),
        "table": lambda: ArraySamples(np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)),
    }
    return made[kind]()


OF_OTHERS = {"table", "sound"}  # whose strong view takes from other rows of a batch
CASES = [(kind, preset) for kind, room in OWN.items() for preset in room.presets]


@pytest.mark.parametrize(("kind", "preset"), CASES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_preset_has_a_weak_and_a_strong_view(kind: str, preset: str, channels: int) -> None:
    samples = samples_of(kind, channels)
    split = make_views(preset, samples, "weak_strong")
    batch = samples[np.arange(20)]
    torch.manual_seed(0)
    weak, strong = split(batch)
    assert isinstance(split, Pair)
    assert distance(strong, batch) > distance(weak, batch) >= 0
    assert view_from_json(split_to_json(split)) == split
    torch.manual_seed(0)
    part = split(batch.rows(3, 9)) if kind not in OF_OTHERS else None
    for own, whole in zip(part or (), (weak, strong), strict=part is not None):
        assert distance(own, whole.rows(3, 9)) < 1e-5


def distance(a: Batch, b: Batch) -> float:
    """How much two views of the same samples differ, of which one may be flipped."""
    if isinstance(a.x, Together):
        return sum(distance(member(a, name), member(b, name)) for name in a.x.members)
    if isinstance(a.x, tuple):
        return float(np.mean([one != other for one, other in zip(a.x, b.x, strict=True)]))
    if isinstance(a.x, Graphs):
        return float(np.mean([one != other for one, other in zip(a.x.each(), b.x.each(), strict=True)]))
    if isinstance(a.x, Nodes):
        return float((a.x.nodes - b.x.nodes).abs().mean())
    one, other = a.floats().x, b.floats().x
    apart = [(one - seen).abs().flatten(1).mean(1) for seen in (other, other.flip(-1))]
    return float((torch.minimum(*apart) if one.ndim == 4 else apart[0]).mean())


def test_what_they_hold() -> None:
    for preset, flipped in (("photo", True), ("grey", True), ("directed", False), ("drawing", False)):
        weak, strong = whole(preset)
        assert (Flip in [type(view) for view in weak]) == flipped
        assert (RandAugment in [type(view) for view in strong]) == (preset != "drawing")


def whole(preset: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    split = make_views(preset, samples_of("image"), "weak_strong")
    assert isinstance(split, Pair)
    return split.view.views, split.other.views  # type: ignore[attr-defined, union-attr]


def test_samples_without_places_are_shown_as_they_are() -> None:
    for kind in ("table", "text"):
        split = default_views(samples_of(kind), "weak_strong")
        assert isinstance(split, Pair)
        assert split.view == Same()
