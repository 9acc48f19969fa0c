"""What a finding is called by tools that follow it from one version of a file to the next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from tunnelgate.diagnostics.diagnostic import Diagnostic
from tunnelgate.diagnostics.render.place import within

_COMMENT = re.compile(r'("[^"\n]*")|#.*')


def fingerprints(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """64 hexadecimal digits for each finding, no two alike.

    Made of the rule, the file and the words of the line, without comments and without the line's
    number: lines that are added elsewhere change nothing. Of findings that are alike in these,
    the second is told from the first by coming second.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for diagnostic in diagnostics:
        key = _key(diagnostic)
        parts = (*key, str(seen[key]))
        seen[key] += 1
        found.append(sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest())
    return found


def _key(diagnostic: Diagnostic) -> tuple[str, str, str]:
    span = within(diagnostic.primary.span)
    line = span.file.line_text(span.position.line)
    words = " ".join(_COMMENT.sub(lambda match: match[1] or "", line).split())
    return diagnostic.rule.code, span.file.path, words
