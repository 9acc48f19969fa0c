"""SIGINT and SIGTERM: both end a run in order, and neither in the middle of what must be whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from tunnelgate.cli.exits import Terminated


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises Terminated meanwhile, so that what is half done is taken back."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the affair of the main thread alone
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def one_signal() -> Iterator[None]:
    """SIGINT and SIGTERM end what is done meanwhile, but only the first that comes: a second one
    would end the cleaning up, which takes a moment.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        if came:
            return
        came.append(number)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        elif handler is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """SIGINT and SIGTERM wait until the end of what is done meanwhile."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def wait(number: int, _: FrameType | None) -> None:
        waiting.append(number)

    before = [(each, signal.signal(each, wait)) for each in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)
        for number in dict.fromkeys(waiting):
            signal.raise_signal(number)


def _terminate(*_: object) -> NoReturn:
    raise Terminated
