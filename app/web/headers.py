"""What every answer tells a browser about how far it may trust it."""

from __future__ import annotations

_POLICY = (
    "default-src 'self'; {styles}img-src 'self' data: blob:; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # signed links carry their token in the path
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(self), camera=(self), microphone=()"),
    (b"content-security-policy", _POLICY.format(styles="").encode()),
    (b"cache-control", b"no-store"),
)
"""Given unless the answer brings its own."""


def policy_with_style(digest: str) -> str:
    """The content security policy of a page that carries its styles inside: this very text (base64 of its SHA-256)
    and no other."""
    return _POLICY.format(styles=f"style-src 'self' 'sha256-{digest}'; ")
