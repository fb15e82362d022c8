"""``transform`` answers the same for the same row, whatever came before, and asks nobody."""

from __future__ import annotations

import itertools
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from types import FrameType, ModuleType
from typing import Any, NoReturn

from django.db import connection
from django.db.models import Model

from migrations_tools.definitions.base import Step
from migrations_tools.definitions.options import parse_options
from migrations_tools.definitions.outcomes import Reject
from migrations_tools.definitions.registry import get_definition
from migrations_tools.definitions.sources import Items, KeyRange
from migrations_tools.engine.selection import Selection


def assert_pure(name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Ask every counted step about all staged rows, in two orders and alone.

    Raises AssertionError where an answer differs, where ``transform`` asks the database, a clock or
    chance, and where ``load`` asks the same for every single row. Steps that read what an earlier
    step wrote have nothing to read before a run, and are passed by.
    """
    definition = get_definition(name)
    asked = 0
    for index, step_class in enumerate(definition.steps):
        if not step_class.counted:
            continue
        step = step_class(parse_options(definition.options, options or {}))
        items = step.source.read(Selection(index), KeyRange())
        _expect_few_queries(step, items)
        forwards = _answers(step, items.keys, items.rows)
        backwards = _answers(step, items.keys[::-1], items.rows[::-1])
        alone: dict[str, str] = {}
        for place in range(len(items)):
            alone |= _answers(step, *_one(items, place))
        for key, answer in forwards.items():
            for how, other in (("in another order", backwards[key]), ("alone", alone[key])):
                if answer != other:
                    raise AssertionError(
                        f"{step_class.__name__} answers differently for key {key} {how}: "
                        f"{_around_the_difference(answer, other)}"
                    )
        asked += len(items)
    if not asked:
        raise AssertionError(f"{name} has nothing to read: stage some rows first")


def _around_the_difference(answer: str, other: str) -> str:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(answer, other, strict=False))
    start = max(0, sum(1 for _ in same) - 60)
    return f"“…{answer[start : start + 160]}…”, “…{other[start : start + 160]}…”"


def _one(items: Items, place: int) -> tuple[list[str], list[Any]]:
    return [items.keys[place]], [items.rows[place]]


def _answers(step: Step, keys: Sequence[str], rows: Sequence[Any]) -> dict[str, str]:
    loaded = step.load(rows)
    answers = {}
    with connection.execute_wrapper(_refuse), refusing_clocks():
        for key, row in zip(keys, rows, strict=True):
            try:
                answers[key] = described(step.transform(row, loaded))
            except Reject as rejected:
                answers[key] = f"Reject({rejected.code}, {rejected.detail})"
    return answers


def _expect_few_queries(step: Step, items: Items) -> None:
    """A statement that ``load`` sends as often as there are rows is one for each row."""
    sent: Counter[str] = Counter()

    def count(execute: Any, sql: str, *arguments: Any) -> Any:
        sent[sql] += 1
        return execute(sql, *arguments)

    with connection.execute_wrapper(count):
        step.load(items.rows)
    for sql, times in sent.items():
        if times >= max(len(items), _FEW_ROWS):
            raise AssertionError(
                f"load of {type(step).__name__} sends one statement {times} times for "
                f"{len(items)} rows: {sql[:200]}"
            )


#: Fewer rows than this say nothing about queries for each row.
_FEW_ROWS = 3


@contextmanager
def refusing_clocks() -> Iterator[None]:
    """Raise AssertionError where the block asks a clock or chance, even if the answer is equal.

    Today's date is the same in all orders, and another one tomorrow.
    """

    def look(frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call" or called.__name__ not in _IMPURE_CALLS:
            return
        owner = getattr(called, "__self__", None)
        if owner is not _CHANCE and not _is_module_or_date(owner):
            return
        what = getattr(called, "__qualname__", called.__name__)
        raise AssertionError(
            f"transform asks a clock or chance: {what} at {frame.f_code.co_filename}:"
            f"{frame.f_lineno}"
        )

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(before)


#: The generator behind the functions of ``random``; one with a seed of its own is no chance.
_CHANCE = random._inst
_IMPURE_CALLS = frozenset(
    {"now", "today", "utcnow", "time", "time_ns", "urandom", "getrandbits", "random"}
)


def _is_module_or_date(owner: Any) -> bool:
    """``time`` and ``os`` are modules; dates are asked by their class, and tell by an object."""
    if isinstance(owner, ModuleType):
        return True
    return isinstance(owner, type) and issubclass(owner, date)


def _refuse(execute: Any, sql: str, *arguments: Any) -> NoReturn:
    raise AssertionError(f"transform asks the database: {sql[:200]}")


def described(value: Any) -> str:
    """An answer as text: equal answers give equal text, whatever objects they are made of."""
    if isinstance(value, Model):
        fields = {k: v for k, v in vars(value).items() if k != "_state"}
        return f"{type(value).__name__}{described(fields)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {described(value[key])}" for key in value) + "}"
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return "[" + ", ".join(map(described, value)) + "]"
    if isinstance(value, type):
        return value.__name__
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    if slots:
        inner = {name: getattr(value, name) for name in slots}
        return f"{type(value).__name__}{described(inner)}"
    return repr(value)
