"""Work on many policies on all cores; results come in the order in which they were asked for."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, TypeVar

from tunnelgate.cli.signals import one_signal

T = TypeVar("T")
R = TypeVar("R")

#: A worker is a copy of this process, which has loaded all it needs.
_COPIES = multiprocessing.get_context("fork")
_work: tuple[Callable[[Any], Any], Sequence[Any]] = (repr, ())


@contextmanager
def on_all_cores(work: Callable[[T], R], items: Sequence[T]) -> Iterator[Iterable[R]]:
    """The result of `work` for each item; results are pickled, `work` and items are not.

    No process is left behind, however this ends.
    """
    workers = min(len(os.sched_getaffinity(0)), len(items))
    if workers < 2 or not _is_alone():
        yield map(work, items)
        return
    with one_signal(), closing(_results(work, items, workers)) as results:
        yield results


def _is_alone() -> bool:
    """Whether no other thread runs in this process: one that holds a lock would hold it for ever in
    a copy of it (fork(2)).
    """
    return len(os.listdir("/proc/self/task")) == 1


def _results(work: Callable[[T], R], items: Sequence[T], workers: int) -> Generator[R, None, None]:
    executor = ProcessPoolExecutor(workers, _COPIES, _begin, (work, items))
    try:
        yield from executor.map(_nth, range(len(items)), chunksize=_chunk(len(items), workers))
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        executor.shutdown()


def _chunk(items: int, workers: int) -> int:
    """How many items a worker takes at a time: so few that none waits long for another."""
    return max(1, items // (workers * 8))


def _begin(work: Callable[[Any], Any], items: Sequence[Any]) -> None:
    """What a worker does first. Who presses ^C interrupts all; the first process sees to it."""
    global _work
    _work = work, items
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _nth(number: int) -> Any:
    work, items = _work
    return work(items[number])
