"""MAE: what its paper asks for, point by point."""

import json

import numpy as np
import pytest
import torch

import made_methods
import replearn
from made_methods import few_images
from replearn import MAE
from replearn.encoders.patching import chosen
from replearn.methods.exhibit import exhibit_of
from replearn.methods.masked.patches import hide
from replearn.objectives.patches import denormalised, normalised


def method(**fields):
    return MAE(epochs=1, batch_size=32, width=32, **fields).prepare(few_images())


def batch(n=8):
    return few_images()[np.arange(n)].floats()


def test_three_in_four_are_hidden_at_random_for_each_sample():
    keep, hidden = hide(batch(), 49, 0.75)
    assert keep.shape == (8, 12)
    assert hidden.shape == (8, 37)
    assert torch.equal(torch.cat([keep, hidden], 1).sort(1).values, torch.arange(49).expand(8, 49))
    assert len(keep.sort(1).values.unique(dim=0)) == 8
    assert [hide(batch(), 4, share)[0].shape[1] for share in (0.01, 0.5, 0.99)] == [3, 2, 1]


def test_parts_of_a_batch_hide_what_the_whole_hides():
    torch.manual_seed(1)
    whole, _ = hide(batch(), 49, 0.75)
    torch.manual_seed(1)
    part, _ = hide(batch().rows(3, 6), 49, 0.75)
    assert torch.equal(part, whole[3:6])


def test_the_loss_is_the_mean_square_over_hidden_patches_alone():
    mae = method()
    for module in mae.modules().values():
        module.double()
    eight = batch()
    torch.manual_seed(1)
    view = mae.view(eight)
    keep, hidden = mae.hide(view)
    told = mae.predict(view, keep, hidden).detach()
    patches = mae.encoder_.patches(view)
    total, count = 0.0, 0
    for n in range(8):
        for m, place in enumerate(hidden[n]):
            patch = patches[n, place]
            mean = sum(patch) / len(patch)
            variance = sum((x - mean) ** 2 for x in patch) / (len(patch) - 1)
            for v in range(len(patch)):
                total += float(told[n, m, v] - (patch[v] - mean) / (variance + 1e-6) ** 0.5) ** 2
                count += 1
    torch.manual_seed(1)
    assert mae.loss(eight).item() == pytest.approx(total / count, rel=1e-6)


def test_hidden_pixels_change_no_prediction_and_visible_ones_do():
    mae, eight = method(), batch()
    keep, hidden = mae.hide(eight)
    patches = mae.encoder_.patches(eight)

    def told(places):
        noise = torch.rand(*places.shape, patches.shape[2])
        changed = patches.scatter(1, places[:, :, None].expand_as(noise), noise)
        with torch.no_grad():
            return mae.predict(eight.with_x(mae.encoder_.assemble(changed, eight)), keep, hidden)

    assert torch.equal(told(hidden), told(hidden))
    assert not torch.allclose(told(keep), told(keep), atol=1e-3)


def test_targets_have_mean_0_and_deviation_1_and_flat_patches_are_zeros():
    patches = torch.randn(3, 5, 16, dtype=torch.float64) * 7 + 3
    patches[0, 0] = 2.0
    found = normalised(patches)
    torch.testing.assert_close(found.mean(2), torch.zeros(3, 5).double())
    torch.testing.assert_close(found[1:].std(2), torch.ones(2, 5).double(), rtol=1e-6, atol=0)
    assert not found[0, 0].any()
    torch.testing.assert_close(denormalised(found, patches), patches)
    assert normalised(torch.ones(2, 3, 1)).isfinite().all()
    mae = method(normalise=False)
    assert torch.equal(mae.target(patches), patches)


def test_a_perfect_prediction_rebuilds_the_sample(monkeypatch):
    mae, eight = method(), batch()
    keep, hidden = mae.hide(eight)
    truth = mae.target(chosen(mae.encoder_.patches(eight), hidden))
    monkeypatch.setattr(MAE, "hide", lambda *_: (keep, hidden))
    monkeypatch.setattr(MAE, "predict", lambda *_: truth)
    seen, filled = mae.reconstruct(eight, keep, hidden)
    torch.testing.assert_close(filled, eight.x, atol=1e-5, rtol=0)
    kept = chosen(mae.encoder_.patches(eight.with_x(seen)), keep)
    torch.testing.assert_close(kept, chosen(mae.encoder_.patches(eight), keep), atol=1e-5, rtol=0)
    assert chosen(mae.encoder_.patches(eight.with_x(seen)), hidden).abs().max() < 1e-5
    assert float(mae.measures(eight)["masked_error"]) == 0.0
    monkeypatch.setattr(MAE, "predict", lambda *_: torch.zeros_like(truth))
    assert float(mae.measures(eight)["masked_error"]) == pytest.approx(1.0, abs=1e-5)


def test_the_exhibit_shows_what_is_seen_predicted_and_true():
    found = exhibit_of(method(), batch())
    assert found is not None
    assert [*found.pictures] == ["seen", "predicted", "true"]
    assert {tuple(picture.shape) for picture in found.pictures.values()} == {(8, 1, 14, 14)}


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_some_patches_are_hidden_and_some_seen(share):
    with pytest.raises(ValueError, match="share must lie in"):
        method(share=share)


def test_tables_have_no_patches_and_cnn_neither():
    with pytest.raises(ValueError, match="MAE learns from samples of kind image"):
        MAE().fit(np.random.default_rng(0).random((64, 8)))
    with pytest.raises(ValueError, match="needs an encoder of patches"):
        method(encoder="cnn")


@pytest.mark.all
def test_it_learns():
    digits = replearn.load_data("digits", split="train").subset(np.arange(3000))
    mae = MAE(epochs=12, batch_size=64, encoder="vit").fit(digits)
    assert mae.history_.rows[-1]["masked_error"] < 0.98  # 1 is what the patches' own means come to
    assert [alarm for alarm in mae.history_.alarms if alarm.kind == "patch means"] == []


def test_a_run_that_is_older_than_its_layer_represents_by_the_last(tmp_path):
    samples = made_methods.few(MAE)
    method = made_methods.quick(MAE, layer=-1).fit(samples, run=tmp_path / "run")
    path = tmp_path / "run" / "method.json"
    recipe = json.loads(path.read_text(encoding="utf-8"))
    del recipe["fields"]["layer"]
    path.write_text(json.dumps(recipe), encoding="utf-8")
    again = replearn.load(tmp_path / "run")
    assert again.layer == -1
    np.testing.assert_array_equal(again.transform(samples), method.transform(samples))
    assert MAE().layer == "all"
