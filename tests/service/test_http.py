"""A server answers as the run does, batches what comes together, keeps its limits, and opens no path of a request."""

import asyncio
import base64
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from replearn import Autoencoder, FineTune, load
from replearn.cli import main
from replearn.cli.listening import is_loopback, read_tokens
from replearn.cli.runs import described
from replearn.service.http import Limits, Served, make_app
from replearn.service.http.batches import Batches
from replearn.service.http.contents import check_servable, read_inputs
from serving import serving

uvicorn = pytest.importorskip("uvicorn", reason="needs replearn[serve]")
pytest.importorskip("fastapi", reason="needs replearn[serve]")
pytest.importorskip("lancedb", reason="needs replearn[serve]")

DRAW = np.random.default_rng(0)
N = 40


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table with a column of names, a run of PCA on it, and an index."""
    folder = tmp_path_factory.mktemp("table")
    frame = pd.DataFrame(DRAW.normal(size=(N, 3)), columns=list("abc"))
    frame = frame.assign(
        colour=np.array(["red", "blue"])[np.arange(N) % 2], label=np.array(["x", "y'z"])[np.arange(N) // 20]
    )
    frame.to_csv(folder / "t.csv", index=False)
    data, run, index = (str(folder / name) for name in ("t.csv", "run", "index"))
    assert (
        main(["fit", "autoencoder", data, "--dim", "2", "--epochs", "1", "--batch-size", "8", "--run", run])
        == 0
    )
    assert main(["index", run, data, "--to", index]) == 0
    return folder


@pytest.fixture(scope="module")
def server(table):
    served = Served(
        load(table / "run"), described(str(table / "run")), str(table / "run"), str(table / "index")
    )
    with serving(
        make_app(served, Limits(megabytes=0.01, inputs=20, wait=100), hosts=("127.0.0.1",))
    ) as asked:
        yield asked


def h_of(table):
    return load(table / "run").transform(str(table / "t.csv"))


def rows_of(table):
    return json.loads(pd.read_csv(table / "t.csv").drop(columns="label").to_json(orient="records"))


def test_rows_are_represented_as_transform_does(server, table):
    status, answer = server("/embed", {"inputs": rows_of(table)[:7]})
    assert status == 200
    np.testing.assert_allclose(answer["h"], h_of(table)[:7], rtol=1e-4, atol=1e-5)


def test_requests_that_come_together_are_one_batch(server, table):
    def batches():
        return int(server("/metrics")[1].split("replearn_batches_total ")[-1].split()[0])

    rows, h, before = rows_of(table), h_of(table), batches()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: server("/embed", {"inputs": rows[i : i + 2]}), range(16)))
    for i, (status, answer) in enumerate(answers):
        assert status == 200
        np.testing.assert_allclose(answer["h"], h[i : i + 2], rtol=1e-4, atol=1e-5)
    assert 1 <= batches() - before <= 6


def test_neighbours_with_conditions(server, table):
    h = h_of(table).astype(np.float64)
    h /= np.linalg.norm(h, axis=1, keepdims=True)
    status, answer = server(
        "/neighbours", {"inputs": rows_of(table)[3:4], "top": 4, "where": {"label": "y'z"}}
    )
    assert status == 200
    fit = np.arange(20, N)
    best = fit[np.argsort(-h[fit] @ h[3])][:4]
    assert [one["number"] for one in answer["neighbours"][0]] == best.tolist()
    assert {one["label"] for one in answer["neighbours"][0]} == {"y'z"}
    _, own = server("/neighbours", {"numbers": [3, 5], "top": 3})
    assert [one[0]["number"] != number for one, number in zip(own["neighbours"], (3, 5), strict=True)] == [
        True,
        True,
    ]


def test_values_of_a_condition_are_no_sql(server):
    status, answer = server("/neighbours", {"numbers": [3], "where": {"label": "x' OR '1'='1"}})
    assert (status, answer) == (200, {"neighbours": [[]]})


WRONG = [
    ("/embed", b"{", 400, "must be JSON"),
    ("/embed", b"[" * 5000, 400, "must be JSON"),
    ("/embed", [1], 400, "must be an object"),
    ("/embed", {"inputs": "x"}, 422, "a list of inputs"),
    ("/embed", {"inputs": []}, 413, "from 1 to 20 samples; got 0"),
    ("/embed", {"inputs": [[1, 2]] * 21}, 413, "from 1 to 20 samples; got 21"),
    ("/embed", {"inputs": [[1, 2]]}, 422, "finite numbers of shape [5]"),
    ("/embed", {"inputs": [[1, 2, 3, 4, 1e999]]}, 422, "finite numbers"),
    ("/embed", {"inputs": ["/etc/passwd"]}, 422, "lists of numbers"),
    ("/embed", {"inputs": [{"a": 1}]}, 422, "must have the columns"),
    ("/embed", {"inputs": [{"a": [1], "b": 1, "c": 1, "colour": "red"}]}, 422, "numbers, names or null"),
    ("/embed", {"inputs": [[0, 0, 0, 0, 0]], "path": "x"}, 422, "got 'path'"),
    ("/embed", b'{"inputs": "' + b"x" * 20_000 + b'"}', 413, "at most 0.01 MB"),
    ("/neighbours", {"numbers": [10**6]}, 422, "which none of 40 has"),
    ("/neighbours", {"numbers": ["1 OR 1"]}, 422, "a list of numbers"),
    ("/neighbours", {"numbers": [1], "top": 10**6}, 422, "top must be"),
    ("/neighbours", {"numbers": [1], "where": {"label = 'x' OR 1": 1}}, 422, "columns of the index"),
    ("/neighbours", {"numbers": [1], "where": {"label": ["x"]}}, 422, "strings or numbers"),
    ("/classify", {"inputs": [[0, 0, 0, 0, 0]]}, 404, "tells no classes"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "says"), WRONG)
def test_what_can_not_be_is_told(server, path, body, status, says):
    found, answer = server(path, body)
    assert found == status
    assert says in answer["error"]


def test_another_name_of_the_host_is_refused(server):
    assert server("/health", Host="evil.example")[0] == 400
    assert server("/health")[1]["status"] == "ok"


def test_tokens(table):
    served = Served(load(table / "run"), described(str(table / "run")), str(table / "run"))
    token = "0123456789abcdef"
    body = {"inputs": rows_of(table)[:1]}
    with serving(make_app(served, Limits(), tokens=("another-token-of-16", token))) as asked:
        assert asked("/embed", body)[0] == 401
        assert asked("/embed", body, Authorization="Bearer 0123456789abcdeg")[0] == 401
        assert asked("/metrics")[0] == 401
        assert asked("/health")[0] == 200
        assert asked("/embed", body, Authorization=f"Bearer {token}")[0] == 200
        status, answer = asked("/neighbours", {"numbers": [1]}, Authorization=f"Bearer {token}")
        assert (status, answer["error"]) == (404, "no index is served: start with --index")


def test_new_versions_of_the_index_are_taken_up(table, tmp_path):
    import shutil

    index, run, data = (
        shutil.copytree(table / "index", tmp_path / "i"),
        str(table / "run"),
        str(table / "t.csv"),
    )
    served = Served(load(run), described(run), run, str(index))
    assert main(["index", run, data, "--to", str(index), "--renew"]) == 0
    assert len(served.table()) == N
    assert served.version == "v2"
    other = str(tmp_path / "other")
    assert main(["fit", "pca", data, "--n-components", "2", "--run", other]) == 0
    assert main(["index", other, data, "--to", str(index), "--renew"]) == 0
    old = served.table()
    assert served.version == "v2"  # the new one can't be asked by this run
    assert len(old.search(old.direction(3), 5)) == 5
    with pytest.raises(ValueError, match="must be made by the run that is served"):
        Served(load(run), described(run), run, str(index))


def test_a_model_of_classes(tmp_path):
    images = DRAW.integers(0, 256, (24, 3, 8, 8), dtype=np.uint8)
    labels = np.array(["cat", "dog"])[np.arange(24) % 2]
    model = FineTune(encoder="linear", trained="frozen", epochs=1, batch_size=8).fit(images, labels)
    model.save(tmp_path / "run")
    run = str(tmp_path / "run")
    inputs = []
    for image in images[:3]:
        file = io.BytesIO()
        Image.fromarray(image.transpose(1, 2, 0)).save(file, "PNG")
        inputs.append(base64.b64encode(file.getvalue()).decode())
    with serving(make_app(Served(load(run), described(run), run), Limits())) as asked:
        status, answer = asked("/classify", {"inputs": inputs})
        assert status == 200
        p = model.predict_proba(images[:3])
        np.testing.assert_allclose(answer["probabilities"], p, atol=1e-5)
        assert answer["classes"] == ["cat", "dog"]
        assert answer["labels"] == [("cat", "dog")[i] for i in p.argmax(1)]
        for wrong in (str(tmp_path / "run" / "method.json"), "!", base64.b64encode(b"no image").decode(), 7):
            status, answer = asked("/classify", {"inputs": [inputs[0], wrong]})
            assert status == 422
            assert "number 1 is none" in answer["error"]


def test_strings_are_texts_even_where_such_a_file_is_there(tmp_path, monkeypatch):
    pytest.importorskip("tokenizers", reason="needs replearn[text]")
    from replearn import SimCLR

    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(b"x")
    texts = [f"note {i} says {i}" for i in range(20)]
    method = SimCLR(encoder="words", batch_size=8, device="cpu").prepare(texts)
    known = method.samples_
    check_servable(known)
    assert read_inputs(["photo.png", "digits"], known) == ["photo.png", "digits"]
    from replearn.service.http.contents import samples_of

    samples = samples_of([["photo.png"], ["digits", "note"]], known)
    assert list(samples.texts) == ["photo.png", "digits", "note"]
    assert method.transform(samples).shape == (3, 256)


def test_what_is_no_text_image_or_row_is_not_served():
    deep = Autoencoder(encoder="mlp", dim=2, batch_size=4).prepare(
        DRAW.integers(0, 4000, (8, 8, 8), dtype=np.uint16)
    )
    with pytest.raises(ValueError, match="this run reads images of levels"):
        check_servable(deep.samples_)


def test_a_batch_that_fails_is_asked_request_by_request():
    def work(contents):
        if any("bad" in content for content in contents):
            raise ValueError("bad")
        return np.concatenate([np.array(content, dtype=float) for content in contents])

    async def all_at_once():
        batches = Batches(work, most=100, wait=0.05)
        asked = [batches.rows([i]) for i in range(4)] + [batches.rows(["bad"])]
        return await asyncio.gather(*asked, return_exceptions=True)

    *good, bad = asyncio.run(all_at_once())
    assert [rows.tolist() for rows in good] == [[0], [1], [2], [3]]
    assert isinstance(bad, ValueError)


def test_a_full_batch_does_not_wait():
    async def twice():
        batches = Batches(lambda contents: np.zeros(sum(map(len, contents))), most=2, wait=30)
        began = time.monotonic()
        await asyncio.gather(batches.rows([1]), batches.rows([2]), batches.rows([3]), batches.rows([4]))
        return time.monotonic() - began, batches.made

    seconds, made = asyncio.run(twice())
    assert seconds < 5
    assert made == 2


def test_an_answer_that_takes_too_long(table):
    served = Served(load(table / "run"), described(str(table / "run")), str(table / "run"))
    slow = served.rows
    served.rows = lambda contents: time.sleep(0.6) or slow(contents)
    with serving(make_app(served, Limits(seconds=0.2))) as asked:
        status, answer = asked("/embed", {"inputs": rows_of(table)[:1]})
        assert (status, answer["error"]) == (504, "no answer within 0.2 seconds")
        assert asked("/health")[0] == 200


def test_who_can_reach_a_host():
    assert [
        is_loopback(host) for host in ("127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", "192.168.0.1", "::")
    ] == [*(True, True, True, False, False, False)]


def test_the_command_asks_for_tokens_beyond_this_machine(table, tmp_path, capsys):
    run = str(table / "run")
    assert main(["serve", run, "--host", "0.0.0.0", "--port", "0"]) == 2
    assert "--tokens must be given where others can reach the server" in capsys.readouterr().err
    (tmp_path / "tokens").write_text("short\n")
    with pytest.raises(ValueError, match="at least 16 characters"):
        read_tokens(str(tmp_path / "tokens"))
    with pytest.raises(ValueError, match="a file with a token per line"):
        read_tokens(str(tmp_path / "none"))
    (tmp_path / "tokens").write_text("0123456789abcdef\n\n0123456789abcdeg\n")
    assert read_tokens(str(tmp_path / "tokens")) == ("0123456789abcdef", "0123456789abcdeg")


def test_a_port_that_is_taken_is_one_line(table, capsys):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", str(table / "run"), "--port", port]) == 2
    assert "must be free to listen at" in capsys.readouterr().err
