"""What a target has to answer for: each feature of a plan, one by one, with a golden or a refusal.

A distribution with a target of its own runs the same cases as the built-in ones. Its test is:

    import pytest
    from pathlib import Path
    from tunnelgate import conformance
    from my_package import TARGET

    @pytest.mark.parametrize("case", conformance.CASES, ids=str)
    def test_conformance(case: conformance.Case) -> None:
        assert not conformance.problems(TARGET, case, Path(__file__).with_name("conformance"))

and `conformance.write(TARGET, case, folder)` writes the goldens that people review.
"""

from tunnelgate.conformance.cases import CASES, Case
from tunnelgate.conformance.suite import answer, problems, write

__all__ = ["CASES", "Case", "answer", "problems", "write"]
