"""Distill: what the teacher is asked, and when; what is left of it; and that a student learns to say the same."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import nn

import replearn
from made_texts import made_texts
from replearn.data import Samples, describe
from replearn.evaluate import knn_probe
from replearn.methods import Distill, Frozen, Model
from replearn.methods.given.teacher import Regressor, Teacher
from replearn.views import Flip, Pair, Rotate, Same

QUICK: dict[str, Any] = {
    "encoder": "mlp",
    "epochs": 1,
    "batch_size": 64,
    "device": "cpu",
    "precision": "32-true",
}


@pytest.fixture(scope="module")
def digits() -> tuple[Samples, Samples]:
    train, test = (replearn.load_data("digits8x8", split=part) for part in ("train", "test"))
    return train, test


@pytest.fixture(scope="module")
def few(digits: tuple[Samples, Samples]) -> Samples:
    return digits[0].subset(np.arange(256))


@pytest.fixture(scope="module")
def teacher(few: Samples, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run of another architecture and width, whose numbers lie far from 0 and 1."""
    run = tmp_path_factory.mktemp("teachers") / "autoencoder"
    method = replearn.Autoencoder(encoder="cnn", dim=24, epochs=1, device="cpu").fit(few)
    with torch.no_grad():
        method.code_.weight.mul_(50)
        method.code_.bias.add_(1000)
        method.code_.weight[3] = 0  # a number that is always the same
    method.save(run)
    return str(run)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many samples a teacher was asked about, each time."""
    found: list[int] = []
    own = replearn.Autoencoder.represent

    def represent(self: Any, batch: Any) -> Any:
        assert not any(part.training for net in self.modules().values() for part in net.modules())
        assert not torch.is_grad_enabled()
        found.append(len(batch))
        return own(self, batch)

    monkeypatch.setattr(replearn.Autoencoder, "represent", represent)
    return found


def test_the_teacher_is_asked_once_and_says_how_much_is_kept(
    few: Samples, teacher: str, calls: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "replearn"):
        Distill(teacher=teacher, **QUICK | {"epochs": 3}).fit(few)
    assert sum(calls) == 256
    assert "asked once: 256 rows of 24 numbers, 0.0 MB of memory" in caplog.text
    assert "1 of the teacher's 24 numbers hardly vary and are left out" in caplog.text


def test_with_views_it_is_asked_about_what_the_student_sees(
    few: Samples, teacher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, list[torch.Tensor]] = {"teacher": [], "student": []}
    own, read = replearn.Autoencoder.represent, nn.Module.__call__

    def represent(self: Any, batch: Any) -> Any:
        seen["teacher"].append(batch.x)
        return own(self, batch)

    method = Distill(teacher=teacher, views=Pair(Rotate(40), Flip()), **QUICK)
    monkeypatch.setattr(replearn.Autoencoder, "represent", represent)
    method.prepare(few)

    def called(module: Any, *args: Any, **kwargs: Any) -> Any:
        if module is method.encoder_:
            seen["student"].append(args[0].x)
        return read(module, *args, **kwargs)

    monkeypatch.setattr(nn.Module, "__call__", called)
    batch = few[np.arange(64)]
    torch.manual_seed(0)
    method.loss(batch)
    assert [len(x) for x in seen["teacher"]] == [64, 64]
    assert all(a is b for a, b in zip(seen["teacher"], seen["student"], strict=True))
    assert not torch.equal(seen["teacher"][0], seen["teacher"][1])


def slow_standardised(rows: list[list[float]]) -> list[list[float]]:
    columns = []
    for column in zip(*rows, strict=True):
        mean = sum(column) / len(column)
        deviation = (sum((x - mean) ** 2 for x in column) / len(column)) ** 0.5
        columns.append([(x - mean) / deviation if deviation > 1e-3 else 0.0 for x in column])
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("distance", ["squared", "cosine"])
def test_the_loss_is_the_papers(distance: Any, few: Samples, teacher: str) -> None:
    """FitNets' equation 3 of standardised numbers, mean over those that vary; or 1 less the cosine."""
    method = Distill(teacher=teacher, distance=distance, **QUICK).prepare(few)
    rows = replearn.load(teacher).transform(few)
    method.regressor_.learn_scale(torch.from_numpy(rows))
    for module in method.modules().values():
        module.double().eval()
    with torch.no_grad():
        z = method.regressor_(method.encoder_(few[np.arange(256)])).tolist()
        loss = float(method.loss(few[np.arange(256)]))
    t = slow_standardised(rows.astype(np.float64).tolist())
    assert t[0][3] == 0
    total = 0.0
    for own, other in zip(z, t, strict=True):
        if distance == "squared":
            total += sum((x - y) ** 2 for x, y in zip(own, other, strict=True)) / 23
        else:
            lengths = sum(x * x for x in own) * sum(y * y for y in other)
            total += 1 - sum(x * y for x, y in zip(own, other, strict=True)) / lengths**0.5
    assert loss == pytest.approx(total / 256, rel=2e-4)


def test_all_numbers_count_alike_whatever_their_size() -> None:
    rows = torch.randn(500, 3) * torch.tensor([1e-3, 1.0, 1e3]) + torch.tensor([5.0, 0.0, -1e4])
    regressor = Regressor(4, 8, depth=1, width=3)
    regressor.learn_scale(rows)
    found = regressor.standardise(rows)[:, 1:]
    torch.testing.assert_close(found.mean(0), torch.zeros(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.std(0), torch.ones(2), atol=5e-3, rtol=0)


def test_a_teacher_that_says_the_same_of_all_is_refused() -> None:
    with pytest.raises(ValueError, match="says the same of all"):
        Regressor(4, 8, depth=1, width=2).learn_scale(torch.ones(5, 2))


def test_a_run_works_without_its_teacher_and_does_not_hold_it(
    few: Samples, teacher: str, tmp_path: Path
) -> None:
    gone = tmp_path / "teacher"
    shutil.copytree(teacher, gone)
    method = Distill(teacher=str(gone), depth=2, hidden=16, **QUICK).fit(few, run=tmp_path / "student")
    h = method.transform(few)
    shutil.rmtree(gone)
    again = replearn.load(tmp_path / "student")
    np.testing.assert_array_equal(again.transform(few), h)
    assert len(again.regressor_.mean) == 24
    own = sum(tensor.numel() for net in method.modules().values() for tensor in net.state_dict().values())
    kept = sum(tensor.numel() for net in again.modules().values() for tensor in net.state_dict().values())
    assert own == kept
    assert {*method.modules()} == {"encoder_", "regressor_"}
    assert not {name for name in vars(method) if name.startswith("_") and "teacher" in name}
    taken = replearn.SimCLR(encoder=str(tmp_path / "student"), epochs=1, device="cpu").prepare(few)
    assert taken.encoder_.dim == method.encoder_.dim


def test_the_teacher_is_left_as_it_was(few: Samples, teacher: str) -> None:
    before = {path.name: path.read_bytes() for path in Path(teacher).iterdir()}
    Distill(teacher=teacher, **QUICK).fit(few)
    assert {path.name: path.read_bytes() for path in Path(teacher).iterdir()} == before


class Halted(Exception):
    pass


@pytest.mark.parametrize("views", [None, Pair(Same())])
def test_a_run_is_resumed_with_the_teacher_that_it_began_with(
    few: Samples, teacher: str, tmp_path: Path, views: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "teacher"
    shutil.copytree(teacher, changed)
    method = Distill(teacher=str(changed), views=views, checkpoint_minutes=0.0, **QUICK)

    def halt(self: Any, progress: float) -> None:
        if progress > 0.4:
            raise Halted

    with monkeypatch.context() as patch:
        patch.setattr(Distill, "after_step", halt)
        with pytest.raises(Halted):
            method.fit(few, run=tmp_path / "run")
    shutil.rmtree(changed)
    replearn.Autoencoder(encoder="cnn", dim=24, epochs=1, device="cpu", random_state=1).fit(few).save(changed)
    again = Distill(teacher=str(changed), views=views, **QUICK)
    with pytest.raises(ValueError, match="with the teacher that it began with; this one's rows differ"):
        again.fit(few, run=tmp_path / "run", resume=True)
    shutil.rmtree(changed)
    shutil.copytree(teacher, changed)
    again.fit(few, run=tmp_path / "run", resume=True)


@pytest.mark.filterwarnings("ignore:64 images are grey")
def test_samples_are_made_alike_for_a_teacher_of_another_size(
    digits: tuple[Samples, Samples], teacher: str
) -> None:
    """A grey image for one of colours, say; with views it is refused, since they are the student's."""
    colours = replearn.as_samples(np.repeat(digits[0][np.arange(64)].x.numpy(), 3, axis=1))
    run = Path(teacher).with_name("colours")
    replearn.Autoencoder(encoder="cnn", dim=8, epochs=1, device="cpu").fit(colours).save(run)
    grey = digits[0].subset(np.arange(64))
    found = Teacher(str(run), describe(grey), "cpu").asked(grey).numpy()
    np.testing.assert_allclose(found, replearn.load(run).transform(colours), rtol=1e-4, atol=1e-5)
    Distill(teacher=str(run), **QUICK).fit(grey)
    with pytest.raises(
        ValueError, match="with views, the teacher must have learned from samples of the student's"
    ):
        Distill(teacher=str(run), views=Pair(Same()), **QUICK).prepare(grey)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("", "teacher must be a run folder, hf:FOLDER, onnx:FILE or NAME@FILE; got none"),
        ("onnx:none.onnx", "there is no none.onnx"),
        ("hf:none", "none"),
        ("resnet_smal", "encoder must be"),
        ("tests/methods", "encoder must be a run folder"),
    ],
)
def test_what_is_no_teacher_is_told_in_a_line(spec: str, says: str, few: Samples) -> None:
    pytest.importorskip("onnxruntime" if spec.startswith("onnx") else "transformers")
    with pytest.raises(ValueError, match=says) as error:
        Distill(teacher=spec, **QUICK).prepare(few)
    assert len(str(error.value).splitlines()) == 1


def test_a_teacher_of_another_kind_is_refused(few: Samples, teacher: str) -> None:
    pytest.importorskip("tokenizers")
    with pytest.raises(
        ValueError, match=r"the teacher must read samples of kind text; the one in .* reads image"
    ):
        Distill(teacher=teacher, **QUICK | {"encoder": "words"}).prepare(made_texts(40))


def test_a_run_of_scikit_learn_is_no_teacher(few: Samples, tmp_path: Path) -> None:
    from sklearn.decomposition import PCA

    from replearn.methods.arrays import save_arrays

    save_arrays(PCA(4).fit(few.flat()), few, tmp_path / "pca")
    with pytest.raises(ValueError, match="a teacher must have a network; PCA"):
        Distill(teacher=str(tmp_path / "pca"), **QUICK).prepare(few)


def test_random_weights_are_told(few: Samples, caplog: pytest.LogCaptureFixture) -> None:
    Distill(teacher="linear", **QUICK).prepare(few)
    assert "teacher linear has random weights" in caplog.text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"distance": "similar"}, "distance must be one of squared, cosine, similarities"),
        ({"depth": 0}, "depth counts linear layers"),
        ({"distance": "similarities", "batch_size": 2}, "batches of at least 3"),
    ],
)
def test_fields_that_can_not_be_are_told(fields: dict[str, Any], says: str, few: Samples) -> None:
    with pytest.raises(ValueError, match=says):
        Distill(teacher="linear", **QUICK).set_params(**fields).prepare(few)


def test_a_folder_of_sentence_encoders_teaches_words(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from made_folders import folder

    folder(tmp_path / "bert")
    texts = replearn.as_samples(made_texts(64))
    method = Distill(teacher=f"hf:{tmp_path / 'bert'}", **QUICK | {"encoder": "words", "batch_size": 16})
    method.fit(texts, run=tmp_path / "run")
    shutil.rmtree(tmp_path / "bert")
    again = replearn.load(tmp_path / "run")
    np.testing.assert_array_equal(again.transform(texts), method.transform(texts))
    assert json.loads((tmp_path / "run" / "method.json").read_text())["folder"] is None


def test_a_file_of_onnx_teaches(few: Samples, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs replearn[export]")
    pytest.importorskip("onnxruntime", reason="needs replearn[export]")
    import onnx
    from onnx import TensorProto, helper

    weight = np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["rows"]), helper.make_node("MatMul", ["rows", "w"], ["h"])],
        "projection",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 8, 8])],
        [helper.make_tensor_value_info("h", TensorProto.FLOAT, ["n", 5])],
        [helper.make_tensor("w", TensorProto.FLOAT, weight.shape, weight.tobytes(), raw=True)],
    )
    file = tmp_path / "projection.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)
    for views in (None, Pair(Same())):
        method = Distill(teacher=f"onnx:{file}", views=views, **QUICK | {"epochs": 8}).fit(few)
        assert method.history_.rows[-1]["explained"] > 0.5
        assert len(method.regressor_.mean) == 5


def explained(method: Model, rows: tuple[np.ndarray, np.ndarray], digits: tuple[Samples, Samples]) -> float:
    """R² of the teacher's rows of new samples, by a ridge regression from the student's."""
    own = [method.transform(part) for part in digits]
    scale = own[0].std(0) + 1e-6
    found = Ridge(10.0).fit(own[0] / scale, rows[0]).predict(own[1] / scale)
    left = ((rows[1] - found) ** 2).sum() / ((rows[1] - rows[0].mean(0)) ** 2).sum()
    return float(1 - left)


class Absolute(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.abs()


@pytest.mark.parametrize("distance", ["squared", pytest.param("cosine", marks=pytest.mark.all)])
def test_a_planted_teacher_is_copied(
    distance: Any, digits: tuple[Samples, Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Absolute values of random projections of pixels, which no linear map of pixels tells."""
    torch.manual_seed(0)
    planted = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), Absolute())
    with torch.no_grad():
        planted[1].weight.copy_(torch.randn(16, 64) / 5)
    teaches = Frozen(encoder=planted, device="cpu").prepare(digits[0])
    monkeypatch.setattr("replearn.methods.given.teacher._opened", lambda *_: teaches)
    train, test = (teaches.transform(part) for part in digits)
    method = Distill(distance=distance, **QUICK | {"epochs": 15})
    untold = 1 - explained(method.prepare(digits[0]), (train, test), digits)
    assert 1 - explained(method.fit(digits[0]), (train, test), digits) < 0.5 * untold


class Two(nn.Module):
    """The first two columns of a table, in eight numbers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
        return torch.tanh(2 * x[:, :2]) @ mixed


def test_a_students_neighbours_come_near_its_teachers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 24 columns two tell classes, which the teacher knows and an untrained network does not."""
    rows = np.random.default_rng(0).normal(size=(1600, 24)).astype(np.float32)
    labels = 2 * (rows[:, 0] > 0) + (rows[:, 1] > 0)
    train, test = (
        replearn.as_samples(rows[part], labels[part]) for part in (slice(0, 1200), slice(1200, None))
    )
    teaches = Frozen(encoder=Two(), device="cpu").prepare(train)
    monkeypatch.setattr("replearn.methods.given.teacher._opened", lambda *_: teaches)

    def knn(model: Model) -> float:
        both = model.transform(train), model.transform(test)
        return float(knn_probe(both[0], labels[:1200], both[1], labels[1200:]))

    student = Distill(**QUICK | {"epochs": 10})
    untrained, wanted = knn(student.prepare(train)), knn(teaches)
    assert wanted > untrained + 0.3
    assert knn(student.fit(train)) > untrained + 0.6 * (wanted - untrained)
