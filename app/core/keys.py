"""Where the master keys come from: the environment in production, a file of mode 0600 elsewhere."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from app.core.config import Settings
from app.core.crypto import Vault


def vault_from(settings: Settings) -> Vault:
    """The vault of this deployment. `master_key` may hold several keys, oldest first, separated by commas.

    Raises RuntimeError in production without a key, and for a key that is not 64 hex characters.
    """
    text = settings.master_key
    if text is None:
        if settings.environment == "production":
            raise RuntimeError("NUANXIAN_MASTER_KEY is not set: production never invents its own key")
        text = _kept_key(settings.data_dir / "keys" / "master.key")
    try:
        keys = {i: bytes.fromhex(part.strip()) for i, part in enumerate(text.split(","), start=1)}
        return Vault(keys)
    except ValueError as wrong:
        raise RuntimeError("NUANXIAN_MASTER_KEY must be 64 hex characters (several: comma between)") from wrong


def _kept_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        fresh = path.with_name(f".{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # several processes start at once: the first key counts
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text().strip()
