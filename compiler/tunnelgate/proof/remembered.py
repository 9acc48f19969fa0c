"""Proofs that this very program made: what they were about need not be proved again.

A mark is a file in the user's cache folder, named by a digest of all that a proof depends on:

- what the policy was read from: the text of each file under its name, which of them stands behind
  each name that the policy asks for, and the values of its parameters;
- what was emitted, for which target, layout and version: the name and text of each file;
- the program: the content of its files, the versions of lark and of Python.

Whatever is different in a byte is proved anew, and so is what no mark of the user's own says in the
very words it is given. Only a success is marked: what fails is shown each time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path

from tunnelgate.policy import Policy
from tunnelgate.proof.certificate import Certificate, prove, shown
from tunnelgate.target import BUILT_IN, Readable, Setup, find
from tunnelgate_grammar.cache import Marks, program_files


def prove_once(
    policy: Policy, target: Readable, files: Mapping[str, str], setup: Setup
) -> Certificate:
    """The same as `prove`, which is not asked where it said yes before.

    The policy is as it was read: one that was put together or changed by hand is not what its
    files say, and has to go to `prove`. So has each target that is not built in: nobody knows what
    its reader depends on.

    Raises:
        NotProved: as `prove` does.
    """
    if target.name not in BUILT_IN or find(target.name) is not target:
        return prove(policy, target, files, setup)
    marks, name = Marks("proved"), _digest(policy, target, files, setup)
    says = f"proved {name}\n".encode()
    if marks.read(name) == says:
        return shown(policy, target)
    made = prove(policy, target, files, setup)
    marks.write(name, says)
    return made


def _digest(policy: Policy, target: Readable, files: Mapping[str, str], setup: Setup) -> str:
    """A digest of all that a proof depends on; JSON says where each part ends."""
    library = policy.file.library
    asked = {} if library is None else library.asked
    parts = (
        _program(),
        policy.name,
        [(file.name, file.text) for file in policy.files],
        sorted((name, file.name) for name, file in asked.items()),
        [(one.name, one.values) for one in policy.parameters],
        (target.name, setup.layout, setup.version),
        sorted(files.items()),
    )
    return sha256(json.dumps(parts).encode()).hexdigest()


@cache
def _program() -> str:
    """A digest of the program: of what its files say, whatever the times that they carry."""
    import lark

    names = {"tunnelgate", "tunnelgate_grammar"} | {
        one.partition(".")[0] for one in BUILT_IN.values()
    }
    roots = [root for name in sorted(names) for root in import_module(name).__path__]
    paths = sorted(entry.path for root in roots for entry in program_files(root))
    digest = sha256(f"{sys.version}\n{sys.flags.optimize}\n{lark.__version__}\n".encode())
    for path in paths:
        digest.update(f"{path}\0".encode())
        digest.update(sha256(Path(path).read_bytes()).digest())
    return digest.hexdigest()
