"""Start the worker process and call its functions."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from .fields import LabError

CLOSING_SECONDS = 5.0


class Channel:
    """Pickled requests and replies over the standard streams of a worker process."""

    def __init__(self) -> None:
        folder = str(Path(__file__).resolve().parent.parent)
        package = __package__
        start = f"import sys; sys.path.insert(0, {folder!r}); "
        start += f"from {package}.worker import main; main()"
        self._process = subprocess.Popen(
            [sys.executable, "-E", "-s", "-S", "-P", "-B", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"XTABLES_LOCKFILE": "/dev/null"},
            start_new_session=True,  # an interrupt from the keyboard is for the caller alone
        )

    def call(self, operation: str, *arguments: object) -> Any:
        """Have the worker do something; what it raised is raised here."""
        requests, replies = self._process.stdin, self._process.stdout
        if requests is None or replies is None or requests.closed:
            raise LabError("the laboratory is closed")
        try:
            pickle.dump((operation, arguments), requests)
            requests.flush()
            outcome, value = pickle.load(replies)
        except (EOFError, BrokenPipeError) as error:
            self.close()
            raise LabError("the laboratory's worker process has died") from error
        except BaseException:  # an interrupt: request and reply no longer match
            self.close()
            raise
        if outcome == "ok":
            return value
        raise value

    def close(self) -> None:
        """End the worker; its namespaces vanish with it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        try:
            self._process.wait(CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
