"""Shows that a ruleset, read back from its text, means what its policy means."""

from tunnelgate.proof.certificate import OBLIGATIONS, Certificate, NotProved, prove
from tunnelgate.proof.prove import MODEL, refutations
from tunnelgate.proof.refuted import Refuted
from tunnelgate.proof.remembered import prove_once

__all__ = [
    "MODEL",
    "OBLIGATIONS",
    "Certificate",
    "NotProved",
    "Refuted",
    "prove",
    "prove_once",
    "refutations",
]
