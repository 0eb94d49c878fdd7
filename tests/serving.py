"""A server in a thread, and how to ask it."""

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager


@contextmanager
def listening(app):
    """The address of a server of an application, while entered."""
    import uvicorn

    with socket.create_server(("127.0.0.1", 0)) as place:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{place.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def serving(app):
    """How to ask a server of an application, while entered."""
    with listening(app) as base:
        yield lambda path, body=None, **headers: ask(base + path, body, headers)


def ask(url, body, headers):
    """Status and JSON, or text, of an answer."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    return status, json.loads(text) if text[:1] == "{" else text
