# Sourced by the commands next to it, with the wanted environment (serve or dev) as argument.
# Goes to the root of the repository, makes sure .venv holds what the lock file says, and sets PYTHON.
# shellcheck shell=bash

set -euo pipefail
unset PYTHONHOME PYTHONPATH
cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

find_python() {
    local candidate
    for candidate in "${NUANXIAN_PYTHON:-}" python3.11 python3 python3.12 python3.13 python3.14 python; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed and was not found. Install it (on Debian and Ubuntu:" >&2
    echo "apt-get install python3 python3-venv), or name it in NUANXIAN_PYTHON." >&2
    return 1
}

PYTHON=$(find_python)
"$PYTHON" -I scripts/_environment.py "$1"
"$PYTHON" -I scripts/_browser.py
PYTHON=$PWD/.venv/bin/python
