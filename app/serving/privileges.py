"""How a process starts a PostgreSQL that refuses to run as it: as root, or as a uid without an account.

First choice is a user namespace in which the process is called by the uid of an ordinary account: files
stay the caller's own and nothing on the machine changes. Containers often forbid that; then the server of
root becomes the user `postgres` or `nobody`, which must own the data.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.serving.failures import DatabaseServerFailure

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Identity:
    """Who the server will be: the uid and gid that own its files, and the step that gets there."""

    uid: int
    gid: int
    assume: Callable[[], None]

    def own(self, path: Path) -> None:
        """Give `path` and all below to this identity, where somebody else has it. Needs root."""
        if os.geteuid() != 0 or path.lstat().st_uid == self.uid:
            return
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        for folder, subfolders, files in os.walk(path):
            for name in subfolders + files:
                os.chown(os.path.join(folder, name), self.uid, self.gid, follow_symlinks=False)


def server_identity() -> Identity:
    """The identity for a server of this process. Raises DatabaseServerFailure when there is none."""
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0 and _has_account(uid):
        return Identity(uid, gid, lambda: None)
    account = _ordinary_account()
    candidates = [Identity(uid, gid, lambda: _enter_namespace(account.pw_uid, account.pw_gid))]
    if uid == 0:
        become = Identity(account.pw_uid, account.pw_gid, lambda: _become(account.pw_uid, account.pw_gid))
        candidates.append(become)
    for index, identity in enumerate(candidates):
        if _is_possible(index, identity.assume):
            return identity
    raise DatabaseServerFailure(
        f"PostgreSQL does not run as the user with id {uid}, and this machine allows neither a user namespace "
        "nor a change of user. Start the service as a user with an account, or set DATABASE_URL."
    )


def die_with_parent(deathsignal: signal.Signals, parent: int) -> None:
    """Have the kernel send `deathsignal` to this process when `parent` dies. For use between fork and exec.

    Does nothing where the kernel has no such service (it is Linux's own).
    """
    asked = hasattr(_libc, "prctl") and _libc.prctl(_PR_SET_PDEATHSIG, int(deathsignal), 0, 0, 0) == 0
    if asked and os.getppid() != parent:  # the parent died before we could ask
        os._exit(1)


_possible: dict[int, bool] = {}


def _is_possible(index: int, assume: Callable[[], None]) -> bool:
    if index not in _possible:
        try:
            subprocess.run(["/bin/sh", "-c", ":"], preexec_fn=assume, check=True, capture_output=True)
            _possible[index] = True
        except (OSError, subprocess.SubprocessError):
            _possible[index] = False
    return _possible[index]


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


@cache
def _ordinary_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    for account in pwd.getpwall():
        if account.pw_uid != 0:
            return account
    raise DatabaseServerFailure("PostgreSQL does not run as root, and this machine has no other account.")


def _enter_namespace(uid: int, gid: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {outer_uid} 1"), ("gid_map", f"{gid} {outer_gid} 1")):
        with open(f"/proc/self/{name}", "w") as mapping:
            mapping.write(text)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _become(uid: int, gid: int) -> None:
    """Change user, keeping the right to reach files.

    The programs and the data may lie below a directory only root may enter, such as root's home. Where
    the kernel refuses to keep that right the server starts without it, which does for other places.
    """
    _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    mask = 1 << _CAP_DAC_OVERRIDE
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    sets = (_CapabilitySets * 2)(_CapabilitySets(mask, mask, mask), _CapabilitySets(0, 0, 0))
    if _libc.capset(ctypes.byref(header), ctypes.byref(sets)) == 0:
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
