"""Nothing is fetched but from a listed place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hotline.references import ReferenceRefused, placed

BASES = ["https://pbx.test:8443/rec/"]


def test_inside_is_inside(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    assert placed(str(tmp_path / "a.wav"), [str(tmp_path)]).path == tmp_path / "a.wav"
    assert placed(f"file://{tmp_path}/a.wav", [*BASES, str(tmp_path)]).path == tmp_path / "a.wav"
    assert placed("a.wav", [str(tmp_path)]).path == tmp_path / "a.wav"
    assert placed("2026/a.wav", BASES).url == "https://pbx.test:8443/rec/2026/a.wav"
    address = "https://pbx.test:8443/rec/2026/a.wav?token=1"
    assert placed(address, BASES).url == address


@pytest.mark.parametrize(
    "reference",
    [
        "/etc/passwd", "../etc/passwd", "rec/../../a.wav", "https://pbx.test:8443/other/a.wav",
        "https://pbx.test:8443/rec/../other/a.wav", "https://pbx.test:8443/rec/%2e%2e/other",
        "https://pbx.test:8443/rec/..%2fother", "https://pbx.test/rec/a.wav", "http://pbx.test:8443/rec/a.wav",
        "https://user@pbx.test:8443/rec/a.wav", "https://pbx.test:8443.evil.test/rec/a.wav",
        "https://pbx.test:8443@evil.test/rec/a.wav", "https://pbx.test:8443/rec\\..\\a", "https://pbx.test:99999/rec/a",
        "file:///etc/passwd", "ftp://pbx.test:8443/rec/a", "https://[::1/rec/a", "", "https://pbx.test:8443/rec/a\nb",
    ],
)  # fmt: skip
def test_outside_is_refused(reference: str, tmp_path: Path) -> None:
    with pytest.raises(ReferenceRefused):
        placed(reference, [*BASES, str(tmp_path)])


def test_a_link_does_not_lead_out(tmp_path: Path) -> None:
    inside = tmp_path / "rec"
    inside.mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (inside / "a.wav").symlink_to(tmp_path / "secret")
    with pytest.raises(ReferenceRefused):
        placed(str(inside / "a.wav"), [str(inside)])
    with pytest.raises(ReferenceRefused):
        placed(f"{inside}/../secret", [str(inside)])
    with pytest.raises(ReferenceRefused):
        placed(str(tmp_path / "rec2" / "a.wav"), [str(inside)])


def test_without_a_list_nothing_is_fetched() -> None:
    with pytest.raises(ReferenceRefused):
        placed("https://pbx.test:8443/rec/a.wav", [])


@given(st.text(max_size=80))
def test_whatever_an_exchange_says_is_placed_or_refused(reference: str) -> None:
    try:
        found = placed(reference, [*BASES, "/srv/rec"])
    except ReferenceRefused:
        return
    assert (found.path is None) != (found.url is None)
