"""What a plan saw: code, options, schema, evidence. Drift is told in words."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils.translation import gettext_noop

from migrations_tools.definitions.base import DataMigration
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.sql import table_of, written_fields


def fingerprint(context: RunContext, *, evidence: bool = True) -> dict[str, Any]:
    """Code, options, schema and evidence as they are now; evidence reads every selected key."""
    now: dict[str, Any] = {
        "code": code_fingerprint(context.definition),
        "options": context.run.options,
        "schema": schema_of(_models(context)),
    }
    if evidence:
        now["evidence"] = {
            type(step).__name__: _evidence(context, index)
            for index, step in enumerate(context.steps)
            if step.counted
        }
    return now


def _models(context: RunContext) -> list[type[Model]]:
    sources = [step.source.model for step in context.steps]
    return list(dict.fromkeys([*sources, *context.definition.written_models()]))


def code_fingerprint(definition: type[DataMigration]) -> str:
    """SHA-256 over the version and the source of everything the definition is written in."""
    digest = hashlib.sha256(str(definition.version).encode())
    for name in sorted(modules_of(definition)):
        digest.update(inspect.getsource(sys.modules[name]).encode())
    return digest.hexdigest()


def modules_of(definition: type[DataMigration]) -> set[str]:
    """The modules of definition and steps, and of their app what those import."""
    waiting = {cls.__module__ for cls in (definition, *definition.steps)}
    apps = {name.partition(".")[0] for name in waiting}
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= {
            home
            for home in (_home(module, item) for module, item in _imports(name))
            if home not in found and home.partition(".")[0] in apps
        }
    return found


@functools.cache
def _imports(module: str) -> frozenset[tuple[str, str]]:
    """What the module imports from where: (module, name)."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.ImportFrom):
            package = sys.modules[module].__package__
            origin = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            found |= {(origin, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
    return frozenset(found)


def _home(module: str, name: str) -> str:
    """The module that says what ``name`` is, where ``module`` only passes it on; "" for unknown."""
    if f"{module}.{name}" in sys.modules:
        return f"{module}.{name}"
    if module not in sys.modules:
        return ""
    value = getattr(sys.modules[module], name, None)
    if inspect.isclass(value) or inspect.isfunction(value):
        return value.__module__ if value.__module__ in sys.modules else ""
    for origin, item in _passed_on(module):
        if item == name:
            return _home(origin, item)
    return module


def _passed_on(module: str) -> frozenset[tuple[str, str]]:
    """The imports of a package's front, which has no code of its own."""
    return _imports(module) if hasattr(sys.modules[module], "__path__") else frozenset()


def schema_of(models: Iterable[type[Model]]) -> dict[str, dict[str, str]]:
    """Column → type, of each model's table, as the database has it."""
    found: dict[str, dict[str, str]] = {}
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(
                "SELECT attname, format_type(atttypid, atttypmod) || "
                "CASE WHEN attnotnull THEN ' not null' ELSE '' END FROM pg_attribute "
                "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped "
                "ORDER BY attname",
                [table_of(model)],
            )
            found[model._meta.label_lower] = dict(cursor.fetchall())
    return found


def image_columns(definition: type[DataMigration]) -> dict[str, list[str]]:
    """Columns that make up a row's image, for each written model; derived ones are left out."""
    return {
        model._meta.label_lower: [
            str(field.column)
            for field in written_fields(model)
            if field.column not in definition.derived_columns(model)
        ]
        for model in definition.written_models()
    }


def _evidence(context: RunContext, index: int) -> dict[str, str]:
    """Number of selected keys, and an order-free sum over key and content."""
    source = context.steps[index].source
    keys = source.keys(context.selection(index))
    sql, parameters = keys.query.sql_with_params()
    digest = "coalesce(encode(k.d, 'hex'), '')" if source.digest else "''"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(hashtextextended(k.k::text || '/' || "
            f"{digest}, 0)::numeric), 0) FROM ({sql}) k",
            parameters,
        )
        number, total = cursor.fetchone()
    return {"keys": str(number), "sum": str(total)}


def differences(planned: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What drifted, in sentences; empty where nothing did. Compares only what both hold."""
    found = []
    if planned.get("code") != now.get("code"):
        found.append(gettext_noop("The code of the definition changed."))
    if planned.get("options") != now.get("options"):
        found.append(f"Options were {planned.get('options')}, now {now.get('options')}.")
    found += schema_differences(planned.get("schema", {}), now.get("schema", {}))
    if "evidence" in planned and "evidence" in now:
        for step, before in planned["evidence"].items():
            after = now["evidence"].get(step)
            if before != after:
                counts = f"{before['keys']} keys then, {after['keys'] if after else 0} now"
                found.append(
                    gettext_noop("The data of %(step)s changed: %(counts)s.")
                    % {"step": step, "counts": counts}
                )
    return found


def schema_differences(
    planned: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Columns that came, went or changed their type."""
    found = []
    for label, columns in planned.items():
        present = now.get(label, {})
        for column in sorted(columns.keys() | present.keys()):
            before, after = columns.get(column), present.get(column)
            if before != after:
                found.append(
                    f"{label}.{column}: {before or 'not there'} then, {after or 'gone'} now."
                )
    return found
