"""`fit distill`: a run teaches another one, which goes on, embeds and is judged when the first one is gone."""

import shutil

import numpy as np

SMALL = ("--encoder", "mlp", "--epochs", "1", "--batch-size", "64")


def test_a_student_works_when_its_teacher_is_gone(command, tmp_path):
    command("fit", "autoencoder", "digits8x8", "--run", "teacher", "--encoder", "mlp", "--epochs", "1")
    done = command("fit", "distill", "digits8x8", "--teacher", "teacher", "--run", "student", *SMALL)
    assert done.code == 0, done.err
    assert "the teacher in teacher is asked once: 1,438 rows of" in " ".join(done.err.split())
    assert command("embed", "student", "digits8x8:test", "--out", "a.npy").code == 0
    shutil.rmtree(tmp_path / "teacher")
    assert command("embed", "student", "digits8x8:test", "--out", "b.npy", "--again").code == 0
    assert np.array_equal(np.load("a.npy"), np.load("b.npy"))
    more = command(
        "fit", "distill", "digits8x8", "--teacher", "teacher", "--run", "student", *SMALL, "--resume"
    )
    assert more.code == 2
    assert "teacher" in more.line


def test_a_teacher_is_asked_for(command):
    done = command("fit", "distill", "digits8x8", *SMALL)
    assert done.code == 2
    assert "teacher must be a run folder, hf:FOLDER, onnx:FILE or NAME@FILE" in done.line
    gone = command("fit", "distill", "digits8x8", "--teacher", "runs/gone", *SMALL)
    assert "teacher must be an existing run folder; runs/gone is not" in gone.line
