"""The application of the page: what it asks of samples, by their positions 0 ... n - 1. No string is taken for a path.

GET  /                        the page, with /explore.js, /explore.css and /report.css; holds no data
GET  /health                  how many samples; for everyone, as the page is
GET  /map                     places, colours, lines
GET  /samples/POSITION        a sample that is opened
POST /samples                 {"positions": [...]} -> {"samples": [...]}
GET  /neighbours/POSITION     the nearest, by the second representation, too; ?k=10
GET  /search?q=...            by name or text, and by meaning where the run reads texts
POST /export                  {"positions": [...]} -> CSV
GET  /labels                  clicked labels
POST /labels                  {"positions": [...], "label": "cat" or null} -> the same, once it is on the disk
POST /next                    {"count": 10} -> {"samples": [...], "told": "..."}
"""

import asyncio
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from replearn.service.explore.explored import Explored, packed
from replearn.service.http.guard import Refused, Tokens, check_keys, check_origin, new_app, read_body

MEGABYTES = 4  # of a request: 100,000 positions take 0.7
LISTED = 500  # samples that are listed at once
NEIGHBOURS, PROPOSED = 100, 100
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; media-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Address: package, file of it, type.
FILES = {
    "/": ("replearn.service.explore", "page/explore.html", "text/html; charset=utf-8"),
    "/explore.js": ("replearn.service.explore", "page/explore.js", "text/javascript; charset=utf-8"),
    "/explore.css": ("replearn.service.explore", "page/explore.css", "text/css; charset=utf-8"),
    "/report.css": ("replearn.report", "templates/report.css", "text/css; charset=utf-8"),
}


def make_app(explored: Explored, *, tokens: Sequence[str] = (), hosts: Sequence[str] = ("*",)) -> Any:
    """The application.

    Args:
        explored: what it shows.
        tokens: one of which each request but those for the page's files must bring; none: anyone may ask.
        hosts: names by which the server may be called; else a page in a browser could call it by a name of its own.

    Raises:
        ValueError: packages are missing.
    """
    app = new_app(hosts)
    from fastapi import Request
    from fastapi.responses import JSONResponse, Response

    asked, known = Asked(explored), Tokens(tokens)

    async def guarded(request: Request, answer: Callable[..., Any], *args: Any) -> Response:
        try:
            known.check(request.headers.get("authorization", ""))
            check_origin(request)
            body = [await read_body(request, MEGABYTES)] if request.method == "POST" else []
            found = await asyncio.to_thread(answer, *args, *body)
        except Refused as error:
            return JSONResponse({"error": str(error)}, status_code=error.status)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        except OSError as error:
            told = f"a file can't be read or written: {error.strerror or error}"
            return JSONResponse({"error": told}, status_code=500)
        if isinstance(found, str):
            return Response(found, media_type="text/csv; charset=utf-8")
        return JSONResponse(found)

    def static(address: str) -> Callable[[], Any]:
        package, name, media = FILES[address]
        content = (files(package) / name).read_bytes()
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}

        async def answer() -> Response:
            return Response(content, media_type=media, headers=headers)

        return answer

    for address in FILES:
        app.get(address)(static(address))

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "samples": len(explored)}

    @app.get("/map")
    async def found_map(request: Request) -> Response:
        return await guarded(request, asked.map)

    @app.get("/samples/{position}")
    async def sample(request: Request, position: str) -> Response:
        return await guarded(request, asked.sample, position)

    @app.get("/neighbours/{position}")
    async def neighbours(request: Request, position: str, k: str = "10") -> Response:
        return await guarded(request, asked.neighbours, position, k)

    @app.get("/search")
    async def search(request: Request, q: str = "") -> Response:
        return await guarded(request, explored.search, q)

    @app.post("/samples")
    async def samples(request: Request) -> Response:
        return await guarded(request, asked.samples)

    @app.post("/export")
    async def export(request: Request) -> Response:
        return await guarded(request, asked.export)

    @app.get("/labels")
    async def labels(request: Request) -> Response:
        return await guarded(request, asked.labels)

    @app.post("/labels")
    async def label(request: Request) -> Response:
        return await guarded(request, asked.label)

    @app.post("/next")
    async def following(request: Request) -> Response:
        return await guarded(request, asked.following)

    return app


class Asked:
    """Answers to what requests hold, which is checked first."""

    def __init__(self, explored: Explored) -> None:
        self.explored = explored
        self._map: dict[str, Any] | None = None

    def map(self) -> dict[str, Any]:
        """All that is drawn."""
        self._map = self._map or self.explored.map()
        return self._map

    def sample(self, position: str) -> dict[str, Any]:
        """One that is opened."""
        return self.explored.whole(self._position(position))

    def neighbours(self, position: str, k: str) -> dict[str, Any]:
        """The nearest of one."""
        return self.explored.neighbours(self._position(position), _count(k, "k", NEIGHBOURS))

    def samples(self, body: dict[str, Any]) -> dict[str, Any]:
        """Some, as lists show them."""
        check_keys(body, {"positions"})
        return {"samples": self.explored.small(self._positions(body, most=LISTED))}

    def export(self, body: dict[str, Any]) -> str:
        """Some as a CSV."""
        check_keys(body, {"positions"})
        return self.explored.csv(self._positions(body))

    def labels(self) -> dict[str, Any]:
        """Clicked labels."""
        self._labelling()
        found, classes = self.explored.clicked()
        counts = np.bincount(found[found >= 0], minlength=len(classes)).tolist()
        return {"classes": classes, "counts": counts, "values": packed(found.astype("<i4"))}

    def label(self, body: dict[str, Any]) -> dict[str, Any]:
        """Label some."""
        check_keys(body, {"positions", "label"})
        positions = self._positions(body)
        label = body.get("label", 0)
        if label is not None and not isinstance(label, str):
            raise ValueError("a request must hold a label, or null to take it away; got neither.")
        self._labelling().assign(positions, label)
        return self.labels()

    def following(self, body: dict[str, Any]) -> dict[str, Any]:
        """Which to label next."""
        check_keys(body, {"count", "random_state"})
        self._labelling()
        seed = body.get("random_state", 0)
        if type(seed) is not int or not 0 <= seed < 2**32:
            raise ValueError(f"random_state must be a whole number from 0 on; got {seed!r:.40}.")
        found, told = self.explored.propose(_count(body.get("count", 10), "count", PROPOSED), seed)
        return {"samples": self.explored.small(found), "told": told}

    def _labelling(self) -> Any:
        if self.explored.labels is None:
            raise Refused(404, "no file of labels is written: start with --labels FILE.csv")
        return self.explored.labels

    def _position(self, given: str) -> int:
        if not given.isascii() or not given.isdecimal() or len(given) > 12:
            raise ValueError(f"a position must be a whole number; got {given!r:.40}.")
        return self._checked(int(given))

    def _positions(self, body: dict[str, Any], *, most: int | None = None) -> list[int]:
        found = body.get("positions")
        if not isinstance(found, list) or not all(type(one) is int for one in found):
            raise ValueError("positions must be a list of whole numbers.")
        most = len(self.explored) if most is None else most
        if not 1 <= len(found) <= most:
            raise Refused(413, f"positions must be from 1 to {most:,}; got {len(found):,}")
        return [self._checked(one) for one in found]

    def _checked(self, position: int) -> int:
        if not 0 <= position < len(self.explored):
            raise Refused(
                404, f"there are samples 0 to {len(self.explored) - 1:,}; {position} is none of them"
            )
        return position


def _count(given: Any, name: str, most: int) -> int:
    number = int(given) if isinstance(given, str) and given.isascii() and given.isdecimal() else given
    if type(number) is not int or not 1 <= number <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most}; got {given!r:.40}.")
    return number
