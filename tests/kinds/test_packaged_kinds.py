"""What one small package brings is a kind for all stages, commands and methods whose needs it meets."""

import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

import replearn
from lanes import one_of_each
from made_methods import labelled_for, quick
from replearn.cli import main
from replearn.data import as_samples, describe
from replearn.data.kinds import KINDS, KindWarning
from replearn.data.kinds.rooms import ENTRY_POINTS, packaged
from replearn.encoders import make_encoder
from replearn.encoders.kinds import NETWORKS
from replearn.methods import Model, Trained, registry
from replearn.methods.needs import kinds_served, lacking, needs_of, offers_of
from replearn.report.kinds import LOOKS
from replearn.views import default_views, named_views, view_from_json, view_to_json
from replearn.views.kinds import VIEWS

QUICK = {"encoder": "auto", "batch_size": 16, "epochs": 2}
OFFERED = {"rows", "encoder", "decoder", "pair", "single", "twice", "plain", "exemplars", "corrupted"}
OFFERED |= {"weak", "weak_strong"}
SERVED = [name for name, entry in registry().items() if needs_of(entry.cls) <= OFFERED]
OF_CLOUDS = [
    name for name in SERVED if needs_of(registry()[name].cls) <= OFFERED - {"rows", "decoder", "corrupted"}
]


def made(name, **given):
    cls = registry()[name].cls
    return quick(cls, **{key: value for key, value in (QUICK | given).items() if hasattr(cls, key)})


@pytest.mark.parametrize(
    "stage", [KINDS, VIEWS, NETWORKS, LOOKS], ids=["data", "views", "encoders", "report"]
)
def test_every_stage_has_a_room_for_every_kind(installed, stage):
    assert {"image", "table", "text", "spectrum", "cloud"} <= set(stage)
    for kind in stage:
        assert type(stage[kind]) is not type(stage.nothing) or kind in ("table", "cloud")
    assert stage["of nobody"] is stage.nothing


def test_a_package_that_is_broken_is_left_out_with_a_line(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("raise RuntimeError('no such\\nlibrary')")
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    points = "broken = broken\nimage = os\nhollow = os\nA Kind!/x = os\nuncalled = uncalled\n"
    (info / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{points}")
    (tmp_path / "uncalled.py").write_text("from replearn.data.kinds import Kind as data\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    packaged.cache_clear()
    with pytest.warns(KindWarning) as told:
        assert packaged(KINDS.taken) == {}
    packaged.cache_clear()
    lines = sorted(str(one.message) for one in told)
    assert [line.count("\n") for line in lines] == [0] * 5
    assert "the kind A Kind!/x (os)" in lines[0]
    assert "name must be of lower-case letters" in lines[0]
    assert "RuntimeError: no such library" in lines[1]
    assert "it must have an attribute `data`" in lines[2]
    assert "there is a kind image already" in lines[3]
    assert "`data` must be an object, not a class: write data = ...()" in lines[4]


def test_spectra_are_read_and_described(installed, spectra):
    samples = as_samples(spectra)
    assert (samples.kind, samples.shape, len(samples), samples.classes) == (
        "spectrum",
        (1, 64),
        90,
        ("a", "b", "c"),
    )
    assert as_samples(spectra, kind="spectrum").fingerprint() == samples.fingerprint()
    part = samples.subset(np.arange(9))
    assert part.details == describe(part).details == samples.details
    with pytest.raises(ValueError, match="kind must be what the data are"):
        as_samples(np.zeros((4, 3)), kind="image")
    with pytest.raises(ValueError, match="Did you mean 'spectrum'"):
        as_samples(spectra, kind="spectra")


def test_views_of_a_kind_are_stored(installed, spectra):
    view = default_views(as_samples(spectra)).view
    assert view_from_json(view_to_json(view)) == view
    with pytest.raises(ValueError, match="not for samples of kind 'spectrum'; use 'lamp'"):
        named_views("photo", as_samples(spectra))
    with pytest.raises(ValueError, match="can't be split 'jigsaw'"):
        named_views("lamp", as_samples(spectra), "jigsaw")


@pytest.mark.parametrize("name", one_of_each(SERVED))
def test_every_method_whose_needs_it_meets_learns_from_spectra(installed, spectra, name, tmp_path):
    samples = labelled_for(registry()[name].cls, as_samples(spectra))
    method = made(name)
    if not isinstance(method, Model):
        assert method.fit_transform(samples.flat()).shape[0] == len(samples)
        return
    assert "spectrum" in kinds_served(type(method))
    found = method.fit(samples, run=tmp_path / "run").transform(samples)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(samples), found)


@pytest.mark.parametrize("name", sorted(registry().keys() - SERVED))
def test_others_say_that_they_do_not(installed, spectra, name):
    method = made(name)
    assert lacking(method, "spectrum") == needs_of(type(method)) - offers_of("spectrum") != set()
    with pytest.raises(
        ValueError, match=r"learns from samples of kind .*; got spectrum\. `replearn list` tells"
    ):
        method.fit(as_samples(spectra))


@pytest.mark.parametrize("name", OF_CLOUDS)
def test_ragged_samples_go_through_every_method_of_views(clouds, name):
    method = made(name, slice_size=None)
    clouds = labelled_for(type(method), clouds)
    before = method.prepare(clouds).transform(clouds)
    after = method.fit(clouds).transform(clouds)
    assert before.shape == after.shape
    assert np.isfinite(after).all()
    if issubclass(type(method), Trained):
        assert not np.array_equal(before, after)


def test_slices_of_ragged_samples_have_the_gradient_of_the_whole(clouds, monkeypatch):
    import clouds as clouds_package

    given = {"batch_size": 32, "epochs": 1, "optimizer": "sgd", "device": "cpu", "precision": "32-true"}
    sizes: list[int] = []
    read = clouds_package.Sums.forward

    def noted(self, x):
        sizes.extend([len(x)] if self.training else [])
        return read(self, x)

    monkeypatch.setattr(clouds_package.Sums, "forward", noted)
    one = replearn.SimCLR(**given).fit(clouds).transform(clouds)
    assert max(sizes) == 32
    sizes.clear()
    other = replearn.SimCLR(**given, slice_size=7).fit(clouds).transform(clouds)
    assert max(sizes) == 7
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_parts_of_a_joined_batch_see_what_the_whole_sees(clouds):
    from clouds import Jiggle

    whole = clouds[np.arange(20)]
    torch.manual_seed(0)
    seen = Jiggle()(whole).x
    for start, stop in ((0, 7), (7, 20)):
        torch.manual_seed(0)
        part = Jiggle()(whole.rows(start, stop)).x
        torch.testing.assert_close(part.points, seen[start:stop].points, rtol=0, atol=0)


def test_ragged_samples_have_rows_statistics_and_subsets(clouds):
    part = clouds.subset(np.arange(30, 60))
    np.testing.assert_array_equal(part.flat(), clouds.flat()[30:60])
    assert part.statistics[0].shape == (2,)
    assert part.fingerprint() != clouds.fingerprint()
    assert part.fingerprint() == clouds.subset(np.arange(30, 60)).fingerprint()


def test_a_run_of_a_kind_that_no_package_brings_says_so(clouds, tmp_path, monkeypatch, caplog):
    made("simclr").fit(clouds, run=tmp_path / "run")
    monkeypatch.undo()
    packaged.cache_clear()
    caplog.set_level("INFO", logger="replearn")
    with pytest.raises(ValueError, match="an encoder must read"):
        replearn.load(tmp_path / "run")
    assert "of kind cloud, which no installed package brings" in caplog.text


def test_content_that_does_not_tell_its_bytes_is_refused(clouds, monkeypatch):
    monkeypatch.delattr("clouds.Cloud.each")
    with pytest.raises(ValueError, match=r"must have each\(\), the bytes of each; Cloud has none"):
        made("simclr").fit(clouds)


def test_a_kind_of_nobody_is_learned_from_with_views_and_a_module_of_ones_own():
    """Samples of one's own need no package."""
    samples = replearn.as_samples(np.random.default_rng(0).normal(size=(64, 12)).astype(np.float32))
    samples.kind = "smell"
    net = torch.nn.Sequential(torch.nn.Linear(12, 8), torch.nn.ReLU())
    views = replearn.views.Pair(replearn.views.Jitter(0.1))
    method = replearn.SimCLR(encoder=net, views=views, epochs=1, batch_size=16, device="cpu").fit(samples)
    assert method.transform(samples).shape == (64, 8)
    with pytest.raises(ValueError, match=r"SimCLR must be given views of samples of kind smell.*Pass views="):
        replearn.SimCLR(epochs=1).fit(samples)
    with pytest.raises(ValueError, match="BERT learns from samples of kind text or sequence; got smell"):
        replearn.BERT(epochs=1).fit(samples)
    assert make_encoder("auto", samples).dim > 0


@pytest.mark.all
def test_all_commands(installed, spectra, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def told(*words):
        assert main([*map(str, words)]) == 0
        return capsys.readouterr().out

    assert "spectrum" in told("list")
    told("fit", "simclr", spectra, "--run", "r", "--epochs", 2, "--batch-size", 16)
    told("embed", "r", spectra, "--out", "rows.npy")
    assert len(np.load("rows.npy")) == 90
    assert "hand-made features" in told("evaluate", "r", spectra)
    options = ("--data", spectra, "--seeds", 1, "--epochs", 1, "--run", "c")
    assert "hand-made features" in told("compare", "pca", "simclr", *options)
    told("finetune", "r", spectra, "--to", "f", "--epochs", 2)
    told("report", "r")
    assert "data:image/png;base64" in Path("r/report.html").read_text()


def test_a_kind_asked_for_by_name_reads_what_it_does_not_claim(
    installed, spectra, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(type(KINDS["spectrum"]), "claims", lambda self, data: False)
    fit = ["fit", "simclr", str(spectra), "--run", "r", "--epochs", "1", "--batch-size", "16"]
    assert main(fit) == 2
    assert main([*fit, "--kind", "spectrum"]) == 0
    said = capsys.readouterr()
    assert f"replearn evaluate r {spectra} --kind spectrum" in " ".join((said.out + said.err).split())
    assert main(["embed", "r", str(spectra), "--out", "rows.npy"]) == 0  # the run says of which kind they are
    assert len(np.load("rows.npy")) == 90
    assert main([*fit, "--kind", "spectra"]) == 2
    assert "Did you mean 'spectrum'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise KeyError('x')", "it raised KeyError: 'x'"),
        ("raise ValueError('the file is\\nbad.')", "it raised ValueError: the file is bad. Correct"),
        ("return None", r"must give \(samples, labels, groups\); got NoneType"),
        (
            "return ArraySamples(np.zeros((4, 3), 'f4')), None, np.array(['x'])",
            "a group per sample; got 1 for 4",
        ),
    ],
)
def test_what_a_package_reads_is_looked_at(tmp_path, monkeypatch, body, says):
    code = f"""
import numpy as np
from replearn.data import ArraySamples
from replearn.data.kinds import Kind
class Data(Kind):
    def claims(self, data): return str(data).endswith(".zz")
    def read(self, data, asked): {body}
data = Data()
"""
    install(tmp_path, monkeypatch, zz=code)
    with pytest.raises(ValueError, match=says) as raised:
        as_samples("a.zz")
    assert "\n" not in str(raised.value)
    assert as_samples("digits8x8").kind == "image"


def test_a_package_that_fails_to_claim_is_not_asked(tmp_path, monkeypatch):
    code = "from replearn.data.kinds import Kind\nclass Data(Kind):\n    def claims(self, data): 1 / 0\ndata = Data()\n"
    install(tmp_path, monkeypatch, zz=code)
    with pytest.warns(
        KindWarning, match="of kind zz can't tell whether it reads the data.*ZeroDivisionError"
    ):
        assert as_samples(np.zeros((4, 3), np.float32)).kind == "table"


def install(folder, monkeypatch, **modules):
    """Put packages of one module each where they are found, one kind each by its name."""
    for name, code in modules.items():
        (folder / f"package_{name}.py").write_text(code)
        info = folder / f"package_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: package_{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{name} = package_{name}\n")
        monkeypatch.delitem(sys.modules, f"package_{name}", raising=False)
    monkeypatch.syspath_prepend(str(folder))
    packaged.cache_clear()


def test_fields_of_needs_are_named_alike():
    """What methods need is what some kind offers, or a misspelt need would serve nothing without a word."""
    offered = set().union(*(offers_of(kind) for kind in KINDS))
    for entry in registry().values():
        assert needs_of(entry.cls) <= offered, entry.name
        assert entry.kinds
        if issubclass(entry.cls, Model) and any(field.name == "views" for field in fields(entry.cls)):
            assert entry.cls.split in offered
