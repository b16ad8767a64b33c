"""Checkers of the house rules. Each takes the folder of the product and gives back breaches as sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
NO_NAMES = frozenset({"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "shared"})

# Modules that a newcomer reads first: rules of the trade, without a database, a framework or a clock.
PURE = re.compile(r"\bPure\b")
"""The word by which a module says in its docstring that it holds plain functions: no database, no clock, no waiting."""
ALWAYS_PURE = frozenset(
    {"lifecycle.py", "rules.py", "calculation.py", "pricing.py", "waterfall.py", "record.py", "journal.py"}
)
"""Names that only such modules have."""
_IMPURE = ("sqlalchemy", "fastapi", "asyncpg", "app.core.clock", "app.core.db", "app.core.http")

_CALENDAR = frozenset({"SHANGHAI", "service_day", "day_bounds", "month_bounds"})
"""What the clock module knows without looking at a clock."""

_SQL = re.compile(r"\s*(SELECT\s|INSERT INTO\s|UPDATE\s+\w+\s|DELETE FROM\s|WITH\s+\w+\s+AS\b|TRUNCATE\s|LOCK TABLE\s)")
_SQL_CLOCK = re.compile(r"\b(now\(\)|current_timestamp\b|current_date\b|clock_timestamp\(\)|localtimestamp\b)", re.I)
_STATEMENTS = frozenset({"select", "insert", "update", "delete", "text", "exists", "union_all", "literal_column"})
_CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"})


def breaches(app: Path) -> list[str]:
    """All rules that need nothing but the source."""
    rules = (sql_outside_queries, commits, other_clocks, sizes, names, impure_rules)
    return [breach for rule in rules for breach in rule(app)]


def sql_outside_queries(app: Path) -> Iterator[str]:
    """SQL lives in the queries of its room; core and jobs are themselves about the database."""
    for file, tree in _modules(app):
        where = file.relative_to(app)
        if where.parts[0] in {"core", "jobs", "serving"} or "queries" in where.stem.split("_"):
            continue
        if where.name != "models.py":
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
                    for name in _STATEMENTS & {alias.name for alias in node.names}:
                        yield f"{where}:{node.lineno} builds SQL with {name}(); that belongs into queries.py"
        for text in _texts(tree):
            if _SQL.match(str(text.value)):
                yield f"{where}:{text.lineno} writes SQL; that belongs into queries.py"


def commits(app: Path) -> Iterator[str]:
    """Nobody below the edge ends a transaction, but for the one place that knows how."""
    for file, tree in _modules(app):
        where = file.relative_to(app)
        if where.parts[0] == "serving" or where.as_posix() == "core/tx.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}:
                yield f"{where}:{node.lineno} calls {node.attr}(); the transaction belongs to the edge"
        for text in _texts(tree):
            if re.fullmatch(r"\s*(COMMIT|ROLLBACK|BEGIN)\s*;?\s*", str(text.value)):
                yield f"{where}:{text.lineno} says {text.value!r}; the transaction belongs to the edge"


def other_clocks(app: Path) -> Iterator[str]:
    """`core.clock` is the only source of "now", in Python and in SQL."""
    for file, tree in _modules(app):
        where = file.relative_to(app)
        if where == Path("core/clock.py"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and (used := _dotted(node)):
                if ".".join(used[-2:]) in _CLOCKS:
                    yield f"{where}:{node.lineno} asks {'.'.join(used)}; ask core.clock"
                elif used[-2:] in (["func", "now"], ["func", "current_timestamp"], ["func", "current_date"]):
                    yield f"{where}:{node.lineno} asks the database for the time; pass core.clock.now()"
        for text in _texts(tree):
            if _SQL.match(str(text.value)) and _SQL_CLOCK.search(str(text.value)):
                yield f"{where}:{text.lineno} asks the database for the time; pass core.clock.now()"


def sizes(app: Path) -> Iterator[str]:
    """A file is read in one sitting, a function on one screen."""
    for file, tree in _modules(app):
        where = file.relative_to(app)
        lines = len(file.read_text().splitlines())
        if lines > MAX_FILE_LINES:
            yield f"{where} has {lines} lines; {MAX_FILE_LINES} are the limit"
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    yield f"{where}:{node.lineno} {node.name} has {length} lines; {MAX_FUNCTION_LINES} are the limit"


def names(app: Path) -> Iterator[str]:
    """A module is called after what it is about."""
    for path in app.rglob("*"):
        words = path.stem.split("_")
        if (path.suffix == ".py" or path.is_dir()) and NO_NAMES & {*words, path.stem}:
            yield f"{path.relative_to(app)} is called after nothing"


def impure_rules(app: Path) -> Iterator[str]:
    """Rules of the trade are plain functions of their arguments."""
    for file, tree in _modules(app):
        name = file.relative_to(app)
        if not PURE.search(ast.get_docstring(tree) or ""):
            if file.name in ALWAYS_PURE:
                yield f"{name} does not say that it is Pure; its name does"
            continue
        for node in ast.walk(tree):
            for module in _imported(node):
                if module.startswith(_IMPURE):
                    yield f"{name}:{node.lineno} imports {module}; pure rules do not"  # type: ignore[attr-defined]
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                yield f"{name}:{node.lineno} waits for something; pure rules do not"


def _modules(app: Path) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(app.rglob("*.py")):
        yield file, ast.parse(file.read_text())


def _texts(tree: ast.Module) -> Iterator[ast.Constant]:
    """String constants, also the pieces of f-strings, without docstrings."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node


def _dotted(node: ast.Attribute) -> list[str]:
    parts: list[str] = [node.attr]
    inner = node.value
    while isinstance(inner, ast.Attribute):
        parts.insert(0, inner.attr)
        inner = inner.value
    return [inner.id, *parts] if isinstance(inner, ast.Name) else []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        if node.module == "app.core.clock" and {alias.name for alias in node.names} <= _CALENDAR:
            return []
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []
