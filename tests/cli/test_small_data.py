"""Every method fits a dozen tiny samples of each kind that it serves, or says in one line why it can't."""

import re
import wave

import numpy as np
import pytest
from PIL import Image

from lanes import MECHANISMS, one_of_each
from made_games import random_go
from made_volumes import made_volumes
from replearn.methods import Trained, registry

N = 12
CASES = [(name, kind) for name, entry in registry().items() for kind in entry.kinds]
# What files of a kind, or its networks, need.
EXTRAS = {
    "board": "sgfmill",
    "graph": "torch_geometric",
    "node": "torch_geometric",
    "pairs": "tokenizers",
    "points": "trimesh",
    "sequence": "tokenizers",
    "series": "numpy",
    "sound": "soundfile",
    "volume": "nibabel",
    "video": "numpy",
}
# Methods whose defaults ask for more than there is: what is said, with the number.
SAID = {
    ("kmeans", "few"): "n_clusters is 5, since there are 5 samples; the default is 8",
    ("minibatchkmeans", "few"): "n_clusters is 5, since there are 5 samples; the default is 8",
    ("tsne", "image"): "perplexity is 3.667, since there are 12 samples; the default is 30",
    ("tsne", "table"): "perplexity is 3.667, since there are 12 samples; the default is 30",
    (
        "bagofvisualwords",
        "image",
    ): "words is 12, the places that they are learned from, since there are no more",
    (
        "fishervectors",
        "image",
    ): "gaussians is 12, the places that they are learned from, since there are no more; the default is 32",
    (
        "patchcodes",
        "image",
    ): "atoms is 12, the places that they are learned from, since there are no more; the default is 128",
    ("autoencoder", "table"): "dim is 2, the numbers that are fewer than a sample's",
    ("glove", "lines"): "least is 1, since no word occurs 5 times, the default",
    ("word2vec", "text"): "sample is 0, since the default, 0.001, would leave",
}
GIVEN = [
    ("pca", "table", "--n-components", "0", "n_components must be at least 1"),
    ("kmeans", "image", "--n-clusters", "13", "n_samples=12 should be >= n_clusters=13"),
    ("tsne", "image", "--perplexity", "12", "perplexity .* must be less than n_samples"),
    ("pca", "table", "--n-components", "4", "n_components=4 must be between 0 and"),
    ("bagofvisualwords", "image", "--words", "13", "words must lie between 1 and the 12 places"),
    ("fishervectors", "image", "--gaussians", "13", "gaussians must lie between 1 and the 12 places"),
    ("patchcodes", "image", "--atoms", "13", "atoms must lie between 1 and the 12 places"),
    ("patchcodes", "image", "--side", "9", "side must lie between 1 and the 8 pixels"),
    ("autoencoder", "table", "--dim", "3", "dim must lie between 1 and the 2 numbers that are fewer"),
    ("word2vec", "text", "--sample", "0.0000001", "no text has two known words"),
    ("word2vec", "text", "--least", "40", "occurs at least 40 times"),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A dozen samples of each kind, as files."""
    folder, rng = tmp_path_factory.mktemp("tiny"), np.random.default_rng(0)
    labels = np.arange(N) % 2
    images = rng.integers(0, 256, (N, 8, 8), dtype=np.uint8)
    np.savez(folder / "image.npz", x=images, y=labels)
    np.savez(folder / "few.npz", x=images[:5], y=labels[:5])
    rows = [
        f"{a:.3f},{b:.3f},{c:.3f},{'xy'[y]}"
        for (a, b, c), y in zip(rng.normal(size=(N, 3)), labels, strict=True)
    ]
    (folder / "table.csv").write_text("\n".join(["a,b,c,label", *rows]))
    (folder / "pairs").mkdir()
    for i, y in enumerate(labels):
        Image.fromarray(images[i]).save(folder / "pairs" / f"{i}.png")
        (folder / "pairs" / f"{i}.txt").write_text(f"{'xy'[y]} number {i}")
    labelled = [f"{i}.png,{'xy'[y]}" for i, y in enumerate(labels)]
    (folder / "labels.csv").write_text("\n".join(["file,label", *labelled]))
    words = ["the", "cat", "sat", "on", "a", "mat", "with", "dogs", "and", "birds"]
    texts = [f"{' '.join(rng.choice(words, 4))},{'xy'[y]}" for y in labels]
    (folder / "text.csv").write_text("\n".join(["text,label", *texts]))
    (folder / "lines.txt").write_text("the cat sat on a mat\na dog ran on grass\n")
    genes = ["".join(rng.choice(list("ACGT"), 30)) for _ in labels]
    records = [f">{i} class={'xy'[y]}\n{gene}" for i, (gene, y) in enumerate(zip(genes, labels, strict=True))]
    (folder / "sequence.fasta").write_text("\n".join(records))
    ring = np.stack([np.arange(N), (np.arange(N) + 1) % N])
    np.savez(
        folder / "node.npz", x=rng.normal(size=(N, 3)), edge_index=np.hstack([ring, ring[::-1]]), y=labels
    )
    made_volumes(folder / "volume", rng, labels)
    np.savez(folder / "video.npz", clips=rng.integers(0, 256, (N, 6, 8, 8, 3), dtype=np.uint8), labels=labels)
    random_go(folder / "board.sgf", 4, moves=N // 4)
    for i, y in enumerate(labels):
        for kind in ("series", "sound", "graph", "points"):
            (folder / kind / "xy"[y]).mkdir(parents=True, exist_ok=True)
        np.savetxt(folder / "series" / "xy"[y] / f"{i}.csv", rng.normal(size=(20, 3)), "%.3f", ",", header="a,b,c",
                   comments="")  # fmt: skip
        (folder / "graph" / "xy"[y] / f"{i}.edgelist").write_text("0 1\n1 2\n2 3\n3 0\n0 2\n")
        np.savetxt(folder / "points" / "xy"[y] / f"{i}.xyz", rng.normal(size=(40, 3)))
        with wave.open(str(folder / "sound" / "xy"[y] / f"{i}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((3000 * rng.normal(size=1600)).astype("<i2").tobytes())
    return {path.stem: path for path in folder.iterdir()}


def fitted(command, tiny, name, kind, *options):
    epochs = ["--epochs", "1"] if issubclass(registry()[name].cls, Trained) else []
    asked = ["--kind", "pairs", "--labels", str(tiny["labels"])] if kind == "pairs" else []
    return command("fit", name, str(tiny[kind]), "--run", "run", *asked, *epochs, *options)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *one_of_each(
            [case for case in CASES if case[1] not in EXTRAS], [*MECHANISMS, *(name for name, _ in SAID)]
        ),
        *one_of_each([case for case in CASES if case[1] in EXTRAS], ["simclr"]),
    ],
)
def test_a_dozen_samples_are_enough_or_too_few_in_a_line(command, tiny, name, kind):
    pytest.importorskip(EXTRAS.get(kind, "numpy"))
    done = fitted(command, tiny, name, kind)
    if done.code == 0:
        assert SAID.get((name, kind), "") in " ".join(done.err.split())
        return
    assert done.line
    assert (name, kind) not in SAID


@pytest.mark.parametrize(("name", "kind"), [case for case in SAID if case[1] in ("few", "lines")])
def test_defaults_shrink_with_even_fewer(command, tiny, name, kind):
    done = fitted(command, tiny, name, kind)
    assert done.code == 0
    assert SAID[name, kind] in " ".join(done.err.split())


@pytest.mark.parametrize(("name", "kind", "option", "value", "says"), GIVEN)
def test_what_was_given_is_refused(command, tiny, name, kind, option, value, says):
    done = fitted(command, tiny, name, kind, option, value)
    assert re.search(says, done.line)


@pytest.mark.parametrize("name", ["bagofvisualwords", "fishervectors", "patchcodes", "autoencoder", "tsne"])
def test_what_has_shrunk_is_loaded(command, tiny, name):
    kind = "table" if name == "autoencoder" else "image"
    assert fitted(command, tiny, name, kind).code == 0
    if name != "tsne":  # which places no other samples
        assert command("embed", "run", str(tiny[kind]), "--out", "h.npy").code == 0
        assert len(np.load("h.npy")) == N
    assert fitted(command, tiny, name, kind, "--resume").code == 0
