"""`auto`: minutes go to what looks good, labels choose, the test part chooses nothing, and a kill loses nothing."""

import json
import re

import numpy as np
import pytest

from made_methods import few_images
from replearn import as_samples
from replearn.comparison import auto as module
from replearn.comparison import rows as comparison_rows
from replearn.comparison.auto import _at_least, auto, halves
from replearn.comparison.judges import Judge, lead
from replearn.comparison.rows import Representation
from replearn.comparison.shortlist import shortlist, within_minutes
from replearn.comparison.trials import Trial, Trials
from replearn.engine.health import NotFinite
from replearn.methods import Autoencoder, Concatenation, Frozen, SimCLR

MINUTES = 0.002


def table(n: int = 120, *, labelled: int | None = None):
    """Three classes that one direction of many tells apart; of which some have labels."""
    draw = np.random.default_rng(0)
    labels = np.arange(n) % 3
    x = draw.normal(size=(n, 66)).astype(np.float32)
    x[:, 0] += 4 * labels
    if labelled is not None:
        labels = np.where(np.arange(n) < labelled, labels, -1)
    return as_samples(x, labels if labelled != 0 else None)


@pytest.fixture
def methods():
    small = {"batch_size": 16, "encoder": "mlp"}
    return {"SimCLR": SimCLR(**small), "Autoencoder": Autoencoder(**small), "Wide": SimCLR(**small, dim=16)}


def test_half_of_the_methods_go_on_after_each_round(methods, tmp_path):
    found = []
    choice = auto(
        table(), table(60), minutes=MINUTES, folder=tmp_path, methods=methods, on_trial=found.append
    )
    assert found == choice.trials
    rounds = [trial.round for trial in found]
    assert [rounds.count(number) for number in range(4)] == [2, 3, 2, 1]
    assert halves(3) == [3, 2, 1]
    for number in (1, 2):
        by_probe = sorted((t for t in found if t.round == number), key=lambda t: -t.measures["probe"])
        assert {t.name for t in found if t.round == number + 1} == {
            t.name for t in by_probe[: halves(3)[number]]
        }
    last = found[-1]
    assert last.minutes >= MINUTES / 3 * (1 / 3 + 1 / 2 + 1 / 2)
    assert [row.name for row in choice.rows] == ["raw input", "PCA", last.name, "untrained encoder"]
    assert choice.best == max(found, key=lambda t: (t.round in (0, 3), t.measures["probe"])).name
    assert len(choice.row.test) == 60


def test_the_last_training_is_told_how_long_judging_took(methods, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(Trials, "judging", lambda self, name: 100.0)  # of the method, and of codes beside it
    only = {"Autoencoder": methods["Autoencoder"]}
    auto(table(), table(60), minutes=MINUTES, folder=tmp_path, methods=only)
    (beyond,) = re.findall(r"minutes, ([\d.]+) more than are left", caplog.text)
    assert float(beyond) > 199


@pytest.mark.all
def test_a_call_that_was_killed_goes_on(methods, tmp_path, monkeypatch):
    fitted = []
    fit = SimCLR.fit

    def killed(self, *args, **kwargs):
        fitted.append(type(self).__name__)
        if len(fitted) == 3:
            raise KeyboardInterrupt
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(SimCLR, "fit", killed)
    monkeypatch.setattr(Autoencoder, "fit", killed)
    given = {"minutes": MINUTES, "folder": tmp_path, "methods": methods}
    with pytest.raises(KeyboardInterrupt):
        auto(table(), table(60), **given)
    kept = [Trial(**one) for one in json.loads((tmp_path / module.FILE).read_text())["trials"]]
    assert [trial.name for trial in kept] == ["SimCLR", "Autoencoder"]
    monkeypatch.setattr(SimCLR, "fit", fit)
    choice = auto(table(), table(60), **given)
    assert [trial for trial in choice.trials if trial.round == 1][:2] == kept
    for other in ({"minutes": 1.0}, {"seed": 1}):
        with pytest.raises(ValueError, match=f"had other {next(iter(other))}"):
            auto(table(), table(60), **given | other)
    with pytest.raises(ValueError, match="had other samples"):
        auto(table(90), table(60), **given)
    again = auto(table(), table(60), **given)
    assert [trial for trial in again.trials if trial.round] == [t for t in choice.trials if t.round]


@pytest.mark.parametrize("failing", [{"SimCLR"}, {"SimCLR", "Autoencoder"}])
def test_a_method_that_fails_is_left_out(methods, tmp_path, monkeypatch, caplog, failing):
    def fail(name, fit):
        def failed(self, *args, **kwargs):
            raise NotFinite(f"{name} is not finite")

        return failed if name in failing else fit

    for cls in (SimCLR, Autoencoder):
        monkeypatch.setattr(cls, "fit", fail(cls.__name__, cls.fit))
    methods = {name: methods[name] for name in ("SimCLR", "Autoencoder")}
    given = {"minutes": MINUTES, "folder": tmp_path, "methods": methods}
    if len(failing) == len(methods):
        with pytest.raises(NotFinite, match="Autoencoder"):
            auto(table(), table(60), **given)
        return
    choice = auto(table(), table(60), **given)
    assert [row.name for row in choice.rows] == ["raw input", "PCA", "Autoencoder", "untrained encoder"]
    assert "SimCLR failed in round 1 and is left out: SimCLR is not finite" in caplog.text


@pytest.mark.all
def test_visual_words_and_codes_lie_side_by_side_also_beside_what_learned(tmp_path, monkeypatch, caplog):
    images = few_images()
    train, test = images.subset(np.arange(64)), images.subset(np.arange(64, 96))
    monkeypatch.setattr(comparison_rows, "LEAST_SIDE", 8)
    methods = {"SimCLR": SimCLR(batch_size=16, encoder="cnn")}
    given = {"minutes": MINUTES, "methods": methods}
    choice = auto(train, test, folder=tmp_path / "a", **given)
    names = [row.name for row in choice.rows]
    assert names[3:6] == [module.CODES, "SimCLR", "SimCLR" + module.WITH_CODES]
    codes, both = choice.rows[3], choice.rows[5]
    np.testing.assert_allclose(both.test[:, : codes.test.shape[1]], codes.test, atol=1e-5)
    assert both.test.shape[1] == codes.test.shape[1] + choice.rows[4].test.shape[1]

    def fail(self, samples):
        raise ValueError("no edge anywhere")

    monkeypatch.setattr(Concatenation, "check", fail)
    with caplog.at_level("INFO", "replearn"):
        choice = auto(train, test, folder=tmp_path / "b", **given)
    assert module.CODES not in [row.name for row in choice.rows]
    assert f"no row {module.CODES}: no edge anywhere" in caplog.text


@pytest.mark.all
def test_labels_of_the_test_part_choose_nothing(methods, tmp_path):
    parts = {"own": table(60), "none": table(60, labelled=0)}
    parts["wrong"] = as_samples(table(60).flat(), np.zeros(60, dtype=int) + np.arange(60) // 30)
    found = {}
    for name, part in parts.items():
        choice = auto(table(), part, minutes=MINUTES, folder=tmp_path / name, methods=methods)
        assert choice.judged == 120
        found[name] = [(t.name, t.measures) for t in choice.trials if t.round == 0]  # which no clock changes
    assert found["own"] == found["none"] == found["wrong"]


def test_a_probe_tells_samples_by_labels_of_others():
    draw = np.random.default_rng(0)
    labels = np.arange(200) % 2
    noise = as_samples(draw.normal(size=(200, 100)), labels)
    told = Judge(noise, 0).rows(Representation("x", noise.flat(), noise.flat()))["probe"]
    assert 0.3 < told < 0.7  # a probe fitted on them would tell all


def test_a_lead_is_over_the_same_samples():
    one = np.array([True] * 90 + [False] * 10)
    other = np.array([True] * 80 + [False] * 20)
    ahead, half = lead(one, other)
    assert ahead == pytest.approx(0.1)
    assert half == pytest.approx(1.96 * 0.3 / 10, abs=1e-4)  # ten of a hundred differ, all one way
    assert lead(one, one) == (0.0, 0.0)


@pytest.mark.all
def test_without_labels_measures_choose_that_need_none(methods, tmp_path):
    choice = auto(table(labelled=0), table(60, labelled=0), minutes=MINUTES, folder=tmp_path, methods=methods)
    assert choice.judged == 0
    assert not choice.leads
    assert {*choice.trials[0].measures} == {"RankMe", "alignment + uniformity"}
    assert choice.best in methods
    assert "hardly better than chance" in choice.advice()


def test_the_better_place_on_average_comes_first(tmp_path):
    trials = Trials(tmp_path / "auto.json", {}, lambda trial: None)
    for name, rank, joint in (("a", 9.0, -1.0), ("b", 5.0, -2.0), ("c", 8.0, -3.0)):
        trials.add(Trial(name, 1, 1.0, {"RankMe": rank, "alignment + uniformity": joint}, 1.0))
    assert trials.best(["a", "b", "c"], 1) == ["c", "a", "b"]  # places 2 1, 1 3, 3 2


def test_few_labels_judge_alone():
    judge = Judge(table(labelled=30), 0)
    assert judge.labelled
    assert judge.index.tolist() == list(range(30))
    assert not Judge(table(labelled=1), 0).labelled  # of one class
    found = judge.rows(Representation("x", table().flat(), table().flat()))
    assert found["probe"] > 0.5  # a third by chance


@pytest.mark.all
def test_what_is_given_takes_part_and_is_kept(methods, tmp_path):
    given = {"linear": Frozen(encoder="linear")}
    choice = auto(table(), table(60), minutes=MINUTES, folder=tmp_path, methods=methods, given=given)
    assert "linear" in [row.name for row in choice.rows]
    assert (tmp_path / "linear" / "method.json").exists()
    assert (tmp_path / "PCA").is_dir()


def test_the_advice_says_how_sure_it_is(tmp_path):
    rows = [Representation(name, np.zeros((2, 1)), np.zeros((2, 1))) for name in ("raw input", "PCA")]
    trials = [Trial("raw input", 0, 0.0, {"probe": 0.8}, 1.0), Trial("PCA", 0, 0.0, {"probe": 0.9}, 1.0)]
    sure = module.Choice("PCA", rows, trials, 100, {"raw input": (0.1, 0.05)}).advice()
    assert "90.0 % of 100" in sure
    assert "ahead of raw input by 10.0 points (± 5.0), no accident" in sure
    assert "maybe by chance" in module.Choice("PCA", rows, trials, 100, {"raw input": (0.1, 0.2)}).advice()


def test_the_shortlist_has_what_learns_from_such_samples(caplog):
    caplog.set_level("INFO", "replearn")
    images = as_samples(np.random.default_rng(0).integers(0, 256, (64, 3, 32, 32), dtype=np.uint8))
    assert [*shortlist(images)] == ["SimCLR", "VICReg", "Rotation", "Autoencoder"]
    assert shortlist(images)["SimCLR"].encoder == "resnet_tiny"
    large = as_samples(np.zeros((8, 1, 96, 96), dtype=np.uint8))
    assert shortlist(large, ["autoencoder"])["Autoencoder"].get_params() == Autoencoder().get_params()
    assert within_minutes("simclr", large) == within_minutes("simclr", table()) == {}
    few = as_samples(np.random.default_rng(0).normal(size=(5, 4)))
    assert [*shortlist(few)] == ["Autoencoder", "Exemplar"]
    assert "not tried: SimCLR" in caplog.text
    assert shortlist(table(), ["vicreg"], seed=3)["VICReg"].random_state == 3
    with pytest.raises(ValueError, match="PCA does not"):
        shortlist(table(), ["pca"])
    with pytest.raises(ValueError, match="SimCLR can't learn"):
        shortlist(few, ["simclr"])


def test_a_call_that_was_stopped_before_its_first_trial_is_known(tmp_path):
    Trials(tmp_path / "new" / "auto.json", {"seed": 0}, lambda trial: None)
    with pytest.raises(ValueError, match="other seed"):
        Trials(tmp_path / "new" / "auto.json", {"seed": 1}, lambda trial: None)


def test_the_last_training_leaves_time_for_judging_it_and_tells_where_it_cannot(tmp_path, caplog) -> None:
    trials = Trials(tmp_path / "auto.json", {}, lambda trial: None)
    for number, minutes, took in ((1, 1.0, 90.0), (2, 3.0, 150.0)):
        trials.add(Trial("SimCLR", number, minutes, {"probe": 0.5}, took))
    assert trials.judging("SimCLR") == 0.5  # of 2.5 minutes the method learned for 2
    assert trials.judging("another") == 0
    assert _at_least(4.0, 1.0) == 4.0
    assert not caplog.records
    assert _at_least(0.25, 1.0) == 1.0
    assert "takes 1.0 minutes, 0.8 more than are left" in caplog.text
