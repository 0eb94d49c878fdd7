"""What servers share: the application, and what is asked of requests: a token, their origin, JSON of some size."""

import hmac
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from replearn.data.needed import needed

if TYPE_CHECKING:
    from fastapi import FastAPI


def new_app(hosts: Sequence[str]) -> "FastAPI":
    """An application of FastAPI without routes, that answers to some names of this machine only.

    Args:
        hosts: names by which it may be called; else a page in a browser could call it by a name of its own.

    Raises:
        ValueError: packages are missing.
    """
    app: FastAPI = needed("fastapi", "a server needs").FastAPI(
        title="replearn", docs_url=None, redoc_url=None, openapi_url=None
    )
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    return app


class Refused(Exception):
    """A request that is not answered: a status of HTTP, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Tokens:
    """Who may ask.

    Args:
        tokens: one of which a request must bring (`Authorization: Bearer TOKEN`); none: anyone may ask.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = [token.encode() for token in tokens]

    def check(self, header: str) -> None:
        """Raises Refused where a request brings none of the tokens."""
        if not self._tokens:
            return
        given = header.removeprefix("Bearer ").encode("utf-8", "replace")
        # All are compared, so that time tells nothing.
        if not sum(hmac.compare_digest(given, token) for token in self._tokens):
            raise Refused(401, "a request must bring a token: Authorization: Bearer TOKEN")


def check_origin(request: Any) -> None:
    """Raises Refused where a page of another server asks, as a browser says by itself."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused(403, f"a request must come from a page of this server; it came from {origin!r:.60}")


async def read_body(request: Any, megabytes: float) -> dict[str, Any]:
    """The JSON of a request; what is larger is not read to its end.

    Raises:
        Refused: it is too large, or no object of JSON.
    """
    most, read = int(megabytes * 1e6), bytearray()
    async for part in request.stream():
        read += part
        if len(read) > most:
            raise Refused(413, f"the body of a request must have at most {megabytes:g} MB")
    try:
        found = json.loads(read)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "the body of a request must be JSON") from error
    if not isinstance(found, dict):
        raise Refused(400, "the body of a request must be an object")
    return found


def check_keys(body: dict[str, Any], known: set[str]) -> None:
    """Raises ValueError where a body holds what it must not."""
    unknown = sorted(set(body) - known)
    if unknown:
        raise ValueError(f"a request must hold {', '.join(sorted(known))}; got {unknown[0]!r:.40}.")
