"""Image GPT does what the paper says: pixels are tokens of a palette, and each is told from those before it."""

import pickle
from math import exp, log, log2

import numpy as np
import pytest
import torch

import replearn
from replearn.encoders.palette import Palette

pytest.importorskip("transformers")

QUICK = {"dim": 16, "depth": 2, "batch_size": 8, "epochs": 1, "device": "cpu", "precision": "32-true"}
RNG = np.random.default_rng(0)
COLOURED = RNG.integers(0, 256, (24, 3, 6, 8), dtype=np.uint8)


@pytest.fixture(scope="module")
def few():
    """Digits of 7 x 7 pixels."""
    x = replearn.load_data("digits", split="train")[np.arange(48)].x.numpy()[:, :, ::4, ::4]
    return replearn.as_samples(np.ascontiguousarray(x))


def prepared(samples, **fields):
    method = replearn.ImageGPT(**QUICK | fields).prepare(samples)
    for module in method.modules().values():
        module.eval()
    return method


def palette_of(images, **given):
    samples = replearn.as_samples(images)
    palette = Palette(samples, **{"colours": None, "side": 16} | given)
    palette.learn(samples, random_state=0)
    return palette, samples


def test_grey_levels_are_even_and_pixels_take_the_nearest():
    image = np.array([[[[0, 8], [9, 255]]]], dtype=np.uint8)
    palette, samples = palette_of(image)
    assert palette.colours[:, 0].tolist() == pytest.approx([i / 15 for i in range(16)])
    assert palette(samples[np.arange(1)]).tolist() == [[0, 0, 1, 15]]


@pytest.mark.parametrize(
    ("size", "side", "small"), [((28, 28), 16, (14, 14)), ((32, 32), 16, (16, 16)), ((14, 14), 16, (14, 14)),
                                ((6, 8), 4, (3, 4)), ((40, 5), 4, (4, 1))]
)  # fmt: skip
def test_images_are_made_small_by_means_in_raster_order(size, side, small):
    x = RNG.integers(0, 256, (2, 3, *size), dtype=np.uint8)
    palette, samples = palette_of(x, side=side)
    assert palette.shape == (3, *small)
    times = -(-max(size) // side)
    if size[0] % times == size[1] % times == 0:
        means = x.reshape(2, 3, small[0], times, small[1], times).mean((3, 5)) / 255
        rows = means.transpose(0, 2, 3, 1).reshape(2, -1, 3)  # row by row
        np.testing.assert_allclose(palette.pixels(samples[np.arange(2)]).numpy(), rows, atol=1e-6)


def test_colours_are_learned_from_training_pixels_and_each_pixel_has_the_nearest():
    palette, samples = palette_of(COLOURED, colours=32)
    pixels = palette.pixels(samples[np.arange(24)]).flatten(0, 1)
    by_hand = ((pixels[:, None] - palette.colours) ** 2).sum(2).argmin(1)
    ids = palette(samples[np.arange(24)])
    assert torch.equal(ids.flatten(), by_hand)
    assert len(ids.unique()) == 32
    error = (palette.images(ids) - samples[np.arange(24)].floats().x).square().mean()
    others, _ = palette_of(COLOURED[:1], colours=32)
    worse = (
        (others.images(others(samples[np.arange(24)])) - samples[np.arange(24)].floats().x).square().mean()
    )
    assert error < 0.75 * worse


def test_few_unlike_colours_are_kept_as_they_are():
    x = np.zeros((4, 3, 2, 2), np.uint8)
    x[:2] = 255
    palette, samples = palette_of(x)
    ids = palette(samples[np.arange(4)])
    assert len(palette.colours) == 512
    assert torch.equal(palette.images(ids), samples[np.arange(4)].floats().x)


def test_the_palette_is_the_same_for_a_seed_and_comes_back_with_the_run(tmp_path):
    one, other = (replearn.ImageGPT(**QUICK, colours=8).fit(COLOURED) for _ in range(2))
    assert torch.equal(one.encoder_.palette.colours, other.encoder_.palette.colours)
    one.save(tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    assert torch.equal(again.encoder_.palette.colours, one.encoder_.palette.colours)
    np.testing.assert_array_equal(again.bits_per_pixel(COLOURED), one.bits_per_pixel(COLOURED))
    np.testing.assert_array_equal(again.histogram_bits(COLOURED), one.histogram_bits(COLOURED))


def test_histogram_counts_colours_by_place(few):
    method = prepared(few, colours=4)
    ids = method.encoder_.palette(few[np.arange(48)]).tolist()
    slow = []
    for row in ids:
        shares = [(sum(r[t] == row[t] for r in ids) + 1 / 4) / 49 for t in range(49)]
        slow.append(-sum(map(log2, shares)) / 49)
    np.testing.assert_allclose(method.histogram_bits(few), slow, rtol=1e-5)


def test_likelihood_is_a_product_over_pixels_in_order(few):
    """In float64, by loops: each pixel's softmax after a state that has read the mark and the pixels before it."""
    method = prepared(few, colours=4, side=4)
    for module in method.modules().values():
        module.double()
    batch = few[np.arange(3)]
    rows, net = method.encoder_.palette(batch).tolist(), method.encoder_.body.net
    assert [len(row) for row in rows] == [9, 9, 9]
    weights, total = method.head_.weight.tolist(), []
    for row in rows:
        nats = 0.0
        for t, colour in enumerate(row):
            read = torch.tensor([[4, *row[:t]]])  # the mark, and what came before
            state = net.net(input_ids=read).last_hidden_state[0, -1].tolist()
            scores = [sum(w * s for w, s in zip(each, state, strict=True)) for each in weights]
            nats -= scores[colour] - log(sum(map(exp, scores)))
        total.append(nats / len(row))
    assert method.loss(batch).item() == pytest.approx(sum(total) / 3, rel=1e-9)
    bits = method._bits(batch).tolist()
    assert bits == pytest.approx([nats / log(2) for nats in total], rel=1e-5)


@pytest.mark.parametrize("changed", [0, 1, 20, 48])
def test_later_pixels_change_no_earlier_logits_bit_by_bit(few, changed):
    method = prepared(few)
    ids = method.encoder_.palette(few[np.arange(4)])
    other = ids.clone()
    other[:, changed:] = (other[:, changed:] + 5) % 16
    with torch.inference_mode():
        a, b = method.logits(ids), method.logits(other)
    assert torch.equal(a[:, : changed + 1], b[:, : changed + 1])  # a pixel's own logits come before it
    if changed < 48:
        assert not torch.equal(a[:, changed + 1], b[:, changed + 1])


def test_states_of_masked_pixels_tell_of_both_sides(few):
    method = prepared(few, objective="masked")
    ids = method.encoder_.palette(few[np.arange(4)])
    other = ids.clone()
    other[:, -1] = (other[:, -1] + 5) % 16
    with torch.inference_mode():
        assert not torch.equal(method.logits(ids)[:, 0], method.logits(other)[:, 0])


def test_masked_loss_is_of_hidden_pixels_which_nobody_sees(few):
    method = prepared(few, objective="masked", share=0.3)
    batch, palette = few[np.arange(4)], method.encoder_.palette
    torch.manual_seed(0)
    loss = method.loss(batch)
    torch.manual_seed(0)
    places = method.hidden(batch)
    assert places.shape == (4, 15)  # of 49
    assert all(len(row.unique()) == 15 for row in places)
    ids = palette(batch)
    seen = ids.scatter(1, places, 16)
    told = method.logits(seen).log_softmax(2).tolist()
    slow = [-told[i][t][ids[i, t]] for i in range(4) for t in places[i].tolist()]
    assert loss.item() == pytest.approx(sum(slow) / len(slow), rel=1e-5)
    assert (seen == 16).sum() == 60


def test_completions_keep_what_is_given_and_are_drawn_as_without_memory(few):
    method = prepared(few)
    torch.nn.init.normal_(method.head_.weight, std=1.0)
    found = method.complete(few, seen=0.5, random_state=3)
    palette = method.encoder_.palette
    true = palette.images(palette(few[np.arange(48)])).numpy()
    np.testing.assert_array_equal(found[:, :, :4], true[:, :, :4])  # half of 7 rows
    assert not np.array_equal(found, true)
    np.testing.assert_array_equal(found, method.complete(few, random_state=3))
    assert not np.array_equal(found, method.complete(few, random_state=4))
    greedy = palette(torch.from_numpy(method.complete(few, temperature=0.0)))
    slow = palette(few[np.arange(48)])
    with torch.inference_mode():
        for t in range(28, 49):
            slow[:, t] = method.logits(slow)[:, t].argmax(1)
    assert torch.equal(greedy, slow)
    np.testing.assert_array_equal(method.complete(few, seen=1.0), true)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_representation_is_the_mean_of_normalised_states_of_a_layer(few, layer):
    method = prepared(few, layer=layer)
    h = method.transform(few)
    with torch.inference_mode():
        states = method.encoder_.read(few[np.arange(48)], "layers")
    assert len(states) == 3
    normal = torch.nn.functional.layer_norm(states[layer], (16,)).mean(1)
    np.testing.assert_allclose(h, normal.numpy(), atol=1e-5)
    layers = method.encoder_.layers(few[np.arange(48)])
    np.testing.assert_allclose(h, layers[layer].detach().numpy(), atol=1e-5)


def test_the_middle_layer_represents_unless_another_is_asked_for(few):
    np.testing.assert_array_equal(prepared(few).transform(few), prepared(few, layer=1).transform(few))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"side": 40}, "side must leave at most 512 pixels"),
        ({"layer": 3}, "layer must be from 0 to 2"),
        ({"objective": "bert"}, "objective must be next or masked"),
        ({"objective": "masked", "share": 1.0}, r"share must lie in \(0, 1\)"),
        ({"colours": 1}, "colours must be at least 2"),
        ({"depth": 0}, "depth must be at least 1"),
    ],
)
def test_bad_fields_are_told_in_one_line(fields, says):
    with pytest.raises(ValueError, match=says) as error:
        replearn.ImageGPT(**QUICK).set_params(**fields).prepare(np.zeros((16, 1, 40, 40), np.uint8))
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("call", ["complete", "bits_per_pixel"])
def test_what_needs_an_order_is_refused_where_there_is_none(few, call):
    with pytest.raises(ValueError, match=f"{call} needs objective='next'"):
        getattr(prepared(few, objective="masked"), call)(few)


@pytest.mark.parametrize("objective", ["next", "masked"])
def test_exhibit_shows_what_was_seen_what_was_told_and_what_is_true(few, objective):
    found = prepared(few, objective=objective).exhibit(few[np.arange(5)])
    seen, told, true = found.pictures.values()
    assert list(found.pictures) == ["seen", "predicted", "true"]
    assert seen.shape == told.shape == true.shape == (5, 1, 7, 7)
    known = seen == true
    assert torch.equal(told[known], true[known])
    if objective == "next":
        assert torch.equal(seen[:, :, :4], true[:, :, :4])
        assert (seen[:, :, 4:] == 0.5).all()


def test_one_that_has_told_its_states_is_pickled(few):
    method = prepared(few)
    h = method.transform(few)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(method)).transform(few), h)
    np.testing.assert_array_equal(method.transform(few), h)


def test_a_missing_package_is_told_in_one_line(few, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ValueError, match=r"replearn\[text\]"):
        prepared(few)


@pytest.mark.all
def test_learns_more_than_how_often_a_place_has_a_level():
    digits = replearn.load_data("digits", split="train")
    train, test = digits.subset(np.arange(1000)), digits.subset(np.arange(1000, 1200))
    method = replearn.ImageGPT(**QUICK | {"dim": 32, "epochs": 6, "batch_size": 16}, side=7, colours=8).fit(
        train
    )
    bits, by_place = method.bits_per_pixel(test).mean(), method.histogram_bits(test).mean()
    assert bits < by_place - 0.05
    last = method.history_.rows[-1]
    assert last["histogram_gain"] > 0
    assert method.history_.alarms == []
