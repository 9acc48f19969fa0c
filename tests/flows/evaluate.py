"""First-match lists asked about one point, row by row: what every proof is held to."""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence

from tunnelgate.flows.boxes import Box
from tunnelgate.flows.firstmatch import Row, Stage

Point = tuple[int, ...]


def holds(box: Box, point: Point) -> bool:
    return all(value in axis for value, axis in zip(point, box, strict=True))


def first(stage: Stage, point: Point) -> Row:
    return next(
        row
        for row in stage
        if all(one is None or value in one for value, one in zip(point, row.sets, strict=True))
    )


def answer(stages: Sequence[Stage], point: Point, final: Container[Hashable]) -> list[Row]:
    """The row of each stage that decides, up to a final one."""
    found: list[Row] = []
    for stage in stages:
        found.append(first(stage, point))
        if found[-1].label in final:
            break
    return found


def labels(stages: Sequence[Stage], point: Point, final: Container[Hashable]) -> list[Hashable]:
    return [row.label for row in answer(stages, point, final)]
