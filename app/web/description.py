"""The interface's description as a page needs it: operations by area, with parameters, bodies and answers."""

from __future__ import annotations

import json
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")

AREAS = (
    "service", "accounts", "regions", "elders", "catalog", "providers", "benefits", "desk", "phone", "wechat", "app",
    "devices", "alarms", "intake", "calls", "orders", "dispatch", "provider", "visits", "family", "followup",
    "settlement", "insight", "jobs",
)  # fmt: skip
"""In the order of an order's way; what is not named comes last."""


def of(document: dict[str, Any]) -> dict[str, Any]:
    """Template values made of an OpenAPI document."""
    areas: dict[str, list[dict[str, Any]]] = {}
    for path, operations in sorted(document["paths"].items()):
        for method in METHODS:
            if operation := operations.get(method):
                area = (operation.get("tags") or ["other"])[0]
                areas.setdefault(area, []).append(_operation(document, path, method, operation))
    known = {area: place for place, area in enumerate(AREAS)}
    ordered = dict(sorted(areas.items(), key=lambda entry: known.get(entry[0], len(AREAS))))
    return {"info": document["info"], "areas": ordered, "count": sum(map(len, areas.values()))}


def _operation(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "body": _example(document, operation.get("requestBody")),
        "answers": {code: answer.get("description", "") for code, answer in operation["responses"].items()},
    }


def _example(document: dict[str, Any], body: dict[str, Any] | None) -> str | None:
    content = (body or {}).get("content", {}).get("application/json")
    if content is None:
        return None
    examples = examples_of(document, content.get("schema", {}))
    return json.dumps(examples[0], ensure_ascii=False, indent=2) if examples else None


def examples_of(document: dict[str, Any], schema: dict[str, Any]) -> list[Any]:
    """Examples of a schema, of what it refers to, or of its alternatives."""
    if "anyOf" in schema:
        return [example for choice in schema["anyOf"] for example in examples_of(document, choice)]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return list(schema.get("examples", []))
