"""The page's server: every route, hostile requests, labels that nothing loses, proposals, places, tables."""

import base64
import csv
import io
import multiprocessing
import os
import signal
import sys
import time

import numpy as np
import pandas as pd
import pytest

from replearn import as_samples, load_data
from replearn.service.explore import Beside, Colour, Explored, LabelFile, Places, place
from replearn.service.explore.explored import changed_neighbours, column_colour, label_colour
from replearn.service.explore.labelling import checked_label
from replearn.service.explore.places import BESIDE, TSNE, alike, kept_neighbours
from replearn.service.explore.predictions import prediction_colours
from replearn.service.explore.proposing import farthest_first, margins, propose
from replearn.service.explore.table import map_table, write_map

pytest.importorskip("fastapi", reason="needs replearn[serve]")
testclient = pytest.importorskip("starlette.testclient", reason="needs httpx")

from replearn.service.explore import make_app  # noqa: E402

DRAW = np.random.default_rng(0)
N = 60


def explored(samples, **fields):
    rows = (
        samples.flat() if samples.kind != "text" else DRAW.normal(size=(len(samples), 4)).astype(np.float32)
    )
    colours = [colour for colour in [label_colour(samples)] if colour is not None]
    given = {"title": "t", "rows": rows, "places": place(rows, "pca"), "colours": colours} | fields
    return Explored(samples=samples, **given)


def client(what, **how):
    return testclient.TestClient(make_app(what, **how), raise_server_exceptions=True)


@pytest.fixture(scope="module")
def digits():
    return load_data("digits8x8").subset(np.arange(N))


@pytest.fixture
def asked(digits, tmp_path):
    names = [str(i) for i in range(N)]
    return client(explored(digits, labels=LabelFile(tmp_path / "labels.csv", names)))


def unpacked(text, dtype="<i4"):
    return np.frombuffer(base64.b64decode(text), dtype)


# --- every route ------------------------------------------------------------------------------------------------------


def test_the_page_and_its_files_come_with_a_policy_and_hold_no_data(asked):
    for address, begins in {
        "/": "<!DOCTYPE",
        "/explore.js": '"use',
        "/explore.css": "/*",
        "/report.css": ":root",
    }.items():
        answer = asked.get(address)
        assert answer.status_code == 200
        assert answer.text.startswith(begins)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
    page = asked.get("/").text
    assert "http" not in page.replace("http-equiv", "")
    assert asked.get("/health").json() == {"status": "ok", "samples": N}


def test_the_map_has_places_and_colours(asked, digits):
    found = asked.get("/map").json()
    xy = unpacked(found["maps"][0]["xy"], "<f4").reshape(-1, 2)
    assert found["n"] == len(xy) == N
    assert np.abs(xy).max() == pytest.approx(1)
    (colour,) = found["colours"]
    assert unpacked(colour["values"]).tolist() == digits.labels.tolist()
    assert colour["classes"] == list(digits.classes)
    assert found["labelling"]
    assert not found["meant"]


def test_samples_are_shown_small_and_whole(asked, digits):
    small = asked.post("/samples", json={"positions": [5, 3]}).json()["samples"]
    assert [one["position"] for one in small] == [5, 3]
    assert small[0]["picture"].startswith("data:image/png;base64,")
    whole = asked.get("/samples/5").json()
    assert whole["values"] == [["label", str(digits.labels[5])]]
    assert len(whole["picture"]) > len(small[0]["picture"])


def test_neighbours_are_the_nearest_by_cosine_without_itself(asked, digits):
    found = asked.get("/neighbours/7?k=5").json()["neighbours"]
    rows = digits.flat().astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosine = rows @ rows[7]
    cosine[7] = -2
    assert [one["position"] for one in found] == np.argsort(-cosine)[:5].tolist()
    assert found[0]["cosine"] == pytest.approx(cosine.max(), abs=1e-3)


def test_search_by_number_and_name(asked):
    found = asked.get("/search", params={"q": "no. 12"}).json()
    assert found["positions"] == [12]
    assert "meant" not in found


def test_search_by_text_and_by_meaning():
    texts = as_samples(
        ["to be", "or not", "to be or not", "a cat", "the dog", "a bird", "the end", "what", "who"]
    )
    rows = np.eye(9, dtype=np.float32)
    known = explored(texts, rows=rows, places=place(rows, "pca"), read_text=lambda text: rows[[3]])
    found = client(known).get("/search", params={"q": "TO be"}).json()
    assert found["positions"] == [0, 2]
    assert found["meant"][0]["position"] == 3
    assert found["meant"][0]["text"] == "a cat"
    assert client(known).get("/samples/2").json()["text"] == "to be or not"


def test_sounds_are_played():
    sounds = pytest.importorskip("replearn.data.sound")
    assert sounds
    samples = load_data("notes").subset(np.arange(9))
    whole = client(explored(samples)).get("/samples/1").json()
    assert whole["sound"].startswith("data:audio/wav;base64,")
    assert whole["picture"]


def test_a_selection_is_exported(asked, digits):
    answer = asked.post("/export", json={"positions": [4, 2]})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows == [
        ["number", "file", "label", "label_"],
        ["4", "4", "", str(digits.labels[4])],
        ["2", "2", "", str(digits.labels[2])],
    ]


def test_labels_are_saved_at_once(asked, tmp_path):
    found = asked.post("/labels", json={"positions": [3, 5], "label": ' Cat, "wild" '}).json()
    assert found["classes"] == ['Cat, "wild"']
    assert found["counts"] == [2]
    assert np.flatnonzero(unpacked(found["values"]) == 0).tolist() == [3, 5]
    frame = pd.read_csv(tmp_path / "labels.csv", dtype=str)
    assert frame.to_numpy().tolist() == [["3", 'Cat, "wild"'], ["5", 'Cat, "wild"']]
    found = asked.post("/labels", json={"positions": [3], "label": None}).json()
    assert found["counts"] == [1]
    assert asked.get("/labels").json() == found


def test_a_file_that_became_a_folder_is_told(asked, tmp_path):
    (tmp_path / "labels.csv").unlink(missing_ok=True)
    (tmp_path / "labels.csv").mkdir()
    answer = asked.post("/labels", json={"positions": [0], "label": "a"})
    assert answer.status_code == 500
    assert "can't be read or written" in answer.json()["error"]


def test_which_to_label_next(asked):
    found = asked.post("/next", json={"count": 4}).json()
    assert len({one["position"] for one in found["samples"]}) == 4
    assert "core-set" in found["told"]


# --- hostile requests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/samples/{}", "/neighbours/{}"])
@pytest.mark.parametrize(
    ("given", "status"),
    [("60", 404), ("-1", 422), ("1.0", 422), ("x", 422), ("٣", 422), ("9" * 30, 422), ("0x1", 422)],
)
def test_unknown_samples_are_told(asked, path, given, status):
    answer = asked.get(path.format(given))
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/samples", {"positions": [60]}, 404),
        ("/samples", {"positions": [-1]}, 404),
        ("/samples", {"positions": []}, 413),
        ("/samples", {"positions": [0] * 501}, 413),
        ("/samples", {"positions": ["0"]}, 422),
        ("/samples", {"positions": [True]}, 422),
        ("/samples", {"positions": [0], "path": "/etc/passwd"}, 422),
        ("/export", {"positions": "0"}, 422),
        ("/labels", {"positions": [0]}, 422),
        ("/labels", {"positions": [0], "label": ""}, 422),
        ("/labels", {"positions": [0], "label": "a\nb"}, 422),
        ("/labels", {"positions": [0], "label": "x" * 101}, 422),
        ("/labels", {"positions": [0], "label": "-1"}, 422),
        ("/labels", {"positions": [0], "label": "2.5"}, 422),
        ("/labels", {"positions": [0], "label": 3}, 422),
        ("/labels", {"positions": [60], "label": "x"}, 404),
        ("/next", {"count": 0}, 422),
        ("/next", {"count": 10**9}, 422),
        ("/next", {"random_state": -1}, 422),
    ],
)
def test_wrong_bodies_are_told_and_write_nothing(asked, tmp_path, path, body, status):
    answer = asked.post(path, json=body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert not (tmp_path / "labels.csv").exists()


def test_bodies_that_are_no_json_or_too_large(asked):
    assert asked.post("/labels", content=b"{").status_code == 400
    assert asked.post("/labels", content=b"[]").status_code == 400
    assert asked.post("/labels", content=b"{" + b" " * 4_100_000).status_code == 413
    assert asked.get("/search").status_code == 422
    assert asked.get("/neighbours/0?k=0").status_code == 422


def test_nothing_of_a_request_is_a_path(asked, tmp_path):
    (tmp_path / "secret").write_text("secret")
    for path in (
        "/../secret",
        "/%2e%2e/secret",
        f"/{tmp_path}/secret",
        "/explore.js/../../app.py",
        "/static/app.py",
    ):
        assert asked.get(path).status_code == 404
    assert asked.get("/search", params={"q": str(tmp_path / "secret")}).json()["positions"] == []
    assert asked.post("/labels", json={"positions": [0], "label": "../secret"}).status_code == 200
    assert (tmp_path / "secret").read_text() == "secret"


def test_no_other_page_may_label(asked, tmp_path):
    body = {"positions": [0], "label": "x"}
    answer = asked.post("/labels", json=body, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert not (tmp_path / "labels.csv").exists()
    assert asked.post("/labels", json=body, headers={"origin": "http://testserver"}).status_code == 200


def test_tokens_and_hosts(digits):
    known = explored(digits)
    asked = client(known, tokens=["a" * 20])
    assert asked.get("/").status_code == 200
    for path in ("/map", "/samples/0", "/neighbours/0", "/search?q=1", "/labels"):
        assert asked.get(path).status_code == 401
    assert asked.post("/export", json={"positions": [0]}).status_code == 401
    assert asked.get("/map", headers={"authorization": f"Bearer {'a' * 20}"}).status_code == 200
    assert client(known, hosts=["localhost"]).get("/map").status_code == 400


def test_without_a_file_nothing_is_labelled(digits):
    asked = client(explored(digits))
    for answer in (asked.get("/labels"), asked.post("/labels", json={"positions": [0], "label": "x"})):
        assert answer.status_code == 404
        assert "--labels" in answer.json()["error"]


def test_samples_whose_files_went_away_say_so(digits):
    class Gone(type(digits)):
        def __getitem__(self, index):
            raise FileNotFoundError(2, "No such file", "a.png")

    samples = Gone(digits.samples, digits.index)
    asked = client(explored(samples, rows=digits.flat(), places=place(digits.flat(), "pca")))
    for found in (
        asked.get("/samples/1").json(),
        asked.post("/samples", json={"positions": [1]}).json()["samples"][0],
    ):
        assert "can't be read any more" in found["gone"]
        assert found["name"] == "no. 1"
    assert len(asked.get("/neighbours/1").json()["neighbours"]) == 10


def test_names_that_are_no_text_come_through(digits):
    samples = as_samples(digits, ["a\udc80", "b\x1b"] * (N // 2))
    asked = client(explored(samples))
    assert asked.get("/map").json()["colours"][0]["classes"] == [
        "a\N{REPLACEMENT CHARACTER}",
        "b\N{REPLACEMENT CHARACTER}",
    ]
    assert asked.get("/samples/0").json()["values"] == [["label", "a\N{REPLACEMENT CHARACTER}"]]
    assert asked.post("/export", json={"positions": [0]}).status_code == 200
    assert asked.get("/search", params={"q": "\x1b"}).status_code == 200


# --- labels -----------------------------------------------------------------------------------------------------------


def names_of(n):
    return [f"a/{i}.png" for i in range(n)]


def test_other_rows_and_columns_of_a_file_stay(tmp_path):
    path = tmp_path / "l.csv"
    path.write_text("filename,class,who\n0.png,ant,Eve\nelse.png,bee,Ada\n")
    file = LabelFile(path, names_of(3))
    assert file.read() == ["ant", None, None]
    file.assign([0, 2], "cat")
    assert path.read_text() == "filename,class,who\n0.png,cat,Eve\nelse.png,bee,Ada\na/2.png,cat,\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("file,label\n0.png,a\n0.png,b\n", "one label"),
        ("name,what\n0.png,a\n", "must have a column label"),
        ("file,label\n0.png\n", "2 cells"),
        ("file,label\n" + "".join(f"{i}.png,{i}.5\n" for i in range(3)), "measurements"),
    ],
)
def test_files_that_are_no_labels_are_told(tmp_path, text, told):
    path = tmp_path / "l.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=told):
        LabelFile(path, names_of(3))
    assert path.read_text() == text


def test_names_of_files_must_differ_and_be_text(tmp_path):
    for names, told in ((["a", "a"], "of its own"), (["a", "\udc80"], "are text")):
        with pytest.raises(ValueError, match=told):
            LabelFile(tmp_path / "l.csv", names)
    with pytest.raises(ValueError, match="CSV file"):
        LabelFile(tmp_path / "l.parquet", ["a"])


@pytest.mark.parametrize("label", ["007", "7", "0", "None", "NA", "é", "a,b", 'a"b', "True"])
def test_labels_are_read_as_they_were_given(tmp_path, label):
    file = LabelFile(tmp_path / "l.csv", names_of(3))
    file.assign([1], label)
    assert LabelFile(tmp_path / "l.csv", names_of(3)).read() == [None, label, None]
    assert checked_label(f" {label} ") == label


def _label_some(path, n, start, label):
    file = LabelFile(path, names_of(n))
    for i in range(start, n, 2):
        file.assign([i], label)


def test_two_pages_lose_nothing(tmp_path):
    n, context = 60, multiprocessing.get_context("fork")
    others = [context.Process(target=_label_some, args=(tmp_path / "l.csv", n, i, f"p{i}")) for i in (0, 1)]
    for one in others:
        one.start()
    for one in others:
        one.join()
    assert LabelFile(tmp_path / "l.csv", names_of(n)).read() == [f"p{i % 2}" for i in range(n)]


def _label_forever(path, n):
    file = LabelFile(path, names_of(n))
    for i in range(10**6):
        file.assign([i % n], f"r{i // n}")


def test_a_kill_loses_nothing_that_was_saved(tmp_path):
    path, n = tmp_path / "l.csv", 50
    LabelFile(path, names_of(n)).assign(range(n), "first")
    for wait in (0.05, 0.13, 0.2):
        one = multiprocessing.get_context("fork").Process(target=_label_forever, args=(path, n))
        one.start()
        time.sleep(wait)
        os.kill(one.pid, signal.SIGKILL)
        one.join()
        told = LabelFile(path, names_of(n)).read()
        assert len(told) == n
        assert None not in told


# --- which to label next ----------------------------------------------------------------------------------------------


def blobs(centres, each, spread=0.3):
    rows = np.concatenate([DRAW.normal(centre, spread, (each, 2)) for centre in centres])
    return rows, np.repeat(np.arange(len(centres)), each)


def test_without_labels_each_blob_is_asked_once():
    rows, truth = blobs([(0, 0), (9, 0), (0, 9), (9, 9)], 30, spread=0.1)
    found, told = propose(rows, np.full(120, -1), 5)
    assert set(truth[found]) == {0, 1, 2, 3}
    assert "core-set" in told


def test_farthest_first_is_the_greedy_k_center():
    """By a loop over all pairs, as in algorithm 1 of the paper."""
    rows = DRAW.normal(size=(40, 3))
    known, found = [3, 17], []
    for _ in range(6):
        chosen = known + found
        least = [min(np.sqrt(((row - rows[j]) ** 2).sum()) for j in chosen) for row in rows]
        found.append(max((i for i in range(40) if i not in chosen), key=lambda i: least[i]))
    assert farthest_first(rows, np.array(known), 6).tolist() == found


def test_with_labels_the_border_is_asked():
    rows, truth = blobs([(-4, 0), (4, 0)], 100)
    between = DRAW.uniform((-1, -0.5), (1, 0.5), (40, 2))
    labels = np.full(240, -1)
    labels[[0, 1, 2, 3, 100, 101, 102, 103]] = truth[[0, 1, 2, 3, 100, 101, 102, 103]]
    found, told = propose(np.concatenate([rows, between]), labels, 5)
    assert (found >= 200).all()
    assert len(set(found.tolist())) == 5
    assert "Least margins" in told


def test_what_is_proposed_has_no_label_and_is_spread():
    rows, truth = blobs([(0, 0), (5, 0), (0, 5)], 80)
    labels = np.where(np.arange(240) % 10 == 0, truth, -1)
    found, _ = propose(rows, labels, 9)
    assert (labels[found] == -1).all()
    apart = np.linalg.norm(rows[found][:, None] - rows[found][None], axis=2) + 9 * np.eye(9)
    assert apart.min() > 0.02
    assert propose(rows, truth, 9)[0].tolist() == []


def test_proposals_beat_chance_on_an_uneven_set():
    """A rare class is found by proposals long before by chance."""
    rows, truth = blobs([(0, 0), (6, 0), (3, 6)], 400)
    keep = np.concatenate([np.arange(800), np.arange(800, 808)])
    rows, truth = rows[keep], truth[keep]
    labels = np.full(len(rows), -1)
    found, _ = propose(rows, labels, 6)
    assert set(truth[found]) == {0, 1, 2}


def test_margins_are_those_of_a_linear_probe():
    rows, truth = blobs([(-2, 0), (2, 0)], 50)
    found = margins(rows, truth, np.array([[-3.0, 0], [0.0, 0], [3.0, 0]]))
    assert found[1] < 0.4
    assert found[[0, 2]].min() > 0.9


# --- places -----------------------------------------------------------------------------------------------------------


def test_others_lie_beside_their_nearest(monkeypatch):
    from replearn.service.explore import places

    monkeypatch.setattr(places, "TSNE", 60)
    rows, truth = blobs([(0, 9), (9, 0), (-9, -9)], 100)
    found = place(rows.astype(np.float32))
    assert found.told == (
        "t-SNE of 60 of 300 samples; the other 240 lie between the 3 of these that are nearest to them"
    )
    middle = np.stack([found.xy[truth == one].mean(0) for one in range(3)])
    nearest = np.linalg.norm(found.xy[:, None] - middle[None], axis=2).argmin(1)
    assert (nearest == truth).all()
    assert (BESIDE, TSNE) == (3, 5000)


def test_small_sets_and_kept_neighbours():
    assert place(np.eye(3, dtype=np.float32)).told == "principal components of 3 samples; t-SNE needs 8"
    assert place(np.ones((1, 4), np.float32)).xy.shape == (1, 2)
    angle = np.linspace(0, 3, 50)
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    assert kept_neighbours(circle, circle, np.random.default_rng(0)) == 1
    shuffled = kept_neighbours(circle, DRAW.normal(size=(50, 2)), np.random.default_rng(0))
    assert shuffled < 0.5


def test_without_umap_there_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(
        ValueError, match=r"needs umap, which is not installed\. Run: pip install 'replearn\[umap\]'"
    ):
        place(np.eye(20, dtype=np.float32), "umap")


@pytest.mark.all
def test_umap_parts_blobs():
    pytest.importorskip("umap", reason="needs replearn[umap]")
    rows, truth = blobs([(0, 9), (9, 0), (-9, -9)], 30)
    found = place(rows.astype(np.float32), "umap")
    assert found.told == "UMAP of 90 samples"
    middle = np.stack([found.xy[truth == one].mean(0) for one in range(3)])
    assert (np.linalg.norm(found.xy[:, None] - middle[None], axis=2).argmin(1) == truth).all()


# --- colours, two representations, tables -----------------------------------------------------------------------------


def test_columns_are_classes_or_amounts():
    classes = column_colour("c", ["b", None, "a", "b"])
    assert classes.values.tolist() == [1, -1, 0, 1]
    amount = column_colour("a", [0.5, float("nan"), 2.5])
    assert amount.classes == ()
    told = amount.told()
    assert (told["low"], told["high"]) == (0.5, 2.5)
    assert unpacked(told["values"], "<f4").tolist() == [0, -1, 1]
    assert column_colour("n", [1, 10, 2]).classes == ["1", "2", "10"]
    nothing = column_colour("n", [None, None])
    assert nothing.told()["classes"] == []
    assert nothing.at(0) == ""


def test_predictions_are_colours():
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    found = prediction_colours(p, ["a", "b"], Colour("label", np.array([0, 0, -1]), ("a", "c")))
    assert [one.name for one in found] == ["prediction", "confidence", "prediction is"]
    assert found[0].values.tolist() == [0, 1, 0]
    assert found[2].values.tolist() == [1, 0, -1]


def test_changed_neighbours_are_the_share_that_differs():
    first, second = DRAW.normal(size=(2, 40, 5))
    changed, told = changed_neighbours(first, second, k=6)
    for i in range(40):
        sets = []
        for rows in (first, second):
            cosine = rows @ rows[i] / np.linalg.norm(rows, axis=1)
            sets.append(
                {j for j in np.argsort(-cosine).tolist() if j != i and (cosine > cosine[j]).sum() <= 6}
            )
        assert changed[i] == pytest.approx(1 - len(sets[0] & sets[1]) / 6)
    assert "of the 6 nearest" in told
    assert not changed_neighbours(first, 3 * first)[0].any()
    assert "sought among 30 of 40" in changed_neighbours(first, second, most=30)[1]


def test_two_maps_are_beside_each_other(digits):
    rows = digits.flat()
    other = place(rows[:, ::2], "pca")
    turned = Places(alike(-other.xy, other.xy), "", 1.0)
    np.testing.assert_allclose(turned.xy, other.xy, atol=1e-5)
    changed = changed_neighbours(rows, rows[:, ::2])[0]
    known = explored(digits, beside=Beside("second", rows[:, ::2], turned, changed, ""))
    found = client(known).get("/map").json()
    assert [one["title"] for one in found["maps"]] == ["t", "second"]
    near = client(known).get("/neighbours/4").json()
    both = {one["position"] for one in near["neighbours"]} & {one["position"] for one in near["beside"]}
    assert {one["position"] for one in near["beside"] if one["shared"]} == both


def test_the_table_is_as_embedding_atlas_reads_it(digits, tmp_path):
    import pyarrow.parquet as pq

    known = explored(
        digits, colours=[Colour("x", digits.labels, digits.classes), Colour("sure", np.arange(N) / 2)]
    )
    write_map(tmp_path / "m.parquet", known)
    table = pq.read_table(tmp_path / "m.parquet")
    assert table.column_names == ["id", "name", "x", "y", "x_", "sure", "neighbors"]
    frame = pd.read_parquet(tmp_path / "m.parquet")
    np.testing.assert_allclose(frame[["x", "y"]], known.places.xy, atol=1e-6)
    first = frame["neighbors"][0]
    assert list(first) == ["ids", "distances"]
    assert len(first["ids"]) == 15
    assert 0 not in first["ids"]
    assert (np.diff(first["distances"]) >= 0).all()
    assert frame["id"].tolist() == list(range(N))
    texts = as_samples(["a b", "c", "d", "e", "f", "g", "h", "i", "j"])
    assert map_table(explored(texts)).column("text")[0].as_py() == "a b"
