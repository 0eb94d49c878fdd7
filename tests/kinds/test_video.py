"""Videos: films, animations, folders of frames and arrays as clips; seen, encoded, drawn; clips that are made."""

import logging
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

import replearn
from lanes import one_of_each
from made_clips import made_clips
from made_methods import labelled_for, quick
from replearn.cli import main
from replearn.data import DataWarning, as_samples, describe, load_data, read_alike, split
from replearn.data.kinds import KINDS, Video
from replearn.data.samples import Batch
from replearn.data.videos import Windows, bouncing
from replearn.encoders import make_encoder
from replearn.encoders.videos import FrameCNN, cosines
from replearn.methods import Model, registry
from replearn.methods.needs import needs_of, offers_of
from replearn.report.kinds import LOOKS
from replearn.views import Brightness, Chain, Colour, Crop, Flip, Noise, Split, named_views
from replearn.views.kinds.video import VideoViews
from replearn.views.parts import Parts
from replearn.views.store import view_from_json, view_to_json
from replearn.views.videos import AllFrames, EachFrame, Reversed, Shuffled, TimeJitter

SERVED = [name for name, entry in registry().items() if needs_of(entry.cls) <= offers_of("video")]


def squares(n: int, frames: int = 6, size: int = 16) -> np.ndarray:
    """A bright square that moves to the right, down or nowhere, uint8 `(n, t, 3, h, w)`."""
    made = np.zeros((n, frames, 3, size, size), np.uint8)
    draw = np.random.default_rng(0)
    for i in range(n):
        top, left = draw.integers(0, max(1, size - frames - 4), 2)
        for t in range(frames):
            y, x = top + t * (i % 3 == 1), left + t * (i % 3 == 0)
            made[i, t, i % 3, y : y + 4, x : x + 4] = 200
    return made


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def clips():
    return as_samples(squares(48), np.arange(48) % 3, kind="video")


def gif(path, frames, *, milliseconds=100):
    path.parent.mkdir(exist_ok=True, parents=True)
    pictures = [Image.fromarray(frame.transpose(1, 2, 0)) for frame in frames]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0)


def film(path, frames, *, rate=10):
    av = pytest.importorskip("av")
    path.parent.mkdir(exist_ok=True, parents=True)
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 32, 32, "yuv420p", 2_000_000
        for frame in frames:
            shown = np.kron(frame.transpose(1, 2, 0), np.ones((2, 2, 1), np.uint8))
            made.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        made.mux(stream.encode(None))


def told_by(data, **options):
    """Samples, and all that was told of them."""
    with pytest.warns(DataWarning) as told:
        samples = as_samples(data, **options)
    return samples, " | ".join(str(one.message) for one in told)


# Arrays


def test_arrays_of_every_layout(clips):
    x = squares(48)
    assert (clips.kind, clips.shape, len(clips)) == ("video", (3, 6, 16, 16), 48)
    np.testing.assert_array_equal(clips[np.array([5, 3])].x, x[[5, 3]].swapaxes(1, 2))
    last = as_samples(x.transpose(0, 1, 3, 4, 2), kind="video")
    np.testing.assert_array_equal(last[np.arange(4)].x, clips[np.arange(4)].x)
    grey = as_samples(torch.from_numpy(x[:, :, 0] / np.float32(255)), kind="video")
    assert grey.shape == (1, 6, 16, 16)
    np.testing.assert_allclose(grey[np.array([3])].x[0, 0], x[3, :, 0] / 255, atol=1e-6)
    assert as_samples(x, kind="video:size=8").shape == (3, 6, 8, 8)
    assert as_samples(x, image_size=8, kind="video").shape == (3, 6, 8, 8)
    again = as_samples(x, like=describe(clips.subset(np.arange(6))))
    assert (again.kind, again.shape) == ("video", clips.shape)
    listed = as_samples([*x[:4]], ["a", "b", "a", "b"], kind="video")
    np.testing.assert_array_equal(listed[np.arange(4)].x, clips[np.arange(4)].x)
    assert listed.classes == ("a", "b")


def test_an_array_on_disk_is_not_read_whole(tmp_path):
    x = squares(8)
    np.save(tmp_path / "x.npy", x)
    samples = as_samples(tmp_path / "x.npy", kind="video")
    assert not isinstance(samples.frames, np.ndarray)
    np.testing.assert_array_equal(samples[np.array([6, 1])].x, x[[6, 1]].swapaxes(1, 2))


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (squares(2)[:, :, :, 0, 0], "video", r"must be an array \(n, t, c, h, w\).*; got shape \(2, 6, 3\)"),
        (squares(2).astype(np.float32), "video", r"bytes, or floats in \[0, 1\]; got float32 from 0 to 200"),
        (np.full((2, 3, 4, 4), np.nan), "video", r"bytes, or floats in \[0, 1\]; got float64 from nan"),
        (squares(2), "video:frames=9", "at least the 9 frames of a clip; the longest has 6"),
        (squares(2), "video:frames=none", "frames of video must be a number; got 'none'"),
        (squares(2), "video:step=0", "step of video must be at least 1; got 0"),
        ([], "video", "videos must be at least one"),
        ([squares(1)[0], squares(1, size=18)[0]], "video", "must have one size and type; got 2"),
        ("nowhere", "video", "must be a folder or zip of files"),
        (["nowhere.mp4"], "video", "must name existing files; got 'nowhere.mp4'"),
        (squares(2), None, r"got shape \(2, 6, 3, 16, 16\). Name the kind of any other, kind='video' say"),
    ],
)
def test_what_is_no_video_is_an_error_in_a_line(data, kind, says):
    with pytest.raises(ValueError, match=says) as raised:
        as_samples(data, kind=kind)
    assert "\n" not in str(raised.value)


def test_clips_with_step_and_stride_are_grouped_by_their_video():
    x = squares(4, frames=6)
    samples, line = told_by(x, labels=list("abab"), kind="video:frames=2,step=2,stride=1")
    assert "4 videos are cut into 16 clips of 2 frames, one every 1 frames" in line
    assert samples.labels.tolist() == [0] * 4 + [1] * 4 + [0] * 4 + [1] * 4
    np.testing.assert_array_equal(samples[np.array([5])].x[0], x[1, [1, 3]].swapaxes(0, 1))
    train, test = split(samples, test=0.5)
    assert not {*train.groups} & {*test.groups}
    middle, line = told_by(x, kind="video:frames=3")
    assert "4 of 4 videos are cut to the 3 frames in their middle (12 frames are left out)" in line
    np.testing.assert_array_equal(middle[np.array([2])].x[0], x[2, 1:4].swapaxes(0, 1))


def test_short_videos_are_left_out_and_their_labels_with_them():
    x = squares(4)
    samples, line = told_by([x[0], x[1, :2], x[2]], labels=["a", "b", "c"], kind="video:frames=4")
    assert "1 of 3 videos have less than the 4 frames of a clip and are left out" in line
    assert [samples.classes[label] for label in samples.labels] == ["a", "c"]
    assert samples.skipped == [("video 1", "has less than 4 frames")]
    with pytest.raises(ValueError, match="strict: the videos: 1 of 3"):
        as_samples([x[0], x[1, :2], x[2]], kind="video:frames=4", strict=True)


def padded() -> tuple[np.ndarray, np.ndarray]:
    """Videos filled up by their last frame, and how long they were."""
    x, length = squares(6), np.array([6, 4, 3, 6, 5, 2])
    for one, true in zip(x, length, strict=True):
        one[true:] = one[true - 1]
    return x, length


def test_padding_by_repeated_frames_is_told():
    x, _ = padded()  # of which one in three stands still
    _, line = told_by(x, kind="video")
    assert (
        "2 of 6 videos end in a repeated frame and do not begin so, which tells which way time runs" in line
    )


def test_a_file_that_names_clips_and_their_lengths(tmp_path):
    x, length = padded()
    labels, groups = np.arange(6) % 2, np.array(list("ppqqrr"))
    np.savez(tmp_path / "x.npz", clips=x, length=length, labels=labels, group=groups)
    with pytest.warns(DataWarning, match="2 of 6 videos have less than the 4 frames"):
        samples = as_samples(tmp_path / "x.npz", kind="video:frames=4")
    assert [*samples.groups] == ["p", "p", "q", "r"]
    assert samples.labels.tolist() == [0, 1, 1, 0]
    for place, (one, first) in enumerate([(0, 1), (1, 0), (3, 1), (4, 0)]):
        clip = x[one, first : first + 4].swapaxes(0, 1)
        np.testing.assert_array_equal(samples[np.array([place])].x[0], clip)
    with pytest.warns(DataWarning, match=r"cut to the 2 frames in their middle"):
        assert as_samples(tmp_path / "x.npz").shape == (3, 2, 16, 16)  # of itself, as it names clips
    np.savez(tmp_path / "bad.npz", clips=x, length=length + 1)
    with pytest.raises(ValueError, match="length must say of each of 6 videos how many"):
        as_samples(tmp_path / "bad.npz")
    np.savez(tmp_path / "other.npz", x=squares(2))
    assert as_samples(tmp_path / "other.npz", kind="video").shape == (3, 6, 16, 16)


# Files


def test_a_folder_of_films(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="replearn")
    x = squares(6, frames=12, size=16)
    for i, one in enumerate(x):
        film(tmp_path / "abc"[i % 3] / f"{i}.mp4", one)
    (tmp_path / "a" / "notes.txt").write_text("no video")
    samples, line = told_by(tmp_path)
    assert (samples.kind, samples.shape, samples.classes) == ("video", (3, 8, 32, 32), ("a", "b", "c"))
    assert "6 of 6 videos are cut to the 8 frames in their middle (24 frames are left out)" in line
    assert "72 frames of 6 videos at 10 frames in a second" in caplog.text
    assert "1 .txt files are left out" in caplog.text
    assert samples.names[1] == "a/3.mp4"
    assert samples.details["rate"] == 10
    expected = np.kron(x[0, 2:10], np.ones((1, 1, 2, 2))).swapaxes(0, 1)
    assert np.abs(samples[np.array([0])].x[0].numpy() - expected).mean() < 8  # compressed
    slower, _ = told_by(tmp_path, kind="video:frames=4,rate=5,size=16")
    assert slower.shape == (3, 4, 16, 16)
    again, _ = told_by(tmp_path, like=describe(samples))
    assert again.fingerprint() == samples.fingerprint()
    with pytest.warns(DataWarning):
        assert read_alike(tmp_path, describe(slower)).fingerprint() == slower.fingerprint()
    (tmp_path / "labels.csv").write_text("file,label\na/0.mp4,x\na/3.mp4,y\n")
    with pytest.warns(DataWarning):
        assert as_samples(tmp_path, tmp_path / "labels.csv").classes == ("x", "y")
    listed, _ = told_by([tmp_path / "b" / "1.mp4", tmp_path / "a" / "0.mp4"], labels=["p", "q"])
    np.testing.assert_array_equal(listed[np.array([1])].x, samples[np.array([0])].x)


def test_animations_are_read_at_a_steady_rate_and_transparent_parts_are_white(tmp_path):
    x = squares(2, frames=4)
    gif(tmp_path / "in" / "x.gif", x[0], milliseconds=200)
    gif(tmp_path / "in" / "y.gif", x[1], milliseconds=400)
    samples, line = told_by(tmp_path, kind="video:frames=4,rate=5")
    assert "1 of 2 videos have less than 5 frames in a second, so some are repeated" in line
    assert samples.shape == (3, 4, 16, 16)
    np.testing.assert_allclose(samples[np.array([0])].x[0], x[0].swapaxes(0, 1), atol=12)
    slow = samples[np.array([1])].x[0]  # the middle of eight
    torch.testing.assert_close(slow[:, 0], slow[:, 1])
    one = as_samples(tmp_path / "in" / "x.gif", kind="video:frames=4")
    np.testing.assert_array_equal(one[np.array([0])].x, samples[np.array([0])].x)
    picture = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    picture.save(
        tmp_path / "in" / "z.webp", save_all=True, append_images=[Image.new("RGBA", (16, 16), (9, 9, 9, 255))]
    )
    see = as_samples(tmp_path / "in" / "z.webp", kind="video:frames=2")
    assert see[np.array([0])].x[0].amax((0, 2, 3)).tolist()[0] == 255


def test_folders_of_frames_in_the_order_of_their_numbers(tmp_path):
    x = squares(4, frames=11)
    for i, one in enumerate(x):
        folder = tmp_path / "ab"[i % 2] / f"clip{i}"
        folder.mkdir(parents=True)
        for t, frame in enumerate(one):
            Image.fromarray(frame.transpose(1, 2, 0)).save(folder / f"frame{t}.png")
    assert as_samples(tmp_path).kind == "image"  # unless it is said
    samples = as_samples(tmp_path, kind="video:frames=11")
    assert (samples.shape, samples.classes) == ((3, 11, 16, 16), ("a", "b"))
    assert [*samples.names] == ["a/clip0", "a/clip2", "b/clip1", "b/clip3"]
    np.testing.assert_array_equal(samples[np.arange(4)].x, x[[0, 2, 1, 3]].swapaxes(1, 2))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(tmp_path.rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    zipped = as_samples(tmp_path / "all.zip", kind="video:frames=11")
    assert zipped.fingerprint() == samples.fingerprint()


def test_bad_files_are_left_out_and_named(tmp_path):
    x = squares(3, frames=9)
    film(tmp_path / "a.mp4", x[0])
    film(tmp_path / "b.mp4", x[1, :3])
    whole = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    Image.new("RGB", (16, 16)).save(tmp_path / "still.gif")
    samples, line = told_by(tmp_path, kind="video")
    assert len(samples) == 1
    reasons = dict(samples.skipped)
    assert reasons["still.gif"].startswith("is no video that can be read (ValueError: it is a single picture")
    assert {"text.mp4", "cut.mp4", "still.gif", "b.mp4"} == set(reasons)
    assert reasons["b.mp4"] == "has 3 frames, a clip 8"
    assert f"3 of 5 videos in {tmp_path} were left out" in line
    with pytest.raises(ValueError, match="strict: 3 of 5 videos"):
        as_samples(tmp_path, strict=True, kind="video")
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(ValueError, match="a video of at least the 8 frames of a clip; the longest has 3"):
        as_samples(tmp_path, kind="video")
    (tmp_path / "b.mp4").unlink()
    with pytest.raises(ValueError, match="must hold at least one video that can be decoded; none of 3 can"):
        as_samples(tmp_path, kind="video")


def test_frames_of_several_sizes_are_no_video(tmp_path):
    for name, size in (("0.png", 16), ("1.png", 16), ("2.png", 18)):
        Image.new("RGB", (size, 16)).save(tmp_path / name)
    with pytest.warns(DataWarning, match="1 videos are damaged, and used up to there"):
        as_samples(tmp_path, kind="video:frames=2")
    assert as_samples(tmp_path, kind="video:frames=3,size=12").shape == (3, 3, 12, 12)


def test_without_the_package_films_are_refused_and_animations_read(tmp_path, monkeypatch):
    gif(tmp_path / "one" / "x.gif", squares(1)[0])
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "x.mp4").write_bytes(b"x")
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    assert as_samples(tmp_path / "one", kind="video:frames=6").shape == (3, 6, 16, 16)
    with pytest.raises(ValueError, match=r"pip install 'replearn\[video\]'.*\. GIF, ") as raised:
        as_samples(tmp_path / "two")
    assert "\n" not in str(raised.value)


# Clips that are made


def test_what_is_made_is_the_same_each_time_and_masks_cover_the_thing():
    made, again = bouncing(12, random_state=3), bouncing(12, random_state=3)
    np.testing.assert_array_equal(made.frames, again.frames)
    for frames, masks in zip(made.frames.swapaxes(1, 2), made.masks, strict=True):
        apart = np.abs(frames - np.median(frames[:, masks], axis=1)[:, None, None, None]).max(0)
        assert (apart[masks] < 30).mean() > 0.5  # of one colour, but for its edge
        assert (apart[~masks] > 30).mean() > 0.9


def heights(made):
    """Of the middle of the thing above the floor, `(n, t)`."""
    rows = np.arange(made.masks.shape[2])[:, None]
    return made.masks.shape[2] - (made.masks * rows).sum((2, 3)) / made.masks.sum((2, 3)).clip(1)


def test_loss_gives_time_a_direction_and_without_it_there_is_none():
    for loss in (True, False):
        made = bouncing(900, size=16, loss=loss)
        high = heights(made)[made.labels < 2]
        first, last = high[:, :4].max(1), high[:, 4:].max(1)
        higher = (first > last + 0.5).mean() - (last > first + 0.5).mean()
        assert higher > 0.4 if loss else abs(higher) < 0.08
    assert heights(made)[made.labels == 2].std(1).max() < 0.5  # on the floor


def test_built_in_sets():
    for name in ("bouncing", "bouncing-ideal", "moving-digits"):
        train, test = load_data(name, split="train"), load_data(name, split="test")
        assert (len(train), len(test), train.kind) == (1000, 250, "video")
    digits = load_data("moving-digits", split="test")
    x = digits[np.arange(20)].x.float()
    ink = x.sum((1, 3, 4))
    torch.testing.assert_close(ink, ink[:, :1].expand_as(ink))  # all of it is seen in every frame
    assert (x[:, :, 1:] != x[:, :, :-1]).flatten(1).any(1).all()


def test_features_by_hand_tell_what_moves(clips):
    found = KINDS["video"].features(clips)
    assert found.shape == (48, 16 * (3 + 2 + 3))
    means = np.stack([found[clips.labels == label].mean(0) for label in range(3)])
    assert (np.square(found[:, None] - means).sum(2).argmin(1) == clips.labels).mean() > 0.9


# Views


def run(view, batch, seed=0):
    torch.manual_seed(seed)
    seen = view(batch)
    return (seen,) if isinstance(seen, Batch) else seen


MADE = [
    AllFrames(Chain(Crop(0.3, 1.0), Flip(), Colour(1.0, 1.0), Noise(0.1))),
    EachFrame(Brightness(0.8)),
    TimeJitter(0.3, 0.9),
    Reversed(0.5),
    Shuffled(),
]


@pytest.mark.parametrize("view", MADE, ids=repr)
def test_views_promise_what_all_views_do(view, clips):
    batch = clips[np.arange(10)]
    before = batch.x.clone()
    whole, again, other = run(view, batch)[0].x, run(view, batch)[0].x, run(view, batch, 1)[0].x
    assert torch.equal(whole, again)
    assert not torch.equal(whole, other)
    assert whole.shape == batch.x.shape
    assert torch.equal(batch.x, before)
    equal = run(view, batch.with_x(batch.x[:1].expand_as(batch.x).contiguous()))[0].x
    assert not (equal == equal[:1]).all()
    for start, stop in ((0, 3), (3, 10)):
        torch.testing.assert_close(
            run(view, batch.rows(start, stop))[0].x, whole[start:stop], atol=1e-5, rtol=1e-4
        )
    assert run(view, batch.to("meta"))[0].x.shape == batch.x.shape
    assert view_from_json(view_to_json(view)) == view
    with pytest.raises(ValueError, match=r"is a view of clips, \(n, c, t, h, w\); got \(3, 4\)"):
        view(Batch(torch.zeros(3, 4), torch.zeros(3, dtype=torch.long), torch.arange(3)))


def test_all_frames_are_seen_alike_and_each_frame_apart():
    """Of a clip that stands still, in noise and in colours."""
    still = torch.rand(4, 3, 1, 12, 12).expand(4, 3, 5, 12, 12).contiguous()
    batch = Batch(still, torch.zeros(4, dtype=torch.long), torch.arange(4))
    for view in (Crop(0.2, 0.5), Colour(1.0, 1.0), Chain(Flip(), Brightness(0.5), Crop(0.3, 0.6))):
        seen = run(AllFrames(view), batch)[0].x
        torch.testing.assert_close(seen, seen[:, :, :1].expand_as(seen), atol=1e-5, rtol=1e-5)
        assert not torch.allclose(seen, still)
    apart = run(EachFrame(Brightness(0.5)), batch)[0].x
    assert (apart[:, :, 1:] - apart[:, :, :1]).abs().flatten(2).amax(2).min() > 1e-3
    # A crop is that of the image view, frame by frame.
    one, image = (
        run(AllFrames(Crop(0.2, 0.5)), batch)[0].x,
        run(Crop(0.2, 0.5), batch.with_x(still[:, :, 0]))[0].x,
    )
    torch.testing.assert_close(one[:, :, 3], image)
    # Colours are those that an image of all frames would get: one map, about the clip's own mean.
    colour = run(AllFrames(Colour(1.0, 1.0)), batch)[0].x
    torch.testing.assert_close(colour[:, :, 2], run(Colour(1.0, 1.0), batch.with_x(still[:, :, 0]))[0].x)


def test_what_views_of_time_do():
    x = torch.arange(6.0).view(1, 1, 6, 1, 1).expand(50, 1, 6, 2, 2) / 6
    batch = Batch(x.contiguous(), torch.zeros(50, dtype=torch.long), torch.arange(50))
    at = (run(TimeJitter(0.4, 0.4), batch)[0].x[:, 0, :, 0, 0] * 6).round()
    assert (at.diff(dim=1) >= 0).all()
    assert (at[:, -1] - at[:, 0]).unique().tolist() == [2]
    assert set(at[:, 0].tolist()) == {0, 1, 2, 3}
    turned = run(Reversed(0.5), batch)[0].x[:, 0, 0, 0, 0]
    assert 15 < int((turned > 0.5).sum()) < 35
    order = (run(Shuffled(), batch)[0].x[:, 0, :, 0, 0] * 6).round()
    assert (order.sort(1).values == torch.arange(6.0)).all()
    assert len({*map(tuple, order.tolist())}) > 40


@pytest.mark.parametrize("kind", VideoViews.splits)
def test_every_split(kind, clips):
    made = named_views("clip", clips, kind).fitted(clips)
    assert isinstance(made, Split)
    batch = clips[np.arange(10)]
    assert all(seen.x.isfinite().all() for seen in made(batch))
    assert view_from_json(view_to_json(made)) == made
    if isinstance(made, Parts):
        shapes = [part.shape for part in made.describe(describe(clips))]
        assert shapes == [tuple(part.x.shape[1:]) for part in made.parts(batch)]
        rows = made.per_part(describe(clips))
        assert all(len(part) == 10 * rows for part in made.parts(batch))


# Encoders, methods, commands


@pytest.mark.parametrize("name", ["auto", "cnn", "r3d", "vit", "mlp", "linear"])
def test_encoders(name, clips):
    torch.manual_seed(0)
    encoder, batch = make_encoder(name, clips).eval(), clips[np.arange(6)]
    with torch.no_grad():
        h = encoder(batch)
        assert h.shape == (6, encoder.dim)
        torch.testing.assert_close(encoder.layers(batch)[-1], h)
        torch.testing.assert_close(encoder.tokens(batch).mean(1), h, atol=1e-5, rtol=1e-4)
        if name in ("cnn", "r3d", "vit"):
            for smaller in (batch.x[:, :, :1], batch.x[:, :, :, :11, :9]):
                assert encoder(batch.with_x(smaller.contiguous())).shape == h.shape
        if name in ("cnn", "r3d"):
            maps = encoder.read(batch, "maps")
            torch.testing.assert_close(maps[-1], encoder.read(batch, "map"))
            assert all(one.ndim == 4 for one in maps)


@pytest.mark.parametrize("name", ["cnn", "r3d", "vit"])
def test_encoders_know_which_way_time_runs(name, clips):
    torch.manual_seed(0)
    encoder, batch = make_encoder(name, clips).eval(), clips[np.arange(0, 6, 3)]
    with torch.no_grad():
        h, back = (encoder(batch.with_x(x)) for x in (batch.x, batch.x.flip(2)))
    assert (h - back).norm() > 1e-3 * h.norm()


def test_the_network_of_frames_keeps_where_a_thing_is():
    """Its mean over places alone would be nearly the same wherever a thing stands."""
    torch.manual_seed(0)
    net = FrameCNN(1, 32).eval()
    x = torch.zeros(2, 1, 4, 32, 32)
    x[0, :, :, 8:12, 6:10] = x[1, :, :, 8:12, 22:26] = 1
    with torch.no_grad():
        here, there = net(x)
        means = net.layers(x)[2]
        assert (here - there).norm() > 10 * (means[0] - means[1]).norm() / means[0].norm() * here.norm() * 0.1
        assert (here - there).norm() > 0.1 * here.norm()


def test_cosines_are_those_of_the_transform():
    from scipy.fft import dct

    states = np.random.default_rng(0).normal(size=(7, 3))
    found = cosines(7, 4, torch.zeros(1, dtype=torch.float64)).numpy().T @ states
    np.testing.assert_allclose(found, dct(states, type=2, axis=0)[:4] / 14)


def test_patches_of_space_and_time_come_together_again():
    clips = as_samples(squares(5, frames=5, size=14), kind="video")  # no whole number of patches
    encoder, batch = make_encoder("vit", clips), clips[np.arange(5)]
    assert encoder.grid(batch) == (3, 7, 7)
    patches = encoder.patches(batch)
    assert patches.shape == (5, 147, 2 * 2 * 2 * 3)
    torch.testing.assert_close(encoder.assemble(patches, batch), batch.floats().x)
    # The patch at (1, 2, 3) is frames 2 and 3, rows 4 and 5, columns 6 and 7.
    own = encoder.standardise(batch)[:, :, 2:4, 4:6, 6:8].flatten(1)
    torch.testing.assert_close(patches[:, 49 + 14 + 3], own)


@pytest.mark.parametrize("name", one_of_each(SERVED, fast=("simclr", "mae")))
def test_every_method_whose_needs_are_met_learns_from_clips(name, tmp_path):
    entry = registry()[name]
    samples = labelled_for(entry.cls, made_clips(36))
    given = {"encoder": "auto", "batch_size": 12, "epochs": 1}
    if "patches" in getattr(entry.cls, "needs", ()):
        given["encoder"] = "vit"
    method = quick(entry.cls, **{key: value for key, value in given.items() if hasattr(entry.cls, key)})
    if not isinstance(method, Model):
        assert method.fit_transform(np.abs(samples.flat())).shape[0] == len(samples)
        return
    found = method.fit(samples, run=tmp_path / "run").transform(samples)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(samples), found)


def test_all_that_the_issue_names_are_served():
    assert {"simclr", "vicreg", "mae", "cpc", "pirl", "byol", "supervised", "autoencoder"} <= set(SERVED)
    assert not {"rotation", "jigsaw", "colorization"} & set(SERVED)


def test_clips_are_drawn_as_four_of_their_frames(clips):
    looks = LOOKS["video"]
    x = torch.zeros(1, 3, 7, 8, 8)
    for t in range(7):
        x[:, :, t] = t / 10
    drawn = looks.draw(x, 49)[0, :, :, 0] / 255
    np.testing.assert_allclose(
        [drawn[10, 10], drawn[10, 40], drawn[40, 10], drawn[40, 40]], [0, 0.2, 0.4, 0.6], atol=0.01
    )
    assert (drawn[24] == 1).all()
    assert looks.draw(clips[np.arange(2)].x[:, :1, :1], 48).shape == (2, 48, 48, 3)
    assert looks.cell(clips.shape) == (3, 48)


def test_windows_cover_what_there_is():
    starts, of = Windows(3, 2, 2).cut([5, 4, 9])
    assert (starts.tolist(), of.tolist()) == ([0, 9, 11, 13], [0, 2, 2, 2])


@pytest.mark.all
def test_all_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for i, one in enumerate(squares(90)):
        if i % 3 < 2:  # the others stand still
            gif(tmp_path / "data" / "ab"[i % 3] / f"{i}.gif", one)

    def told(*words):
        assert main([*map(str, words)]) in (0, None), capsys.readouterr().err
        return capsys.readouterr().out

    kind = ("--kind", "video:frames=6")
    told("fit", "simclr", "data", *kind, "--run", "r", "--epochs", 1, "--batch-size", 16)
    told("embed", "r", "data", "--out", "rows.npy")
    assert len(np.load("rows.npy")) == 60
    assert "hand-made" in told("evaluate", "r", "data")
    told("report", "r")
    assert (tmp_path / "r" / "report.html").stat().st_size > 20_000
    told("finetune", "r", "data", "--to", "t", "--epochs", 1)


def test_a_kind_is_named_with_its_settings():
    assert Video(frames=4, size=16) == Video(4, 1, None, None, 16)
