"""The command as a process: it says where it listens, answers, and ends when it is told to."""

import base64
import io
import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from replearn import load
from replearn.cli import serve
from replearn.service import reading

pytest.importorskip("uvicorn", reason="needs replearn[serve]")
pytest.importorskip("fastapi", reason="needs replearn[serve]")


def address(server):
    """Where it says that it listens."""
    lines = []
    for line in iter(server.stderr.readline, ""):
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
        lines.append(line)
    raise AssertionError(f"it ended, {server.wait(30)}: {lines}")


def ask(base, images):
    """The representation of some images."""
    inputs = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        inputs.append(base64.b64encode(file.getvalue()).decode())
    body = json.dumps({"inputs": inputs}).encode()
    with urllib.request.urlopen(f"{base}/embed", body, timeout=60) as answer:
        return json.load(answer)["h"]


def health(base):
    with urllib.request.urlopen(f"{base}/health", timeout=60) as answer:
        return json.load(answer)


@pytest.mark.all
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_answers_until_it_is_stopped(run, process, tmp_path, number):
    server = process("serve", run, "--port", "0", cwd=tmp_path)
    try:
        base = address(server)
        with urllib.request.urlopen(f"{base}/health", timeout=60) as answer:
            assert json.load(answer)["kind"] == "image"
        image = np.arange(64, dtype=np.uint8).reshape(8, 8)
        h = ask(base, [image])
        np.testing.assert_allclose(h, load(run).transform(image[None, None]), rtol=1e-4, atol=1e-5)
        server.send_signal(number)
        out, err = server.communicate(timeout=60)
    finally:
        server.kill()
        server.wait()
    assert server.returncode == 0
    assert out == "stopped\n"
    assert "Traceback" not in err


@pytest.mark.all
def test_one_of_two_workers_is_killed_while_eight_ask(run, process, tmp_path):
    """All that is answered is right, another worker starts, and SIGTERM lets open requests be answered."""
    images = np.random.default_rng(0).integers(0, 256, (16, 8, 8), dtype=np.uint8)
    own = load(run).transform(images[:, None])
    server = process("serve", run, "--port", "0", "--workers", "2", "--wait", "1000", cwd=tmp_path)
    try:
        base = address(server)
        while len({health(base)["worker"] for _ in range(20)}) < 2:
            time.sleep(0.2)
        killed, cut = health(base)["worker"], []

        def client(number):
            right = 0
            for i in range(5):
                if (number, i) == (0, 2):
                    os.kill(killed, signal.SIGKILL)
                at = (number + i) % 16
                try:
                    h = ask(base, images[at : at + 1])
                except (OSError, urllib.error.URLError):
                    cut.append(number)
                    continue
                np.testing.assert_allclose(h, own[at : at + 1], rtol=1e-4, atol=1e-5)
                right += 1
            return right

        with ThreadPoolExecutor(8) as pool:
            right = sum(pool.map(client, range(8)))
        assert right + len(cut) == 40
        assert len(cut) <= 8  # each client waits for one answer at a time
        assert f"worker {killed} died (SIGKILL); another one starts" in server.stderr.readline()
        assert "answers, " in server.stderr.readline()
        with urllib.request.urlopen(f"{base}/metrics", timeout=60) as answer:
            counts = answer.read().decode()
        answered = int(re.search(r'path="/embed",status="200"} (\d+)', counts)[1])
        assert right <= answered <= 40  # of both, and of the one that was killed
        assert "replearn_worker_starts_total 3" in counts
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask, base, images[i : i + 1]) for i in range(8)]
            time.sleep(0.6)  # they wait for others, a second
            server.send_signal(signal.SIGTERM)
            h = np.concatenate([one.result() for one in asked])
        np.testing.assert_allclose(h, own[:8], rtol=1e-4, atol=1e-5)
        out, err = server.communicate(timeout=60)
    finally:
        server.kill()
        server.wait()
    assert server.returncode == 0
    assert out == "stopped\n"
    assert "Traceback" not in err


def test_a_worker_that_takes_anothers_place_answers_by_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "make", lambda *_: "an application")
    weights = iter(["one", "one", "fitted again"])
    monkeypatch.setattr(reading, "hash_of_run", lambda run: next(weights))
    options = serve.ServeOptions(run="runs/it", workers=2)
    for number in range(2):
        assert serve.make_one_of_several(options, (), tmp_path, number) == "an application"
    with pytest.raises(
        ValueError, match="runs/it must be as it was when the server began; it has been fitted again"
    ):
        serve.make_one_of_several(options, (), tmp_path, 2)
