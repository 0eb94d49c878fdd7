"""`evaluate --latent` in one call: with and without a decoder, labels and pictures."""

import json

import numpy as np
import pandas as pd
import pytest

FEW = ["--draws", "2", "--fractions", "1.0", "--latent"]
PATHS = {f"{path} {what}" for path in ("interpolation", "spherical") for what in ("distance", "straightness")}
CLUSTERS = {"silhouette", "cluster NMI", "cluster ARI", "cluster accuracy"}
SPARSE = {"lifetime sparseness", "population sparseness"}
TINY = ["--dim", "2", "--epochs", "1", "--batch-size", "32", "--precision", "32-true"]


def measures(folder) -> dict[str, set[str]]:
    scores = pd.DataFrame(json.loads((folder / "evaluation.json").read_text())["scores"])
    return {str(name): set(own["measure"]) for name, own in scores.groupby("representation")}


def judged(command, run, data):
    """The answer of `evaluate`, the page of `report`, and the measures by representation."""
    answer = command("evaluate", run, data, *FEW)
    assert answer.code == 0, answer.err
    assert max(map(len, answer.out.splitlines()[:-2])) <= 80
    assert "the code" in answer.out
    assert command("report", run).code == 0
    page = (run / "report.html").read_text()
    assert 'id="code"' in page
    return answer, page, measures(run)


@pytest.mark.all
def test_an_autoencoder(command, data, tmp_path):
    command("fit", "autoencoder", data, *TINY, "--run", tmp_path / "ae")
    answer, page, found = judged(command, tmp_path / "ae", data)
    both = PATHS | CLUSTERS | SPARSE | {"reconstruction error", "reconstruction distance"}
    layers = {f"layer {i} {probe}" for i in (1, 2, 3) for probe in ("kNN", "linear probe")}
    assert both | layers <= found["Autoencoder"]
    assert CLUSTERS | SPARSE | layers <= found["untrained encoder"]
    assert not both & found["untrained encoder"] - CLUSTERS - SPARSE
    assert {"interpolation distance", *CLUSTERS, *SPARSE} <= found["raw input"]
    assert not {"reconstruction error", "layer 1 kNN"} & found["raw input"]
    assert "interpolation straightness" in answer.out
    # 2 reconstructions, 4 pairs of 3, 2 latents, the plane, 6 units of 3 layers.
    assert page.count("<img ") == 2 + 12 + 2 + 1 + 18
    assert page.count('src="data:image/png;base64,') == page.count("<img ")
    assert "Accuracy of probes of each layer" in page


def test_principal_components(command, data, tmp_path):
    command("fit", "pca", data, "--n-components", "3", "--run", tmp_path / "pca")
    _, page, found = judged(command, tmp_path / "pca", data)
    assert found["PCA"] >= PATHS | CLUSTERS | SPARSE
    assert page.count("<img ") == 2 + 12 + 3
    assert "variance" in page


def test_no_decoder_no_interpolation(command, run, data):
    _, page, found = judged(command, run, data)
    assert CLUSTERS | SPARSE | {"layer 1 kNN"} <= found["SimCLR"]
    assert not any(PATHS & own for own in found.values())
    assert "What lies between" not in page
    assert "What excites units" in page


@pytest.mark.all
def test_a_table(command, tmp_path):
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(90, 5)) * [1, 1, 1, 1, 1e4], columns=list("abcde"))
    table.assign(y=np.where(table.a > 0, "up", "down")).to_csv(tmp_path / "t.csv", index=False)
    labels = ["--labels", "y"]
    command("fit", "autoencoder", tmp_path / "t.csv", *labels, *TINY, "--run", tmp_path / "t")
    answer = command("evaluate", tmp_path / "t", tmp_path / "t.csv", *labels, *FEW)
    assert answer.code == 0, answer.err
    assert command("report", tmp_path / "t").code == 0
    assert (
        PATHS | CLUSTERS | {"reconstruction error", "layer 1 kNN"} <= measures(tmp_path / "t")["Autoencoder"]
    )
    assert "<img " not in (tmp_path / "t" / "report.html").read_text()


def test_without_labels(command, data, tmp_path):
    with np.load(data) as stored:
        np.savez(tmp_path / "bare.npz", images=stored["images"])
    command("fit", "autoencoder", tmp_path / "bare.npz", *TINY, "--run", tmp_path / "bare")
    _, page, found = judged(command, tmp_path / "bare", tmp_path / "bare.npz")
    assert found["Autoencoder"] >= PATHS | SPARSE
    assert not CLUSTERS & found["Autoencoder"]
    assert "What lies between" in page
    assert "At which layer" not in page


def test_clusters(command, data, tmp_path):
    command("fit", "kmeans", data, "--n-clusters", "3", "--run", tmp_path / "clusters")
    _, _, found = judged(command, tmp_path / "clusters", data)
    assert found["KMeans"] >= CLUSTERS | SPARSE


def test_nobody_asked(command, run, data):
    answer = command("evaluate", run, data, "--draws", "2", "--fractions", "1.0")
    assert "the code" not in answer.out
    command("report", run)
    assert 'id="code"' not in (run / "report.html").read_text()


def test_a_code_of_texts(command, tmp_path):
    pytest.importorskip("tokenizers")
    lines = [f"the {name} of {place},{name}" for name in ("cat", "axe") for place in "abcdefghijklmnopqrst"]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    fit = (
        "fit",
        "textvae",
        "texts.csv",
        "--epochs",
        "1",
        "--batch-size",
        "8",
        "--vocabulary",
        "300",
        "--run",
        "x",
    )
    assert command(*fit).code == 0
    assert command("evaluate", "x", "texts.csv", *FEW).code == 0
    assert measures(tmp_path / "x")["TextVAE"] >= CLUSTERS
