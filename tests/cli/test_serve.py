"""The command as a process: it says where it listens, answers, and ends when it is told to."""

import json
import re
import signal
import urllib.request

import numpy as np
import pytest

from replearn import load

pytest.importorskip("uvicorn", reason="needs replearn[serve]")
pytest.importorskip("fastapi", reason="needs replearn[serve]")


@pytest.mark.all
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_answers_until_it_is_stopped(run, process, tmp_path, number):
    server = process("serve", run, "--port", "0", cwd=tmp_path)
    try:
        lines = iter(server.stderr.readline, "")
        found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in lines)
        base = next(filter(None, found))[0]
        with urllib.request.urlopen(f"{base}/health", timeout=60) as answer:
            assert json.load(answer)["kind"] == "image"
        import base64
        import io

        from PIL import Image

        image, file = np.arange(64, dtype=np.uint8).reshape(8, 8), io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        body = json.dumps({"inputs": [base64.b64encode(file.getvalue()).decode()]}).encode()
        with urllib.request.urlopen(f"{base}/embed", body, timeout=60) as answer:
            h = json.load(answer)["h"]
        np.testing.assert_allclose(h, load(run).transform(image[None, None]), rtol=1e-4, atol=1e-5)
        server.send_signal(number)
        out, err = server.communicate(timeout=60)
    finally:
        server.kill()
    assert server.returncode == 0
    assert out == "stopped\n"
    assert "Traceback" not in err
