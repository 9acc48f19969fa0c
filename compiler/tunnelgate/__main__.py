"""The program: `tunnelgate`, or `python -m tunnelgate`."""

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn


def program() -> NoReturn:
    """Run the command line and end the process.

    Most of a run's time goes into starting and ending it, so both are kept short: what is made
    lives until the end, so looking for garbage finds none; and the memory of a process that ends
    need not be taken apart first. Together this is about a sixth of `tunnelgate check`.
    """
    gc.disable()
    from tunnelgate.cli.main import main

    code = main()
    with suppress(OSError):  # a full disk was reported by then
        sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    program()
