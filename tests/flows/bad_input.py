"""Makes bad input out of the published description: for every door, every field, query and path parameter."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NASTY: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**30, 0.1, -0.0, 1e308, 1e-320,
    "", " ", "\t\n", "x", "0", "-1", "null", "a" * 5000, "𠮷", "👵🏻", "é", "\u202e", "\ufeff", "﷽" * 50,
    "'; DROP TABLE elder; --", "%", "_", "\\", "{{7*7}}", "<img src=x onerror=alert(1)>", "../../etc/passwd", "%00",
    "=1+1", "00000000-0000-0000-0000-000000000000", "2026-02-30", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "2026-03-03T10:00:00", "2026-03-03T10:00:00+99:99", "-4712-01-01", "1e400", "NaN", "١٢٣", "99999999999999999999",
    [], {}, [None], [[]], {"": ""}, {"a": {"b": []}}, [1] * 300, ["x"] * 300, [{}],
]  # fmt: skip
"""Values that something, somewhere, does not expect."""

RAW: list[bytes] = [
    b"", b" ", b"{", b"null", b"true", b"7", b'"x"', b"[]", b"{}", b"[[[[]]]]", b"NaN", b"-Infinity", b"\xff\xfe",
    b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b'{"\\u0000":1}', b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"a":"\x00"}',
    b'{"a":' + b"9" * 5000 + b"}", b'{"a":1e99999}', b"[" * 100_000, b'{"a":' * 100_000, b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 900 + b"1" + b"}" * 900, "{}".encode("utf-16"), b"<a/>", b"a=1&b=%00", b"--x\r\n\r\n",
]  # fmt: skip
"""Bodies that are not what they claim to be."""

IN_PATH = ["x", "0", "-1", "%00", "%2e%2e", "%F0%A0%AE%B7", "%FF", "a" * 3000, "00000000-0000-0000-0000-000000000000",
           "9" * 30, "%3Cscript%3E", "*", "2026-02-30", "%0a", "NaN"]  # fmt: skip
IN_QUERY = [*IN_PATH, "", "1e9", "true", "[]", "%ED%A0%80", "2026-03-03T10:00:00", "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59%2B00:00", "2147483648", "9223372036854775808", "%25", "%5C", "'"]  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """One bad request."""

    path: str
    body: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True)
class Door:
    """One operation of the description, with a good example of its body."""

    method: str
    path: str
    path_parameters: list[str]
    query_parameters: list[str]
    content_type: str | None = None
    example: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def doors(document: dict[str, Any]) -> list[Door]:
    """Every operation in an OpenAPI document."""
    found = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            named = operation.get("parameters", [])
            content = operation.get("requestBody", {}).get("content", {})
            kind, media = next(iter(content.items()), (None, {}))
            found.append(
                Door(
                    method.upper(),
                    path,
                    [one["name"] for one in named if one["in"] == "path"],
                    [one["name"] for one in named if one["in"] == "query"],
                    kind,
                    _example(document, media.get("schema", {})) if kind == "application/json" else None,
                )
            )
    return found


def attempts(door: Door, known: dict[str, str], budget: int, seed: int = 12349) -> list[Attempt]:
    """At most `budget` bad requests to `door`, the same for the same seed. `known` are ids that exist."""
    everything = list(_attempts(door, known))
    random.Random(f"{seed} {door}").shuffle(everything)
    return everything[:budget]


def good_attempt(door: Door, known: dict[str, str]) -> Attempt:
    """The example of the description, with ids of things that exist."""
    path = _filled(door.path, known)
    queries = "&".join(f"{name}={known[name]}" for name in door.query_parameters if name in known)
    if door.content_type != "application/json":
        return Attempt(f"{path}?{queries}", content_type=door.content_type or "application/json")
    return Attempt(f"{path}?{queries}", json.dumps(_known(door.example, known)).encode())


def _known(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            name: known[name] if name in known and isinstance(inner, str) else _known(inner, known)
            for name, inner in value.items()
        }
    return [_known(inner, known) for inner in value] if isinstance(value, list) else value


def _attempts(door: Door, known: dict[str, str]) -> Iterator[Attempt]:
    good_path = _filled(door.path, known)
    example = _known(door.example, known)
    good_body = json.dumps(example).encode() if door.content_type == "application/json" else None
    for name in door.path_parameters:
        for value in IN_PATH:
            yield Attempt(_filled(door.path, known | {name: value}), good_body)
    for name in door.query_parameters:
        for value in IN_QUERY:
            yield Attempt(f"{good_path}?{name}={value}", good_body)
    if door.content_type is None:
        yield Attempt(good_path)
        yield Attempt(good_path, b"[" * 100_000)
        return
    for raw in RAW:
        yield Attempt(good_path, raw, door.content_type)
    yield Attempt(good_path, good_body, "text/plain")
    if good_body is not None:
        yield Attempt(good_path, good_body)
        for body in mutations(example):
            yield Attempt(good_path, json.dumps(body).encode())


def mutations(example: Any) -> Iterator[Any]:
    """The example with one value replaced, one field left out or one added, at every depth."""
    for path in _paths(example):
        for nasty in NASTY:
            yield _replaced(example, path, nasty)
    if isinstance(example, dict):
        for name in example:
            yield {key: value for key, value in example.items() if key != name}
        yield example | {"surprise": 1}


def _paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if here:
        yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, child in inner:
        yield from _paths(child, (*here, key))


def _replaced(example: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(example)
    target = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return changed


def _filled(path: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    return path.replace("{", "").replace("}", "")


def _example(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("example", "default", "const"):
        if schema.get(key) is not None:
            return schema[key]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _example(document, schema[key][0], depth)
    if schema.get("type") == "object" or "properties" in schema:
        fields = schema.get("properties", {}) if depth < 6 else {}
        return {name: _example(document, inner, depth + 1) for name, inner in fields.items()}
    if schema.get("type") == "array":
        return [_example(document, schema.get("items", {}), depth + 1)]
    by_format = {
        "uuid": "019c0000-0000-7000-8000-000000000000",
        "date-time": "2026-03-03T02:00:00Z",
        "date": "2026-03-03",
    }
    by_type = {"integer": 1, "number": 1.0, "boolean": True, "null": None}
    return by_format.get(schema.get("format", "")) or by_type.get(schema.get("type", ""), "text")
