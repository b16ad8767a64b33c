"""Figures about the service for Prometheus, at /metrics, for the machine itself only.

Labels are route templates, never paths: a path may hold a signed link.
"""

from __future__ import annotations

import os

from fastapi import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

PATH = "/metrics"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

REQUESTS = Counter("nuanxian_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "nuanxian_request_seconds",
    "Time from the request's headers to the last byte of the answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 15, 30),
)

SHED = Counter("nuanxian_shed_total", "Requests told to come again, because calls for help come first", ["criticality"])
LET_IN = Gauge(
    "nuanxian_let_in", "Share of a class of requests that is let in", ["criticality"], multiprocess_mode="livemin"
)

_requests: dict[tuple[str, str, int], Counter] = {}
_seconds: dict[str, Histogram] = {}


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    method = method if method in METHODS else "other"
    key = (method, route, status)
    if key not in _requests:
        _requests[key] = REQUESTS.labels(method, route, status)
        _seconds[route] = SECONDS.labels(route)
    _requests[key].inc()
    _seconds[route].observe(seconds)


def answer() -> Response:
    """All figures in Prometheus' text form; of all web processes where PROMETHEUS_MULTIPROC_DIR is set."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
