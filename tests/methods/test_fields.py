"""Every field of every method does something, or is refused or told of in one line."""

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest

import replearn
from made_clips import made_clips
from made_colours import in_colour, needs_colour
from made_graphs import made_graphs
from made_methods import labelled_for
from made_texts import made_texts
from older_torch import skip_without_short_lstm
from replearn.data import Samples
from replearn.methods import CLIP, Model, SimCSE, registry
from replearn.methods.labelled.many_answers import ManyAnswers
from replearn.methods.needs import kinds_served
from replearn.transfer import FineTune
from replearn.views import Crop, GreyOf, Hidden, MultiCrop, Pair, Rotations, Same, Span, Tiles
from replearn.views.directions import Directions
from replearn.views.members import Apart
from replearn.views.tracked import Tracked
from replearn.views.tuples import FrameTuples

# Why a field need not change anything, by name.
EXEMPT = {
    "device": "where numbers are computed, not which; there is one device here",
    "workers": "how many threads share the work",
    "checkpoint_minutes": "how often a run is kept: tests/engine/test_resume.py",
    "compile": "speed; tests/engine/test_options.py compiles every method",
    "fsdp": "where parameters lie: tests/engine/test_fsdp.py",
    "slice_size": "memory; tests/engine/test_options.py slices every method",
}
EXEMPT_OF = {("NGram", "random_state"): "counts are not drawn; it is there since all methods have one"}
# Of a method in a few steps, where it has such fields.
SMALL: dict[str, Any] = {
    "epochs": 1, "batch_size": 8, "dim": 4, "hidden": 8, "window": 6, "length": 8, "vocabulary": 400, "least": 1,
    "prototypes": 8, "queue": 4, "drawn": 400, "words": 4, "atoms": 4, "side": 4, "chains": 8, "device": "cpu",
    "bottleneck": 4, "warmup": 0.5, "way": 2, "shots": 1, "queries": 1,
}  # fmt: skip
SMALL_OF = {
    "Distill": {"teacher": "mlp"},
    "ColourTracking": {"stride": 4},  # of which 3 takes another map
    "FixMatch": {"threshold": 0.1},  # of which nothing is sure in the first steps
    "PseudoLabel": {"epochs": 4, "start": 0.0},  # guesses weigh nothing in the first steps
    "Reptile": {
        "shots": 3,
        "inner_steps": 2,
        "batch_size": 9,
    },  # whose steps are at most as many as its shots
    "ImageGPT": {"side": 5},  # twelve pixels become four by it, and two by one more
    "UDA": {"threshold": 0.1},  # of which nothing is sure in the first steps
    "TextVAE": {"epochs": 2},  # the KL term weighs nothing in the first steps
}
# Another legal value, by name of a field, where twice, half or the opposite of the default is none.
OTHERS: dict[str, Any] = {
    "accumulate": 2, "annealing": "none", "cell": 2, "classes": 5,
    "code": "one-hot", "decoder": "linear", "draws": 2, "drawn": 40, "estimator": "score",
    "encoder_rate": 0.5, "least_steps": 30,
    "free_nats": 50.0, "fresh_layers": 1, "frozen": 0.9, "held_out": 0.5, "layer": 1, "learner": "pca", "least": 7,
    "length": 6, "likelihood": "gaussian", "max_minutes": 1e-9, "model": "cbow", "negatives": 2, "optimizer": "sgd",
    "pairs": "apart", "penalty": "l1", "pooling": "first", "precision": "bf16-mixed", "random_state": 1, "rise": 0.9,
    "sample": 0.01, "share": 0.5, "sharpening": 0.9, "steps": 1, "stride": 3, "subwords": 50, "task": "regress",
    "trained": "frozen", "validation": 0.25, "variance": 0.3, "views": Pair(Same(), Same()),
    "weight_decay": 0.5, "weighting": "uncertainty", "tasks": ("part",), "numbers": ("label",), "colours": 4,
    "objective": "masked", "mu": 1, "threshold": 0.99, "locked": ("image",), "pairing": "sigmoid",
    "methods": ("patchcodes", "bagofvisualwords"), "distance": "cosine",
}  # fmt: skip
# Of methods that ask for more than views.
OTHER_SPLITS = {
    "cut": MultiCrop(Same(), Same(), 0, 1),
    "directions": Directions(bars=False),
    "frame_order": FrameTuples(),
    "grey_of": GreyOf(Same()),
    "hidden": Hidden("centre"),
    "rotations": Rotations(Same()),
    "plain": Pair(Crop(0.5, 1)),
    "tiles": Tiles(3, 0.9),
    "tracked": Tracked(2),
    "weak_strong": Pair(Same(), Same()),
}
VOCABULARIES = {"bpe": 270, "wordpiece": 40}  # which must have all letters; less is little for words
TOKENIZERS = {"bpe": "words", "wordpiece": "words", "words": "bpe"}
MAPPED = ("grey_of", "hidden")  # splits of methods that ask for an encoder with a map
ENCODERS = {
    "words": "lstm", "cnn": "mlp", "bert_tiny": "lstm", "gpt_tiny": "lstm", "lstm": "gpt_tiny",
    "vit": "vit_tiny_patch16_224", "gin": "gcn", "image=cnn,text=words": "image=mlp,text=words",
}  # fmt: skip
# Where a field does something, if not where all others have their defaults (it is refused there).
NEEDS: dict[tuple[str, str], dict[str, Any]] = {
    ("Autoencoder", "tied"): {"encoder": "mlp"},
    ("ContextEncoder", "discriminator_rate"): {"adversarial": 0.001},
    ("BetaTCVAE", "variance"): {"likelihood": "gaussian"},
    ("BetaVAE", "rise"): {"capacity": 5.0},
    ("BetaVAE", "variance"): {"likelihood": "gaussian"},
    ("ContractiveAutoencoder", "projections"): {"encoder": "mlp"},
    ("Distill", "hidden"): {"depth": 2},
    ("Distill", "temperature"): {"distance": "similarities"},
    ("DINO", "sharpening"): {"first_temperature": 0.02},
    ("IBOT", "sharpening"): {"first_temperature": 0.02},
    ("FactorVAE", "variance"): {"likelihood": "gaussian"},
    ("FineTune", "least_steps"): {"epochs": None},
    ("FineTune", "length"): {"encoder": "words"},
    ("FineTune", "pairs"): {"encoder": "bert_tiny", "task": "pair"},
    ("FineTune", "patience"): {"validation": 0.25, "patience": 1, "epochs": 9, "learning_rate": 1e-9},
    ("FineTune", "pooling"): {"encoder": "words"},
    ("ImageGPT", "share"): {"objective": "masked"},
    ("S4L", "epsilon"): {"divergence": 1.0},
    ("S4L", "iterations"): {"divergence": 1.0},
    ("S4L", "xi"): {"divergence": 1.0},
    ("SimCSE", "hidden"): {"depth": 2},
    ("MultiTask", "variance_rate"): {"weighting": "uncertainty"},
    ("VAE", "baseline"): {"estimator": "score", "draws": 2},
    ("VAE", "variance"): {"likelihood": "gaussian"},
}
# Where a field does nothing, beside those settings in which all others have their defaults.
IDLE: list[tuple[str, dict[str, Any], str]] = [
    ("AlignUniform", {"alignment": 0.0}, "power"),
    ("AlignUniform", {"uniformity": 0.0}, "scale"),
    ("BetaVAE", {"likelihood": "bernoulli"}, "variance"),
    ("CMC", {"depth": 1}, "hidden"),
    ("ContractiveAutoencoder", {"encoder": "mlp", "weight": 0.0}, "projections"),
    ("ContextEncoder", {"adversarial": 0.0}, "discriminator_rate"),
    ("DeepBelief", {"persistent": False}, "chains"),
    ("Distill", {"depth": 1}, "hidden"),
    ("Distill", {"distance": "similarities"}, "depth"),
    ("Distill", {"distance": "cosine"}, "temperature"),
    ("FactorVAE", {"depth": 1}, "hidden"),
    ("FineTune", {"trained": "frozen"}, "encoder_rate"),
    ("FineTune", {"trained": "frozen"}, "layer_decay"),
    ("FineTune", {"trained": "frozen"}, "patience"),
    ("FineTune", {"trained": "frozen"}, "views"),
    ("FineTune", {"encoder": "bert_tiny", "task": "pair"}, "views"),
    ("InstDisc", {"depth": 1}, "hidden"),
    ("LeJEPA", {"gaussian": 0.0}, "directions"),
    ("MultiTask", {"weighting": "pcgrad"}, "accumulate"),
    ("MultiTask", {"weighting": "pcgrad"}, "variance_rate"),
    ("PIRL", {"depth": 1}, "hidden"),
    ("PatchCodes", {"code": "one-hot"}, "threshold"),
    ("PatchCodes", {"code": "triangle"}, "threshold"),
    ("RBM", {"persistent": False}, "chains"),
    ("SimCLR", {"depth": 0}, "dim"),
    ("SimCLR", {"depth": 1}, "hidden"),
    ("SparseAutoencoder", {"penalty": "l1"}, "activity"),
    ("SparseAutoencoder", {"weight": 0.0}, "activity"),
    ("VAE", {"draws": 2}, "baseline"),
    ("VAE", {"estimator": "sampled", "draws": 2}, "baseline"),
    ("Word2Vec", {"negatives": 0}, "noise_power"),
]
IMAGES = np.random.default_rng(0).integers(0, 255, (16, 1, 12, 12), dtype=np.uint8)
CLOCK = ("seconds", "samples_per_second", "planned")

INHERITED = {"simclr", "autoencoder"}  # whose inherited fields the fast lane tries, too


CLASSES = {cls.__name__: cls for entry in registry().values() if issubclass(cls := entry.cls, Model)}
CLASSES["FineTune"] = FineTune
CASES = [
    pytest.param(
        name,
        field.name,
        marks=[] if name.lower() in INHERITED or field.name in vars(cls) else pytest.mark.all,
    )
    for name, cls in CLASSES.items()
    for field in dataclasses.fields(cls)
    if field.name not in EXEMPT and (name, field.name) not in EXEMPT_OF
]  # `make test` tries inherited fields of a few methods


@cache
def images() -> Samples:
    return replearn.as_samples(IMAGES, np.arange(16) % 3)


@cache
def few_targets() -> Samples:
    place = np.arange(16)
    return replearn.as_samples(IMAGES, {"label": place % 3, "part": np.where(place % 4, place / 16, np.nan)})


@cache
def colours() -> Samples:
    return replearn.as_samples(in_colour(IMAGES), np.arange(16) % 3)


@cache
def texts() -> Samples:
    return replearn.as_samples([text.capitalize() for text in made_texts(16, most=8)], np.arange(16) % 3)


def data_for(method: Any) -> tuple[Any, Any]:
    """Samples, and the answers that a task asks for."""
    reads_texts = "image" not in kinds_served(type(method)) or getattr(method, "encoder", None) in (
        "words",
        "bert_tiny",
    )
    samples = texts() if reads_texts else colours() if needs_colour(type(method)) else images()
    if isinstance(method, ManyAnswers):
        return few_targets(), None
    made_up = {"graph": made_graphs, "video": made_clips}.get(kinds_served(type(method))[0])
    if made_up is not None:
        return made_up(16), None
    if kinds_served(type(method))[0] == "pairs":
        return replearn.as_samples({"image": images(), "text": texts()}), None
    samples = labelled_for(type(method), samples)
    if not isinstance(method, FineTune):
        return samples, None
    if method.task == "pair":
        return [(text, text.lower()) for text in samples.texts], samples.labels
    return samples, samples.labels


def made(cls: type[Any], field: str, given: dict[str, Any]) -> Any:
    """A small method, without what is idle beside the field in question: that would be refused."""
    known = {one.name: one.default for one in dataclasses.fields(cls)}
    small = {name: value for name, value in SMALL.items() if name in known} | SMALL_OF.get(cls.__name__, {})
    if "encoder" in known and (cls.__name__, field) != ("ContractiveAutoencoder", "projections"):
        own = "bert_tiny" if "text" in kinds_served(cls) else "gin"
        own = "cnn" if {"image", "video"} & {*kinds_served(cls)} else own
        own = "image=cnn,text=words" if cls is CLIP else own
        small["encoder"] = own if known["encoder"] == "auto" else known["encoder"].replace("mini", "tiny")
    if known.get("depth", 2) < 2 or given.get("depth", 2) < 2:
        small = {name: value for name, value in small.items() if name not in ("hidden", "dim")}
    if not given.get("persistent", True):
        small.pop("chains", None)
    if cls is FineTune and (cls.__name__, field) != ("FineTune", "length"):
        del small["length"]
    return cls(**small | given)


def learned(method: Any) -> dict[str, np.ndarray]:
    """All that a method has learned, and what happened on the way."""
    X, y = data_for(method)
    method.fit(X, y)
    found = {
        f"{name}.{key}": tensor.float().numpy()
        for name, module in method.modules().items()
        for key, tensor in module.state_dict().items()
    }
    history = getattr(method, "history_", None)
    for i, row in enumerate(history.rows if history is not None else []):
        found |= {f"{i}.{name}": np.array(value) for name, value in row.items() if name not in CLOCK}
    return found | {"h": method.transform(X)}


@cache
def by_default(name: str) -> dict[str, np.ndarray]:
    return learned(made(CLASSES[name], "", {}))


def differ(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() != b.keys() or any(not np.array_equal(a[name], b[name], equal_nan=True) for name in a)


def other(method: Any, field: str) -> Any:
    """Another legal value than the one that a method has."""
    value = getattr(method, field)
    encoders = ENCODERS | ({"cnn": "resnet_small"} if getattr(method, "split", "") in MAPPED else {})
    encoders |= {"cnn": "r3d"} if getattr(method, "split", "") == "tracked" else {}
    teachers = {"mlp": "cnn", True: False}  # of Distill, and whether MeanTeacher has one
    by_value: dict[str, dict[Any, Any]] = {"encoder": encoders, "tokenizer": TOKENIZERS, "teacher": teachers}
    if field in by_value:
        return by_value[field].get(value, "lstm")
    if field == "vocabulary":
        return VOCABULARIES.get(getattr(method, "tokenizer", ""), 5)
    if field == "views" and isinstance(method, SimCSE | FineTune):  # whose own are two of the same, or none
        return Pair(Span(0.5, 1), Same()) if isinstance(method, SimCSE) else "auto"
    if field == "views" and (method.split in OTHER_SPLITS or isinstance(method, CLIP)):
        return OTHER_SPLITS.get(method.split, Apart(("image", "text"), (Same(), Same())))
    if OTHERS.get(field, value) != value:
        return OTHERS[field]
    more = (
        value + (8 if field == "batch_size" else 1) if isinstance(value, int) else 0
    )  # another episode has room
    half = more or value / 2 or 0.25
    return not value if isinstance(value, bool) else half


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "field"), CASES, ids=["-".join(case.values) for case in CASES])
def test_every_field_does_something(name, field):
    """And is refused where it does not as the others are."""
    if field == "precision":
        skip_without_short_lstm(name)
    cls, setting = CLASSES[name], NEEDS.get((name, field), {})
    changed = {field: other(made(cls, field, setting), field)}
    if field in getattr(cls, "refused", {}) or setting:
        assert_refused(cls, field, changed)
    if field in getattr(cls, "refused", {}):
        return
    plain = learned(made(cls, field, setting)) if setting else by_default(name)
    assert differ(plain, learned(made(cls, field, setting | changed)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "setting", "field"), IDLE)
def test_what_would_do_nothing_is_refused(name, setting, field):
    cls = CLASSES[name]
    assert_refused(cls, field, setting | {field: other(made(cls, field, setting), field)})


def assert_refused(cls: type[Any], field: str, given: dict[str, Any]) -> None:
    method = made(cls, field, given)
    with pytest.raises(ValueError, match=field) as error:
        method.prepare(*data_for(method))
    assert len(str(error.value).splitlines()) == 1
