"""Files that pages load. An address carries the hash of its file, so that a browser may keep it for good."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.web.faces import FACES

HERE = Path(__file__).parent
FOLDERS = {
    "vendor": HERE / "vendor",  # from a lock file, never in the repository
    **{face: HERE / face / "static" for face in FACES},
    "frame": HERE / "static",
}
"""By the first step of the address under /static."""
FOR_GOOD = "public, max-age=31536000, immutable"


@cache
def url_of(name: str) -> str:
    """The address of a file, like `vendor/htmx.min.js`. Raises FileNotFoundError for one that is not there."""
    folder, _, rest = name.partition("/")
    digest = hashlib.sha256((FOLDERS[folder] / rest).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


class Files(StaticFiles):
    """A folder of files. What was asked for by its hash is kept for good; a compressed neighbour goes out instead."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        headers = dict(scope["headers"])
        packed = b"gzip" in headers.get(b"accept-encoding", b"") and self._is_packed(path)
        response = await super().get_response(f"{path}.gz" if packed else path, scope)
        if packed and response.status_code == 200:
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Type"] = _media_type(path)
        if b"v=" in scope["query_string"]:
            response.headers["Cache-Control"] = FOR_GOOD
        response.headers["Vary"] = "Accept-Encoding"
        return response

    def _is_packed(self, path: str) -> bool:
        found, _ = self.lookup_path(f"{path}.gz")
        return bool(found)


def _media_type(path: str) -> str:
    kind = FileResponse(path).media_type or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def mounts() -> dict[str, Any]:
    """Applications by the address they are mounted at."""
    return {f"/static/{name}": Files(folder) for name, folder in FOLDERS.items()}
