"""Networks over sounds of the Hugging Face libraries, in folders: as theirs, at any rate, and runs without a folder."""

import json
import pickle
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")

import replearn  # noqa: E402
from replearn import as_samples  # noqa: E402
from replearn.cli import main  # noqa: E402
from replearn.data.samples import Batch  # noqa: E402
from replearn.data.told import DataWarning  # noqa: E402
from replearn.encoders import make_encoder, sound_folders  # noqa: E402
from replearn.encoders.filter_bank import FilterBank  # noqa: E402
from replearn.encoders.resample import Resample  # noqa: E402
from replearn.methods import CLIP, Frozen  # noqa: E402
from replearn.transfer import FineTune  # noqa: E402

RATE, ROWS = 16_000, 1600
LAYERS = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
}  # fmt: skip
WAVE = LAYERS | {
    "conv_dim": (8, 8, 8), "conv_kernel": (10, 3, 2), "conv_stride": (5, 2, 2), "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
LEAST = 10 + 5 * 2 + 10 * 1  # rows that one state of these convolutions is of
BANDS, FRAMES = 16, 24


def made(name: str, **more: Any) -> Any:
    torch.manual_seed(0)
    net = getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(**WAVE, **more)).eval()
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(torch.randn_like(weight) / 8)
    return net


def wave_folder(path: Path, net: Any, **said: Any) -> Path:
    net.save_pretrained(path)
    transformers.Wav2Vec2FeatureExtractor(**{"sampling_rate": RATE} | said).save_pretrained(path)
    return path


def ast_folder(path: Path, **said: Any) -> tuple[Path, Any]:
    torch.manual_seed(0)
    shape = {
        "patch_size": 8,
        "frequency_stride": 4,
        "time_stride": 4,
        "num_mel_bins": BANDS,
        "max_length": FRAMES,
    }
    net = transformers.ASTModel(transformers.ASTConfig(**LAYERS, **shape)).eval()
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(torch.randn_like(weight) / 8)
    net.save_pretrained(path)
    said = {"num_mel_bins": BANDS, "max_length": FRAMES} | said
    transformers.ASTFeatureExtractor(**said).save_pretrained(path)
    return path, net


def sounds(n: int = 6, rows: int = ROWS, rate: int = RATE) -> Any:
    return as_samples(waves(n, rows), list(np.arange(n) % 2), kind=f"sound:rate={rate}")


def waves(n: int = 6, rows: int = ROWS) -> np.ndarray:
    rng = np.random.default_rng(0)
    tones = np.sin(np.arange(rows) * (0.05 + 0.1 * (np.arange(n) % 2))[:, None])
    return (0.3 * tones + 0.05 * rng.standard_normal((n, rows)) + 0.02).astype(np.float32)


def whole(samples: Any) -> Batch:
    return samples[np.arange(len(samples))]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("Wav2Vec2", {}),
        ("Wav2Vec2", {"feat_extract_norm": "layer", "do_stable_layer_norm": True}),
        ("Hubert", {}),
        ("WavLM", {}),
    ],
)
@torch.no_grad()
def test_waves_are_heard_as_by_the_library(name: str, more: dict[str, Any], tmp_path: Path) -> None:
    net = made(name, **more)
    samples = sounds()
    encoder = make_encoder(f"hf:{wave_folder(tmp_path, net)}", samples).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(tmp_path)
    given = extractor(list(waves()), sampling_rate=RATE, return_tensors="pt", padding=True)
    theirs = net(**given, output_hidden_states=True)
    batch = whole(samples)
    assert encoder(batch).numpy() == pytest.approx(theirs.last_hidden_state.mean(1).numpy(), abs=1e-4)
    assert encoder.tokens(batch).numpy() == pytest.approx(theirs.last_hidden_state.numpy(), abs=1e-4)
    layers, states = encoder.layers(batch), encoder.read(batch, "layers")
    assert len(layers) == len(states) == 3
    for mine, pooled, expected in zip(states[:-1], layers[:-1], theirs.hidden_states[:-1], strict=True):
        assert mine.numpy() == pytest.approx(expected.numpy(), abs=1e-4)
        assert pooled.numpy() == pytest.approx(expected.mean(1).numpy(), abs=1e-4)
    torch.testing.assert_close(layers[-1], encoder(batch))


@torch.no_grad()
def test_silence_that_fills_up_is_masked_where_the_folder_says_so(tmp_path: Path) -> None:
    net = made("Wav2Vec2", feat_extract_norm="layer", do_stable_layer_norm=True)
    lengths = [ROWS, 900, 333, 25]
    own = [wave[:rows] for wave, rows in zip(waves(4), lengths, strict=True)]
    filled = np.stack([np.pad(wave, (0, ROWS - len(wave))) for wave in own])
    samples = as_samples(filled, kind=f"sound:rate={RATE}")
    encoder = make_encoder(f"hf:{wave_folder(tmp_path, net, return_attention_mask=True)}", samples).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(tmp_path)
    given = extractor(own, sampling_rate=RATE, return_tensors="pt", padding=True)
    h, tokens = encoder(whole(samples)), encoder.tokens(whole(samples))
    for i, rows in enumerate(lengths[:3]):  # the last is shorter than what one state is of
        theirs = net(**{name: tensor[i : i + 1] for name, tensor in given.items()}).last_hidden_state[0]
        there = int(net._get_feat_extract_output_lengths(torch.tensor(rows)))
        assert tokens[i, :there].numpy() == pytest.approx(theirs[:there].numpy(), abs=1e-4)
        assert (tokens[i, there:] == 0).all()
        assert h[i].numpy() == pytest.approx(theirs[:there].mean(0).numpy(), abs=1e-4)
    assert torch.isfinite(h).all()
    # Another amount of silence changes nothing; and to a folder without masks it is a part of the sound.
    longer = as_samples(np.pad(filled, ((0, 0), (0, 800))), kind=f"sound:rate={RATE}")
    torch.testing.assert_close(encoder(whole(longer))[:3], h[:3], rtol=1e-3, atol=1e-4)
    plain = make_encoder(f"hf:{wave_folder(tmp_path / 'plain', net)}", samples).eval()
    assert (plain(whole(longer)) - plain(whole(samples))).abs().max() > 1e-2
    silent = as_samples(np.repeat(np.float32([[0.0], [0.1]]), ROWS, axis=1), kind=f"sound:rate={RATE}")
    assert torch.isfinite(encoder(whole(silent))).all()


@pytest.mark.parametrize(
    ("before", "after"), [(8000, 16_000), (44_100, 16_000), (48_000, 16_000), (22_050, 16_000)]
)
def test_resampling_is_scipys(before: int, after: int) -> None:
    from scipy.signal import resample_poly

    x = np.random.default_rng(0).standard_normal((2, 3001)).astype(np.float32)
    ratio = Fraction(after, before)
    expected = resample_poly(x.astype(np.float64), ratio.numerator, ratio.denominator, axis=1)
    found = Resample(before, after)(torch.from_numpy(x)[:, None])[:, 0].numpy()
    assert found == pytest.approx(expected, abs=1e-5)


@torch.no_grad()
def test_sounds_of_another_rate_are_brought_to_the_networks(tmp_path: Path, caplog: Any) -> None:
    caplog.set_level("INFO")
    net = made("Hubert")
    folder = wave_folder(tmp_path, net)
    slow = sounds(rows=800, rate=8000)
    encoder = make_encoder(f"hf:{folder}", slow).eval()
    assert "sounds of 8,000 Hz are brought to the 16,000 Hz" in caplog.text
    fast = Resample(8000, RATE)(whole(slow).x)
    mean, std = fast.mean(2, keepdim=True), (fast.var(2, correction=0, keepdim=True) + 1e-7).sqrt()
    theirs = net(input_values=((fast - mean) / std)[:, 0]).last_hidden_state
    assert encoder(whole(slow)).numpy() == pytest.approx(theirs.mean(1).numpy(), abs=1e-4)
    with pytest.raises(ValueError, match=r"ratio is of large numbers.*kind='sound:rate=16000'"):
        make_encoder(f"hf:{folder}", sounds(rate=15_999))


def test_the_filter_bank_is_that_of_the_library(tmp_path: Path) -> None:
    """To 1e-3 of the scaled levels, which span about 4: theirs are rounded to 32 bits on the way."""
    for rows, frames in ((8000, 40), (8000, 64), (400, 8)):
        said = {"num_mel_bins": 64, "max_length": frames}
        extractor = transformers.ASTFeatureExtractor(**said)
        x = np.concatenate([waves(3, rows), np.zeros((1, rows), np.float32)])
        theirs = np.stack([extractor(wave, sampling_rate=RATE)["input_values"][0] for wave in x])
        bank = FilterBank(64, frames, mean=-4.2677393, std=4.5689974)
        found = bank(torch.from_numpy(x), torch.full((4,), rows)).numpy()
        assert found.shape == theirs.shape == (4, frames, 64)
        assert found == pytest.approx(theirs, abs=1e-3)


@torch.no_grad()
def test_ast_hears_as_the_library_does(tmp_path: Path) -> None:
    folder, net = ast_folder(tmp_path, mean=-3.0, std=2.0)
    samples = sounds()
    encoder = make_encoder(f"hf:{folder}", samples).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    given = extractor(list(waves()), sampling_rate=RATE, return_tensors="pt")
    theirs = net(**given, output_hidden_states=True)
    batch = whole(samples)
    assert encoder(batch).numpy() == pytest.approx(theirs.pooler_output.numpy(), abs=1e-4)
    assert encoder.tokens(batch).numpy() == pytest.approx(theirs.last_hidden_state[:, 2:].numpy(), abs=1e-4)
    layers = encoder.layers(batch)
    assert len(layers) == 2
    assert layers[0].numpy() == pytest.approx(theirs.hidden_states[1][:, :2].mean(1).numpy(), abs=1e-4)
    # A short sound that is filled up is heard as if it were not; a long one is cut, and a line says so.
    short = extractor(list(waves()[:, :900]), sampling_rate=RATE)["input_values"]
    expected = net(input_values=torch.from_numpy(np.stack(short))).pooler_output.numpy()
    filled = as_samples(np.pad(waves()[:, :900], ((0, 0), (0, 700))), kind=f"sound:rate={RATE}")
    assert encoder(whole(filled)).numpy() == pytest.approx(expected, abs=1e-4)
    long = sounds(rows=8160)
    with pytest.warns(
        DataWarning, match=r"6 sounds of 0\.51 s are longer than the 0\.255 s that are heard.* 50%"
    ):
        Frozen(encoder=f"hf:{folder}", device="cpu").fit(long).transform(long)


def test_folders_that_are_not_heard_are_told(tmp_path: Path) -> None:
    net = made("Wav2Vec2")
    folder = wave_folder(tmp_path / "net", net)
    with pytest.raises(
        ValueError, match=f"at least {LEAST} rows at 16,000 Hz, 1.88 ms; these have {LEAST - 1}"
    ):
        make_encoder(f"hf:{folder}", sounds(rows=LEAST - 1))
    assert make_encoder(f"hf:{folder}", sounds(rows=LEAST)).tokens(whole(sounds(rows=LEAST))).shape == (
        6,
        1,
        16,
    )
    ast, _ = ast_folder(tmp_path / "ast")
    with pytest.raises(ValueError, match="at least 400 rows at 16,000 Hz, 25 ms; these have 399"):
        make_encoder(f"hf:{ast}", sounds(rows=399))
    config = transformers.ViTConfig(**LAYERS, image_size=16, patch_size=8)
    transformers.ViTModel(config).save_pretrained(tmp_path / "vit")
    with pytest.raises(
        ValueError, match=r"hear sounds are wav2vec2, hubert, wavlm, audio-spectrogram-transformer; .* vit"
    ):
        make_encoder(f"hf:{tmp_path / 'vit'}", sounds())
    said = json.loads((ast / "preprocessor_config.json").read_text(encoding="utf-8"))
    for wrong, message in (
        ({"max_length": 30}, "differ in max_length: 30 and 24"),
        ({"sampling_rate": 8000}, "an AST must hear at 16,000 Hz"),
        ({"sampling_rate": "fast"}, "an AST must hear at 16,000 Hz; .* is fast"),
        ({"std": 0}, "std must be positive"),
    ):
        (ast / "preprocessor_config.json").write_text(json.dumps(said | wrong), encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            make_encoder(f"hf:{ast}", sounds())
    (folder / "preprocessor_config.json").write_text('{"sampling_rate": 10}', encoding="utf-8")
    with pytest.raises(ValueError, match="sampling_rate must lie between 1,000 and 400,000 Hz"):
        make_encoder(f"hf:{folder}", sounds())
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        make_encoder(f"hf:{folder}", sounds())


def test_a_folder_does_not_decide_how_much_memory_is_taken(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(sound_folders, "_try", lambda body: pytest.fail("so many rows were made"))
    folder = wave_folder(tmp_path / "net", made("Wav2Vec2"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["conv_stride"] = [10_000] * len(config["conv_stride"])
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ValueError, match=r"must have at least [\d,]+ rows"):
        make_encoder(f"hf:{folder}", sounds())


def test_configurations_that_cannot_hear_are_told(tmp_path: Path) -> None:
    folder = wave_folder(tmp_path, made("Hubert"))
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for wrong, message in (
        ({"conv_stride": [5, 0, 2]}, "a kernel and a stride for each convolution"),
        ({"conv_kernel": [10, 3]}, "must "),
        ({"num_attention_heads": 3}, "must "),
        ({"model_type": "whisper"}, "hear sounds are wav2vec2"),
    ):
        (folder / "config.json").write_text(json.dumps(content | wrong), encoding="utf-8")
        with pytest.raises(ValueError, match=message) as error:
            make_encoder(f"hf:{folder}", sounds())
        assert "\n" not in str(error.value)
    adapter = made("Wav2Vec2", add_adapter=True, output_hidden_size=16)
    with pytest.raises(ValueError, match="adapter behind its states"):
        make_encoder(f"hf:{wave_folder(tmp_path / 'adapter', adapter)}", sounds())


@pytest.mark.all
def test_commands_take_such_a_folder(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    wave_folder(tmp_path / "net", made("Hubert"))
    np.savez("sounds.npz", x=waves(60), y=np.arange(60) % 2)
    data = ["sounds.npz", "--kind", f"sound:rate={RATE}"]
    assert main(["fit", "frozen", *data, "--encoder", "hf:net", "--run", "run"]) == 0
    assert main(["evaluate", "run", *data, "--latent"]) == 0
    scores = json.loads(Path("run/evaluation.json").read_text(encoding="utf-8"))["scores"]
    assert "layer" in json.dumps(scores)
    assert main(["finetune", "hf:net", *data, "--pooling", "mixture", "--epochs", "1", "--to", "task"]) == 0
    assert main(["fit", "frozen", "notes", "--encoder", "hf:nowhere", "--run", "other"]) == 2
    assert "there is no folder nowhere" in capsys.readouterr().err


def test_a_file_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = wave_folder(tmp_path, made("Wav2Vec2")) / "model.safetensors"
    weights = load_file(file)
    gone = next(name for name in weights if "layers.1" in name)
    save_file({name: part for name, part in weights.items() if name != gone}, file, {"format": "pt"})
    with pytest.raises(ValueError, match="all weights of a Wav2Vec2Model; it lacks 1"):
        make_encoder(f"hf:{tmp_path}", sounds())


def test_a_folder_with_a_head_is_read_without_it(tmp_path: Path, caplog: Any) -> None:
    torch.manual_seed(0)
    whole_net = transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config(**WAVE, vocab_size=12)).eval()
    whole_net.save_pretrained(tmp_path)
    encoder = make_encoder(f"hf:{tmp_path}", sounds()).eval()
    assert (
        "no preprocessor_config.json: sounds are read as the library does by default, at 16,000 Hz"
        in caplog.text
    )
    x = torch.from_numpy(waves())
    x = (x - x.mean(1, keepdim=True)) / (x.var(1, correction=0, keepdim=True) + 1e-7).sqrt()
    with torch.no_grad():
        theirs = whole_net.wav2vec2(input_values=x).last_hidden_state.mean(1)
        torch.testing.assert_close(encoder(whole(sounds())), theirs, rtol=1e-3, atol=1e-4)


def test_all_that_hears_has_a_gradient_and_can_be_pickled(tmp_path: Path) -> None:
    for name in ("Wav2Vec2", "Hubert", "WavLM"):
        encoder = make_encoder(f"hf:{wave_folder(tmp_path / name, made(name))}", sounds()).train()
        encoder(whole(sounds())).pow(2).sum().backward()
        assert [name for name, weight in encoder.named_parameters() if weight.grad is None] == []
        again = pickle.loads(pickle.dumps(encoder)).eval()
        torch.testing.assert_close(again(whole(sounds())), encoder.eval()(whole(sounds())))


def test_dropout_is_that_of_the_joined_batch(tmp_path: Path) -> None:
    encoder = make_encoder(f"hf:{wave_folder(tmp_path, made('Hubert'))}", sounds()).train()
    batch = whole(sounds())
    found = []
    for part in (slice(0, 6), slice(0, 3), slice(3, 6)):
        torch.manual_seed(1)
        index = batch.index[part]
        found.append(encoder(Batch(batch.x[part], batch.labels[part], index, start=part.start, total=6)))
    torch.testing.assert_close(torch.cat(found[1:]), found[0], rtol=1e-4, atol=1e-5)
    assert (found[0] - encoder.eval()(batch)).abs().max() > 1e-2


@pytest.mark.parametrize("kind", ["wave", "ast"])
def test_a_run_is_whole_without_the_folder(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    if kind == "ast":
        ast_folder(folder, mean=-3.0, std=2.0)
    else:
        wave_folder(folder, made("Wav2Vec2", feat_extract_norm="layer"), return_attention_mask=True)
    slow = sounds(12, rows=1200, rate=8000)
    method = Frozen(encoder=f"hf:{folder}", device="cpu").fit(slow, run=tmp_path / "run")
    tuned = FineTune(encoder=f"hf:{folder}", epochs=1, batch_size=4, device="cpu").fit(
        slow, run=tmp_path / "tuned"
    )
    assert set(tuned.rates().values()) == {0.05}  # slower than the head, as texts are
    shutil.rmtree(folder)
    assert replearn.load(tmp_path / "run").transform(slow) == pytest.approx(method.transform(slow), abs=1e-6)
    assert (replearn.load(tmp_path / "tuned").predict(slow) == tuned.predict(slow)).all()
    told = json.loads((tmp_path / "run" / "method.json").read_text(encoding="utf-8"))["folder"]["hearing"]
    assert told["rate"] == RATE
    assert told["masks"] == (kind == "wave")


def test_it_is_a_tower_of_pairs(tmp_path: Path) -> None:
    folder, other = tmp_path / "net", tmp_path / "ast"
    net = made("Hubert")
    wave_folder(folder, net)
    ast_folder(other)
    slow = sounds(16, rows=800, rate=8000)
    samples = as_samples({"near": slow, "far": sounds(16)})
    method = CLIP(
        encoder=f"near=hf:{folder},far=hf:{other}", locked=("near",), epochs=1, batch_size=8, device="cpu"
    )
    method.fit(samples, run=tmp_path / "run")
    alone = make_encoder(f"hf:{folder}", slow).eval()
    with torch.no_grad():
        expected = alone(whole(slow)).numpy()
    assert method.transform(samples)[:, :16] == pytest.approx(expected, abs=1e-5)  # it stayed as it was
    shutil.rmtree(folder)
    shutil.rmtree(other)
    assert replearn.load(tmp_path / "run").transform(samples) == pytest.approx(
        method.transform(samples), abs=1e-6
    )


def test_a_task_learns_a_mixture_of_the_layers(tmp_path: Path) -> None:
    folder = wave_folder(tmp_path / "net", made("Wav2Vec2"))
    samples = sounds(24)
    tuned = FineTune(
        encoder=f"hf:{folder}",
        pooling="mixture",
        trained="frozen",
        epochs=8,
        learning_rate=0.03,
        device="cpu",
    ).fit(samples, run=tmp_path / "run")
    assert tuned.head_.mixture.shares.shape == (3,)
    assert tuned.head_.mixture.shares.std() > 1e-3  # it learned which layers count
    assert (tuned.predict(samples) == np.array(samples.classes)[samples.labels]).mean() > 0.9
    again = replearn.load(tmp_path / "run")
    assert (again.predict(samples) == tuned.predict(samples)).all()
    full = FineTune(encoder=f"hf:{folder}", pooling="mixture", epochs=1, device="cpu").fit(samples)
    assert full.head_.mixture.shares.shape == (3,)
    with pytest.raises(ValueError, match="pooling is for encoders of texts, but for mixture; got 'first'"):
        FineTune(encoder=f"hf:{folder}", pooling="first", epochs=1, device="cpu").fit(samples)
