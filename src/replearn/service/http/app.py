"""The application: what is asked for by which address, within limits of size and time, and who may.

GET /health         which run and index; for everyone; of several workers, those of the one that answers
GET /metrics        counts, as Prometheus reads them
POST /embed         {"inputs": [...]} -> {"h": [[...], ...]}
POST /classify      the same -> {"labels": [...], "classes": [...], "probabilities": [[...], ...]}
POST /neighbours    the same, or {"numbers": [...]}, with "top" and "where" -> {"neighbours": [[{...}, ...], ...]}
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from replearn.service.http.batches import Batches
from replearn.service.http.contents import read_inputs
from replearn.service.http.counts import Counts
from replearn.service.http.guard import Refused, Tokens, check_keys, new_app, read_body
from replearn.service.http.model import Served

TOP = 1000  # neighbours at most
SAMPLES, BATCHES = "replearn_samples_total", "replearn_batches_total"


@dataclass(frozen=True)
class Limits:
    """What a request may ask for.

    Attributes:
        megabytes: of its body.
        inputs: samples.
        seconds: until it is answered.
        batch: samples that the network reads at once.
        wait: milliseconds that a request waits for others.
    """

    megabytes: float = 16
    inputs: int = 256
    seconds: float = 30
    batch: int = 64
    wait: float = 5


def make_app(
    served: Served,
    limits: Limits,
    *,
    tokens: Sequence[str] = (),
    hosts: Sequence[str] = ("*",),
    counts: Counts | None = None,
) -> Any:
    """The application.

    Args:
        served: what answers.
        limits: of requests.
        tokens: one of which a request must bring (`Authorization: Bearer TOKEN`); none: anyone may ask.
        hosts: names by which the server may be called; else a page in a browser could call it by a name of its own.
        counts: of a worker among several; None: it is the only one.

    Raises:
        ValueError: packages are missing.
    """
    app = new_app(hosts)
    from fastapi import Request
    from fastapi.responses import JSONResponse, PlainTextResponse

    asked = Asked(served, limits, tokens, Counts() if counts is None else counts)

    async def guarded(request: Request, answer: Callable[[dict[str, Any]], Any]) -> JSONResponse:
        began, path, status = time.monotonic(), request.url.path, 200
        try:
            asked.tokens.check(request.headers.get("authorization", ""))
            async with asyncio.timeout(limits.seconds):
                body = await read_body(request, limits.megabytes)
                return JSONResponse(await answer(body))
        except Refused as error:
            status = error.status
            return JSONResponse({"error": str(error)}, status_code=status)
        except TimeoutError:
            status = 504
            return JSONResponse({"error": f"no answer within {limits.seconds:g} seconds"}, status_code=status)
        except ValueError as error:
            status = 422
            return JSONResponse({"error": str(error)}, status_code=status)
        finally:
            asked.note(path, status, time.monotonic() - began)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        found = {"status": "ok", "run": served.weights, "kind": served.known.kind, "index": served.version}
        return found if counts is None else found | {"worker": os.getpid()}

    @app.get("/metrics")
    async def metrics(request: Request) -> PlainTextResponse:
        try:
            asked.tokens.check(request.headers.get("authorization", ""))
        except Refused as error:
            return PlainTextResponse(f"{error}\n", status_code=error.status)
        return PlainTextResponse(asked.metrics())

    @app.post("/embed")
    async def embed(request: Request) -> JSONResponse:
        return await guarded(request, asked.embed)

    @app.post("/neighbours")
    async def neighbours(request: Request) -> JSONResponse:
        return await guarded(request, asked.neighbours)

    @app.post("/classify")
    async def classify(request: Request) -> JSONResponse:
        return await guarded(request, asked.classify)

    return app


class Asked:
    """Answers to bodies of requests, and what is counted of them."""

    def __init__(self, served: Served, limits: Limits, tokens: Sequence[str], counts: Counts) -> None:
        self.served, self.limits, self.counts = served, limits, counts
        self.tokens = Tokens(tokens)
        how = {"most": limits.batch, "wait": limits.wait / 1000}
        self._rows = Batches(served.rows, **how)  # type: ignore[arg-type]
        self._classes = Batches(served.probabilities, **how)  # type: ignore[arg-type]
        counts.set(SAMPLES, 0)
        counts.set(BATCHES, 0)

    async def embed(self, body: dict[str, Any]) -> dict[str, Any]:
        """Representations."""
        check_keys(body, {"inputs"})
        return {"h": (await self._rows.rows(await self._inputs(body))).tolist()}

    async def classify(self, body: dict[str, Any]) -> dict[str, Any]:
        """Classes and their probabilities."""
        if not self.served.classifies:
            raise Refused(404, "this run tells no classes: serve one of `replearn finetune --task classify`")
        check_keys(body, {"inputs"})
        p = await self._classes.rows(await self._inputs(body))
        classes = self.served.classes
        return {
            "labels": [classes[place] for place in p.argmax(1).tolist()],
            "classes": classes,
            "probabilities": p.tolist(),
        }

    async def neighbours(self, body: dict[str, Any]) -> dict[str, Any]:
        """Nearest samples of the index."""
        table = await asyncio.to_thread(self.served.table)
        if table is None:
            raise Refused(404, "no index is served: start with --index")
        check_keys(body, {"inputs", "numbers", "top", "where"})
        top, where = body.get("top", 10), body.get("where", {})
        if type(top) is not int or not 1 <= top <= TOP or not isinstance(where, dict):
            raise ValueError(f"top must be a number from 1 to {TOP}, and where an object.")
        condition = self.served.condition(where)
        if "numbers" in body:
            numbers = body["numbers"]
            if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 2**62 for n in numbers):
                raise ValueError("numbers must be a list of numbers of samples in the index.")
            self._check_count(numbers)
            rows = await asyncio.to_thread(table.directions, np.array(numbers))
            conditions = [_both(f"number != {number}", condition) for number in numbers]
        else:
            rows = await self._rows.rows(await self._inputs(body))
            conditions = [condition or ""] * len(rows)
        found = await asyncio.to_thread(
            lambda: [
                table.search(row, top, where=one or None) for row, one in zip(rows, conditions, strict=True)
            ]
        )
        return {"neighbours": [json.loads(json.dumps(one.to_pylist(), default=str)) for one in found]}

    def note(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self.counts.add(f'replearn_requests_total{{path="{path}",status="{status}"}}')
        self.counts.add(f'replearn_request_seconds_total{{path="{path}"}}', seconds)
        self.counts.set(BATCHES, self._rows.made + self._classes.made)
        self.counts.write()

    def metrics(self) -> str:
        """Counts, in the text format of Prometheus."""
        return self.counts.text()

    async def _inputs(self, body: dict[str, Any]) -> Any:
        inputs = body.get("inputs")
        if not isinstance(inputs, list):
            raise ValueError("a request must have a list of inputs.")
        self._check_count(inputs)
        self.counts.add(SAMPLES, len(inputs))
        return await asyncio.to_thread(read_inputs, inputs, self.served.known)

    def _check_count(self, inputs: list[Any]) -> None:
        if not 1 <= len(inputs) <= self.limits.inputs:
            raise Refused(
                413, f"a request must hold from 1 to {self.limits.inputs} samples; got {len(inputs)}"
            )


def _both(first: str, second: str | None) -> str:
    return first if second is None else f"{first} AND {second}"
