"""Terminals that know no more than ASCII, streams that are closed, readers that leave, and stops: for every command."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import pytest
from tiny_training import TINY

from lanes import one_of_each
from replearn.cli import COMMANDS, main

CALLS = {
    "list": (),
    "data": (),
    "fit": ("simclr", "DATA", *TINY, "--epochs", "1", "--run", "new"),
    "embed": ("RUN", "DATA", "--out", "e.npy"),
    "evaluate": ("RUN", "DATA", "--draws", "2"),
    "finetune": ("RUN", "DATA", "--epochs", "1", "--to", "tuned"),
    "predict": ("ANSWERS", "DATA", "--out", "p.csv"),
    "transfer": ("RUN", "DATA", "--per-class", "1", "--few-only", "--epochs", "1", "--to", "table"),
    "zeroshot": ("PAIRS", "DATA", "--classes", "dark", "light", "--out", "z.csv"),
    "auto": ("DATA", "--minutes", "0.01", "--methods", "autoencoder", "--draws", "2", "--run", "auto"),
    "scale": ("pca", "DATA", "--by", "samples", "--values", "20", "40", "--run", "larger"),
    "compare": ("pca", "--data", "DATA", "--draws", "2", "--run", "all"),
    "lectures": ("CHAPTER", "--to", "book"),
    "report": ("RUN",),
    "curate": ("DATA", "--to", "c"),
    "index": ("RUN", "DATA", "--to", "i"),
    "search": ("INDEX", "3", "--out", "s.csv"),
    "explore": ("RUN", "DATA", "--map", "pca", "--port", "0"),
    "serve": ("RUN", "--port", "0"),
    "export": ("RUN", "--to", "torch", "--out", "x"),
    "demo": ("--run", "demo"),
}
WRITTEN = {
    "fit": "new/weights.safetensors",
    "embed": "e.npy",
    "evaluate": "RUN/evaluation.json",
    "finetune": "tuned/weights.safetensors",
    "predict": "p.csv",
    "transfer": "table/transfer.json",
    "zeroshot": "z.csv",
    "auto": "auto/report.html",
    "scale": "larger/report.html",
    "compare": "all/report.html",
    "lectures": "book/index.html",
    "report": "RUN/report.html",
    "curate": "c/keep.csv",
    "index": "i/index.json",
    "search": "s.csv",
    "export": "x/model.pt2",
    "demo": "demo/report.html",
}


LESSON = "# %% [markdown]\n# # A lesson\n#\n# Very short.\n\n# %%\nk = 2  # of all\n\n# %%\nprint(k)\n"
QUICK = [name for name in CALLS if name != "demo"]


def test_every_command_is_here():
    assert CALLS.keys() == COMMANDS.keys()


@pytest.fixture(scope="session")
def pairs(data, tmp_path_factory):
    """A run folder of a method that classifies by names."""
    pytest.importorskip("tokenizers", reason="needs replearn[text]")
    from replearn import CLIP, as_samples

    images = as_samples(data)
    told = {"image": images, "text": [("dark", "light")[label] for label in images.labels]}
    few = {"encoder": "image=linear,text=words", "epochs": 1, "batch_size": 32, "device": "cpu"}
    run = tmp_path_factory.mktemp("pairs") / "run"
    CLIP(**few).fit(told, run=run)
    return run


@pytest.fixture(scope="session")
def answers(data, tmp_path_factory):
    """A run folder of a model that tells classes."""
    from replearn import as_samples
    from replearn.transfer import FineTune

    run = tmp_path_factory.mktemp("answers") / "run"
    FineTune(encoder="linear", epochs=1, device="cpu").fit(as_samples(data), run=run)
    return run


@pytest.fixture
def call(command, run, pairs, answers, data, tmp_path, monkeypatch):
    """A command's arguments, with all that it needs in place, and the file that it writes."""

    def made(name):
        if name == "report":
            assert command("evaluate", run, data, "--draws", "2").code == 0
        if name == "demo":
            from replearn.cli import demo

            monkeypatch.setattr(demo, "methods", small_methods)
            monkeypatch.setattr(demo, "DATA", "digits8x8")
        if name in ("explore", "serve"):
            server = pytest.importorskip("uvicorn", reason="needs replearn[serve]").Server
            monkeypatch.setattr(server, "run", lambda *_, **__: None)  # or it would never end
        if name in ("index", "search", "serve"):
            pytest.importorskip("lancedb", reason="needs replearn[serve]")
        if name == "search":
            assert command("index", run, data, "--to", run.parent / "index").code == 0
        (tmp_path / "lesson.py").write_text(LESSON)
        places = {
            "CHAPTER": tmp_path / "lesson.py",
            "RUN": run,
            "PAIRS": pairs,
            "ANSWERS": answers,
            "DATA": data,
            "INDEX": run.parent / "index",
        }
        args = [str(places.get(arg, arg)) for arg in (name, *CALLS[name])]
        return args, tmp_path / WRITTEN[name].replace("RUN", str(run)) if name in WRITTEN else None

    return made


def small_methods(seed):
    import replearn
    from replearn.methods.classical import PCA

    return replearn.SimCLR(encoder="cnn", hidden=8, dim=4, epochs=1, max_minutes=1), PCA(n_components=4)


@pytest.mark.parametrize("name", one_of_each(CALLS, ["list", "fit"]))
def test_a_terminal_of_ascii(name, call, monkeypatch):
    args, written = call(name)
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    assert main(args) == 0
    out = streams[0].buffer.getvalue().decode("ascii")
    assert out
    assert "?" not in out.replace("openreview.net/forum?", "")
    assert written is None or written.is_file()
    if name in ("evaluate", "report", "demo"):
        assert " +-" in out
        assert len({len(line) for line in out.splitlines() if line.startswith("|")}) == 1


@pytest.mark.parametrize("name", QUICK)
def test_streams_that_are_closed(name, call, monkeypatch):
    args, written = call(name)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        patch.setattr(sys, "stderr", None)
        assert main(args) == 0
    assert written is None or written.is_file()


@pytest.fixture
def deaf():
    """A stream whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w", buffering=1)
    yield stream
    with suppress(OSError):
        stream.close()


@pytest.mark.parametrize("name", QUICK)
def test_readers_that_leave(name, call, deaf, monkeypatch):
    args, written = call(name)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", deaf)
        patch.setattr(sys, "stderr", deaf)
        assert main(args) == 0
    assert written is None or written.is_file()


@pytest.mark.all
def test_a_closed_stdout_is_no_file_that_is_written(process, run, data, tmp_path):
    code = "import sys; from replearn.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "embed", str(run), str(data), "--out", "e.npy"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *command], cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0
    assert np.load(tmp_path / "e.npy").shape == (96, 128)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("number", "told"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_stop_outside_of_a_training_is_one_line(name, number, told, call, monkeypatch, capfd, tmp_path):
    args, _ = call(name)
    reached = threading.Event()

    def slow(*_, **__):
        reached.set()
        os.kill(os.getpid(), number)
        time.sleep(5)

    place = {
        "list": "replearn.methods.registry",
        "data": "rich.console.Console.print",
        "embed": "replearn.cli.embed.load_samples",
        "fit": "replearn.cli.fit.load_samples",
        "evaluate": "replearn.comparison.judge",
        "finetune": "replearn.cli.finetune.load_parts",
        "predict": "replearn.cli.predict.load_samples",
        "transfer": "replearn.cli.transfer.load_parts",
        "zeroshot": "replearn.cli.zeroshot.load_samples",
        "auto": "replearn.cli.auto.load_parts",
        "scale": "replearn.cli.scale.load_parts",
        "compare": "replearn.cli.compare.load_parts",
        "lectures": "replearn.lectures.make_chapter",
        "report": "replearn.report.write_report",
        "curate": "replearn.cli.curate.load_samples",
        "index": "replearn.cli.index.load_samples",
        "search": "replearn.service.indexes.open_index",
        "explore": "replearn.cli.explore.load_samples",
        "serve": "replearn.cli.runs.load_run",
        "export": "replearn.service.export",
        "demo": "replearn.cli.demo.load_parts",
    }[name]
    monkeypatch.setattr(place, slow)
    before = signal.getsignal(signal.SIGTERM)
    capfd.readouterr()
    assert main(args) == 128 + number
    assert reached.is_set()
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("replearn: ")]
    assert lines == [f"replearn: stopped by {told} before the end. The same command does it again."]
    assert signal.getsignal(signal.SIGTERM) is before
    assert not {path.name for path in tmp_path.iterdir()} & {
        "new",
        "all",
        "larger",
        "auto",
        "tuned",
        "table",
        "demo",
        "book",
        "e.npy",
        "p.csv",
        "z.csv",
        "x",
        "i",
        "c",
        "s.csv",
    }


def test_a_comparison_that_is_stopped_says_how_to_go_on(command, data, monkeypatch, tmp_path):
    from replearn import comparison

    judge = comparison.compare

    def stopping(*args, **options):
        judge(*args, **options)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    args = ("compare", "pca", "--data", data, "--draws", "2", "--run", "all")
    with monkeypatch.context() as patch:  # undone as a whole, the folder of `command` would be left, too
        patch.setattr(comparison, "compare", stopping)
        answer = command(*args)
    assert answer.code == 143
    assert "the runs in all are kept. To go on: replearn compare pca" in answer.err
    made = (tmp_path / "all/PCA/method.json").stat().st_mtime_ns
    assert command(*args, "--resume").code == 0
    assert (tmp_path / "all/PCA/method.json").stat().st_mtime_ns == made
