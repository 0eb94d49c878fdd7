"""Requests that come at the same time are one batch of the network.

    requests --> waiting, a few milliseconds or until a batch is full --> one thread of work --> answers

A batch that fails is asked again request by request, so that one that can't be answered fails alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np


class Batches:
    """Gathers contents and hands out rows.

    Args:
        work: from the contents of some requests to a row per sample, in order.
        most: samples per batch; a request with more is a batch of its own.
        wait: seconds that a batch waits for others.
    """

    def __init__(self, work: Callable[[Sequence[Any]], np.ndarray], *, most: int, wait: float) -> None:
        self.work, self.most, self.wait = work, most, wait
        self.made = 0  # batches
        self._waiting: list[tuple[Any, asyncio.Future[np.ndarray]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="network")
        self._full = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def rows(self, content: Any) -> np.ndarray:
        """The rows of a content, which may be computed with others."""
        future: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()
        self._waiting.append((content, future))
        if sum(len(one) for one, _ in self._waiting) >= self.most:
            self._full.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            if not self._full.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), self.wait)
            self._full.clear()
            await self._answer(self._taken())

    def _taken(self) -> list[tuple[Any, "asyncio.Future[np.ndarray]"]]:
        """The first of those that wait, up to a full batch; who has gone meanwhile is left out."""
        self._waiting = [(one, future) for one, future in self._waiting if not future.done()]
        taken: list[tuple[Any, asyncio.Future[np.ndarray]]] = []
        count = 0
        while self._waiting and (not taken or count + len(self._waiting[0][0]) <= self.most):
            taken.append(self._waiting.pop(0))
            count += len(taken[-1][0])
        if self._waiting:
            self._full.set()
        return taken

    async def _answer(self, taken: list[tuple[Any, "asyncio.Future[np.ndarray]"]]) -> None:
        if not taken:
            return
        self.made += 1
        loop = asyncio.get_running_loop()
        try:
            rows = await loop.run_in_executor(self._thread, self.work, [one for one, _ in taken])
        except Exception as error:
            if len(taken) > 1:
                for one in taken:
                    await self._answer([one])
                return
            if not taken[0][1].done():
                taken[0][1].set_exception(error)
            return
        start = 0
        for one, future in taken:
            if not future.done():
                future.set_result(rows[start : start + len(one)])
            start += len(one)
