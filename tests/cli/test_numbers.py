"""Every number among the options of every command has limits: beyond them one line, exit code 2, within a moment."""

import dataclasses

import pytest

from replearn.cli.compare import CompareOptions
from replearn.cli.curate import CurateOptions
from replearn.cli.demo import DemoOptions
from replearn.cli.embed import EmbedOptions
from replearn.cli.evaluate import EvaluateOptions
from replearn.cli.explore import ExploreOptions
from replearn.cli.finetune import FineTuneOptions
from replearn.cli.fit import FitOptions
from replearn.cli.index import IndexOptions
from replearn.cli.options import LIMITS, without_notes
from replearn.cli.scenes import SceneOptions
from replearn.cli.search import SearchOptions
from replearn.cli.serve import ServeOptions
from replearn.cli.transfer import TransferOptions
from replearn.transfer import FineTune

COMMANDS = {
    "compare": (CompareOptions, ("compare", "pca", "--data", "digits8x8")),
    "demo": (DemoOptions, ("demo",)),
    "embed": (EmbedOptions, ("embed", "run", "digits8x8")),
    "evaluate": (EvaluateOptions, ("evaluate", "run", "digits8x8")),
    "finetune": (FineTuneOptions, ("finetune", "mlp", "digits8x8")),
    "scenes": (SceneOptions, ("finetune", "cnn", "scenes", "--task", "detect")),
    "fit": (FitOptions, ("fit", "autoencoder", "digits8x8")),
    "curate": (CurateOptions, ("curate", "digits8x8")),
    "index": (IndexOptions, ("index", "run", "digits8x8")),
    "search": (SearchOptions, ("search", "index", "3")),
    "explore": (ExploreOptions, ("explore", "run", "digits8x8")),
    "serve": (ServeOptions, ("serve", "run")),
    "transfer": (TransferOptions, ("transfer", "run", "digits8x8")),
}
WRONG = ("-1", "nan", "inf", "-inf", "1e30", "99999999999999999999", "many", "", "½")
CASES = [
    (command, field.name)
    for command, (options, _) in COMMANDS.items()
    for field in dataclasses.fields(options)
    if any(kind in str(without_notes(field.type)) for kind in ("int", "float"))
]


def test_every_number_is_known():
    """A new option that is a number needs limits, unless `FineTune` has it as a field and checks it."""
    of_model = {field.name for field in dataclasses.fields(FineTune)}
    assert [name for _, name in CASES if name not in LIMITS and name not in of_model] == []


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(("name", "field"), CASES, ids=["-".join(case) for case in CASES])
def test_what_cannot_be_is_one_line(command, tmp_path, name, field, value):
    option = f"--{field.replace('_', '-')}"
    if value in ("1e30", "99999999999999999999") and field in ("max_minutes", "learning_rate"):
        pytest.skip("a long time is one, and a rate that is too high is told by the loss")
    answer = command(*COMMANDS[name][1], option, value)
    assert option in answer.line or field in answer.line
    assert answer.out == ""
    assert not list(tmp_path.glob("runs/*"))


@pytest.mark.parametrize(
    "args", [("fit", "ngram", ""), ("fit", "pca", " "), ("embed", "", "x"), ("report", "")]
)
def test_arguments_that_are_empty(command, args):
    assert "arguments must not be empty" in command(*args).line


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps", "cpu:9", "cuda:x", "tpu", "cpu:"])
def test_devices_that_are_not_there(command, monkeypatch, device):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    args = ("fit", "autoencoder", "digits8x8", "--device", device, "--epochs", "1")
    assert "device must be" in command(*args).line
