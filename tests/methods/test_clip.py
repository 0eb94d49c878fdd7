"""CLIP: members find each other; each point of the papers, and that it learns."""

import math

import numpy as np
import pytest
import torch

import replearn
from made_methods import few_pairs
from replearn import CLIP
from replearn.data import as_samples
from replearn.data.pairs import member
from replearn.evaluate import retrieval
from replearn.objectives.modalities import sigmoid_pairing, softmax_pairing
from replearn.views import Pair, Same
from replearn.views.members import Apart

pytest.importorskip("tokenizers", reason="needs replearn[text]")
PLAIN = Apart(("image", "text"), (Same(), Same()))
QUICK = {
    "encoder": "image=cnn,text=words",
    "batch_size": 16,
    "epochs": 1,
    "device": "cpu",
    "precision": "32-true",
}


def ask(method, classes, **given):
    return method.classify(few_pairs().members["image"], classes, **given)


def embedded(method, batch):
    return [method.heads_[name](tower(member(batch, name))) for name, tower in method.encoder_.towers.items()]


@pytest.mark.parametrize("pairing", ["softmax", "sigmoid"])
def test_the_loss_is_that_of_the_papers(pairing):
    method = CLIP(**QUICK, pairing=pairing, views=PLAIN).prepare(few_pairs())
    batch = few_pairs()[np.arange(8)]
    method.encoder_.eval()
    z = embedded(method, batch)
    scale, bias = (torch.tensor(x) for x in ((1 / 0.07, 0.0) if pairing == "softmax" else (10.0, -10.0)))
    expected = (
        softmax_pairing(*z, scale=scale)
        if pairing == "softmax"
        else sigmoid_pairing(*z, scale=scale, bias=bias)
    )
    torch.testing.assert_close(method.loss(batch), expected)
    method.loss(batch).backward()
    assert abs(method.scale_.log.grad) > 0
    assert all(p.grad is not None for p in (*method.encoder_.parameters(), *method.heads_.parameters()))


def test_equal_captions_are_no_negatives():
    images = np.random.default_rng(0).integers(0, 256, (8, 1, 8, 8), dtype=np.uint8)
    samples = as_samples({"image": images, "text": [*"abcdabcd"]})
    method = CLIP(**QUICK | {"batch_size": 8}).prepare(samples)
    unlike = method.unlike(samples[np.arange(8)])
    expected = torch.arange(8)[:, None] % 4 != torch.arange(8) % 4
    assert torch.equal(unlike, expected)


def test_three_members_find_each_other_two_by_two():
    rng = np.random.default_rng(0)
    parts = {name: rng.normal(size=(32, 6)).astype(np.float32) for name in "abc"}
    samples = as_samples(parts)
    plain = Apart(("a", "b", "c"), (Same(),) * 3)
    method = CLIP(device="cpu", precision="32-true", batch_size=16, epochs=1, views=plain).prepare(samples)
    method.encoder_.eval()
    batch = samples[np.arange(16)]
    a, b, c = embedded(method, batch)
    scale = torch.tensor(1 / 0.07)
    each = [softmax_pairing(x, y, scale=scale) for x, y in ((a, b), (a, c), (b, c))]
    torch.testing.assert_close(method.loss(batch), torch.stack(each).mean())


def test_the_scale_is_clamped():
    method = CLIP(**QUICK).prepare(few_pairs())
    with torch.no_grad():
        method.scale_.log.fill_(9.0)
    method.after_step(0.5)
    assert method.scale_().item() == pytest.approx(100, rel=1e-5)


def test_what_is_locked_learns_nothing():
    before = CLIP(**QUICK, locked=("image",)).prepare(few_pairs())
    kept = {name: tensor.clone() for name, tensor in before.encoder_.state_dict().items()}
    after = CLIP(**QUICK, locked=("image",)).fit(few_pairs()).encoder_.state_dict()
    changed = {name.split(".")[1] for name, tensor in after.items() if not torch.equal(tensor, kept[name])}
    assert changed == {"text"}
    for locked, said in ((("sound",), "got sound"), (("image", "text"), "not all; got image, text")):
        with pytest.raises(ValueError, match=said):
            CLIP(**QUICK, locked=locked).fit(few_pairs())


def test_projections_are_of_length_1_and_the_same_after_loading(tmp_path):
    method = CLIP(**QUICK).fit(few_pairs(), run=tmp_path / "run")
    texts = few_pairs().members["text"]
    z = method.project(texts)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, rtol=1e-5)
    method.encoder_.eval()
    with torch.inference_mode():
        own = embedded(method, few_pairs()[np.arange(96)])[1]
    np.testing.assert_allclose(z, torch.nn.functional.normalize(own, dim=1), atol=1e-5)
    again = replearn.load(tmp_path / "run")
    np.testing.assert_array_equal(again.project(list(texts.texts), of="text"), z)
    h = method.transform(few_pairs())
    np.testing.assert_allclose(
        method.embed(torch.from_numpy(h)).detach()[:, method.dim :], own, atol=1e-4, rtol=1e-4
    )


def test_classes_by_name_are_cosines_to_the_mean_of_their_prompts():
    method = CLIP(**QUICK).fit(few_pairs())
    images = few_pairs().members["image"].subset(np.arange(5))
    told = {"a": ["one", "two"], "b": ["three"]}
    found = method.classify(images, told, templates=("it is {}", "{}"))
    prompts = [[f"it is {n}", n] for n in ("one", "two", "three")]
    z = [method.project([text for each in own for text in each]) for own in (prompts[:2], prompts[2:])]
    means = np.stack([part.mean(0) / np.linalg.norm(part.mean(0)) for part in z])
    logits = method.scale_().item() * method.project(images) @ means.T
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    np.testing.assert_allclose(method.classify(images, ["one", "two"]).sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda m: m.project(np.zeros((2, 1, 8, 8), np.uint8)), r"image of shape \(1, 14, 14\); got image"),
        (lambda m: m.project(["a"], of="sound"), "of must be one of the members image, text; got 'sound'"),
        (
            lambda m: m.project(np.zeros((2, 3))),
            r"of one member's kind, image \(image\), text \(text\); got table",
        ),
        (
            lambda m: m.classify(few_pairs().members["text"], ["a", "b"]),
            "by must name a member of texts beside",
        ),
        (lambda m: ask(m, ["a", "b"], templates=["a photo"]), "place {}"),
        (lambda m: ask(m, ["a", "b"], templates="a {}"), "must be a list of texts"),
        (lambda m: ask(m, "dog"), "two or more, each with a name; got 'dog'"),
        (lambda m: ask(m, ["dog"]), "two or more"),
        (lambda m: ask(m, ["dog", ""]), "each with a name"),
        (lambda m: ask(m, ["dog", "cat", "dog"]), "got 'dog' more than once"),
        (lambda m: ask(m, [["dog", "hound"], ["cat"]]), r"give \{'dog': \['dog', 'hound'\]"),
        (lambda m: ask(m, ["a", "b"], by="image"), "beside 'image': text; got image"),
    ],
)
def test_what_can_not_be_asked(call, said):
    with pytest.raises(ValueError, match=said):
        call(CLIP(**QUICK).prepare(few_pairs()))


def test_views_that_do_not_part_members_are_refused():
    with pytest.raises(ValueError, match=r"members apart, Apart\(\.\.\.\); got Pair"):
        CLIP(**QUICK, views=Pair(Same())).fit(few_pairs())
    with pytest.raises(ValueError, match="learns from samples of kind pairs; got image"):
        CLIP(**QUICK).fit(few_pairs().members["image"])


def test_members_that_are_all_alike_are_refused():
    images = few_pairs().members["image"]
    with pytest.raises(ValueError, match="of 'text' all 96 that were looked at are alike"):
        CLIP(**QUICK).fit({"image": images, "text": ["the same"] * 96})


def test_slices_have_the_gradient_of_the_whole():
    exact = QUICK | {"encoder": "image=linear,text=words", "optimizer": "sgd"}  # no statistics of a batch
    whole, sliced = (
        CLIP(**exact, slice_size=size).fit(few_pairs()).project(few_pairs().members["text"])
        for size in (None, 5)
    )
    np.testing.assert_allclose(whole, sliced, rtol=1e-3, atol=1e-4)


def test_at_collapse_the_loss_is_the_one_that_is_told():
    method = CLIP(**QUICK)
    z = torch.ones(16, 4)
    assert float(softmax_pairing(z, z, scale=torch.tensor(3.0))) == pytest.approx(method.loss_at_collapse())
    assert method.loss_at_collapse() == pytest.approx(math.log(16))
    assert CLIP(pairing="sigmoid").loss_at_collapse() is None


def test_the_exhibit_asks_for_the_text_of_each_picture():
    method = CLIP(**QUICK).fit(few_pairs())
    batch = few_pairs()[np.arange(12)]
    shown = method.exhibit(batch)
    texts = list(few_pairs().members["text"].texts)[:12]
    z = [
        method.project(few_pairs().members[name].subset(np.arange(12)), of=name) for name in ("image", "text")
    ]
    best = (z[0] @ z[1].T).argmax(1)
    assert list(shown.said) == [texts[place] for place in best]
    assert list(shown.right) == [texts[place] == texts[i] for i, place in enumerate(best)]
    rows = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    plain = CLIP(device="cpu").prepare(as_samples({"a": rows, "b": rows}))
    assert plain.exhibit(as_samples({"a": rows, "b": rows})[np.arange(3)]) is None


@pytest.mark.all
@pytest.mark.parametrize("pairing", ["softmax", "sigmoid"])
def test_it_finds_partners_that_it_has_not_seen(pairing):
    """Shades of grey, told in words: of unseen pictures with a shade that is known."""
    rng = np.random.default_rng(0)
    shade = np.arange(400) % 8
    images = (30 * shade[:, None, None, None] + rng.integers(0, 12, (400, 1, 8, 8))).astype(np.uint8)
    samples = as_samples({"image": images, "text": [f"shade {'abcdefgh'[s]}" for s in shade]})
    train, test = samples.subset(np.arange(320)), samples.subset(np.arange(320, 400))
    method = CLIP(**QUICK | {"epochs": 12}, pairing=pairing).fit(train)
    z = [method.project(test.members[name], of=name) for name in ("image", "text")]
    assert retrieval(*z, same=shade[320:])["recall@1"] > 0.9
    names = [f"shade {letter}" for letter in "abcdefgh"]
    assert (method.classify(test.members["image"], names).argmax(1) == shade[320:]).mean() > 0.9
    assert method.history_.rows[-1]["partner_found"] > 2 / 80
