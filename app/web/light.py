"""Pages for a slow line: the answer to the first question is all a browser needs to paint.

The styles travel inside the page instead of costing a second way there and back; the content security policy allows
exactly that text, by its hash. The answer is packed. Nothing a visitor typed is ever on such a page beside a secret,
so packing tells nobody anything.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from functools import cache
from typing import Any

from fastapi import Request, Response
from markupsafe import Markup

from app.web import headers
from app.web.rendering import page
from app.web.static_files import FOLDERS

STYLES = ("frame/frame.css", "family/order.css")


@cache
def styles() -> str:
    """All a light page looks like, as one text."""
    texts = []
    for name in STYLES:
        folder, _, rest = name.partition("/")
        texts.append((FOLDERS[folder] / rest).read_text(encoding="utf-8"))
    return "\n".join(texts)


def styles_inside() -> Markup:
    """The element for the template."""
    return Markup(f"<style>{styles()}</style>")  # noqa: S704 (our own file)


@cache
def policy() -> str:
    return headers.policy_with_style(base64.b64encode(hashlib.sha256(styles().encode()).digest()).decode())


def light_page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """`page`, packed where the browser takes it."""
    answer = page(request, template, status=status, styles_inside=styles_inside, **values)
    answer.headers["Content-Security-Policy"] = policy()
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Vary"] = "Accept-Encoding"
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return answer
    packed = Response(gzip.compress(bytes(answer.body), 6, mtime=0), status, dict(answer.headers))
    packed.headers["Content-Encoding"] = "gzip"
    packed.headers["Content-Length"] = str(len(packed.body))
    return packed
