"""`replearn embed`: what is in the file, and the same bits after a kill."""

import numpy as np
import pandas as pd
import pytest
from another import held_by_another

from replearn.cli import embed, rows
from replearn.service.embedding import parts


class Killed(BaseException):
    """Stands in for a kill: nothing catches it."""


def test_parquet_holds_index_label_and_representation(command, trained, data):
    answer = command("embed", trained, data, "--out", "e.parquet")
    assert "e.parquet: 96 rows" in answer.out
    frame = pd.read_parquet("e.parquet")
    assert list(frame.columns) == ["index", "label", "h"]
    assert frame["index"].tolist() == list(range(96))
    assert frame["label"].tolist() == ["0", "1"] * 48
    assert command("embed", trained, data, "--out", "e.npy").code == 0
    assert np.array_equal(np.stack(frame["h"]), np.load("e.npy"))
    assert not any(path.name.endswith(".part") for path in (trained.parent).iterdir())


def test_rows_are_those_of_transform(command, trained, data):
    from replearn import as_samples, load

    command("embed", trained, data, "--out", "e.npy", "--rows", "40")
    expected = load(trained).transform(as_samples(data))
    np.testing.assert_allclose(np.load("e.npy"), expected, atol=1e-5)


@pytest.mark.parametrize("suffix", ["npy", "parquet"])
@pytest.mark.parametrize("cut", [0, 7])
def test_killed_it_goes_on_and_ends_with_the_same_bits(
    command, trained, data, monkeypatch, tmp_path, suffix, cut
):
    command("embed", trained, data, "--rows", "16", "--out", f"whole.{suffix}")
    out = tmp_path / f"cut.{suffix}"
    calls = []
    append = rows.Rows.append

    def dies_in_the_third(self, part):
        calls.append(self.done)
        if len(calls) == 3:
            with self.path.open("ab") as file:
                file.write(part.tobytes()[: cut * 700])  # a kill in the midst of a batch
            raise Killed
        append(self, part)

    with monkeypatch.context() as patch:
        patch.setattr(rows.Rows, "append", dies_in_the_third)
        with pytest.raises(Killed):
            command("embed", trained, data, "--rows", "16", "--again", "--out", out)
    assert not out.exists()
    seen = []
    rows_of = parts.embed_rows

    def counted(*args, start, batch):
        seen.append(start)
        return rows_of(*args, start=start, batch=batch)

    monkeypatch.setattr(parts, "embed_rows", counted)
    assert command("embed", trained, data, "--rows", "16", "--again", "--out", out).code == 0
    assert seen == [32]  # two batches were there
    assert out.read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
    assert not (tmp_path / f".{out.name}.part").exists()


def test_what_was_begun_with_other_rows_is_begun_anew(command, trained, data, monkeypatch, tmp_path):
    part = tmp_path / ".e.npy.part"
    part.mkdir()
    (part / "plan.json").write_text('{"other": 1}')
    (part / "rows.npy").write_bytes(b"junk")
    assert command("embed", trained, data, "--out", "e.npy").code == 0
    assert np.load("e.npy").shape[0] == 96


def test_two_processes_do_not_write_one_file(command, trained, data, tmp_path):
    from replearn.cli.options import parse
    from replearn.cli.runs import load_run
    from replearn.data import as_samples
    from replearn.data.copies import content_fingerprint
    from replearn.engine.run import write_json

    options = parse(embed.EmbedOptions, [str(trained), str(data)], command="embed")
    part = tmp_path / ".e.npy.part"
    part.mkdir()
    samples = as_samples(str(data))
    plan = embed._plan(load_run(str(trained)), options, samples, content_fingerprint(samples))
    write_json(part / "plan.json", plan)
    with held_by_another(part):
        assert "one process at a time" in command("embed", trained, data, "--out", "e.npy").line
    assert command("embed", trained, data, "--out", "e.npy").code == 0


def test_a_file_is_never_overwritten(command, trained, data, tmp_path):
    (tmp_path / "mine.npy").write_text("mine")
    assert "exists" in command("embed", trained, data, "--out", "mine.npy").line
    assert (tmp_path / "mine.npy").read_text() == "mine"
    assert ".parquet or .npy" in command("embed", trained, data, "--out", "e.csv").line


def test_names_of_files_are_a_column_and_images_get_the_size_of_the_run(command, trained, tmp_path):
    from PIL import Image

    (tmp_path / "photos").mkdir()
    names = ["a.png", "b <script>.png", 'c "ü".png']
    for name in names:
        Image.new("L", (30, 20), 99).save(tmp_path / "photos" / name)
    assert command("embed", trained, "photos", "--out", "e.parquet").code == 0
    assert sorted(pd.read_parquet("e.parquet")["name"]) == names


def test_runs_of_scikit_learn_embed_too(command, data):
    assert command("fit", "pca", data, "--n-components", "3", "--run", "pca").code == 0
    assert command("embed", "pca", data, "--out", "e.npy", "--rows", "10").code == 0
    assert np.load("e.npy").shape == (96, 3)


def test_a_method_that_places_only_its_own_samples_says_so(command, data):
    assert command("fit", "tsne", data, "--perplexity", "5", "--max-iter", "250", "--run", "tsne").code == 0
    assert command("embed", "tsne", data, "--out", "e.npy").code == 0
    np.save("other.npy", np.zeros((9, 8, 8), np.uint8))
    assert "places only the 96 samples" in command("embed", "tsne", "other.npy", "--out", "f.npy").line
