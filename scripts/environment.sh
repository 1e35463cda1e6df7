#!/usr/bin/env bash
# Makes .venv and keeps it at the pinned versions. Sourced by the other scripts, which then call
# `prepare_environment requirements.txt` (to run) or `prepare_environment requirements-test.txt`.
# Nothing is installed while the pins, the Python and the place are those of the last time.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$top/.venv
if [ -d "$venv/Scripts" ]; then bin=$venv/Scripts; else bin=$venv/bin; fi

step() { printf 'ProMan: %s\n' "$*" >&2; }
give_up() { printf 'ProMan: %s\n' "$*" >&2; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    is_new_enough "$PYTHON" || give_up "PYTHON=$PYTHON is not Python 3.11 or later."
    command -v "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
    if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  give_up "needs Python 3.11 or later; this machine has $(python3 --version 2>/dev/null || echo none)." \
    "Install one, or name it: PYTHON=/path/to/python3.11 $0"
}

make_venv() {
  local python
  python=$(find_python) || exit 1
  "$python" -c 'import ensurepip, venv' 2>/dev/null || give_up \
    "$python cannot make a virtual environment (ensurepip is missing)." \
    "On Debian or Ubuntu: sudo apt-get install python3-venv"
  step "making .venv with $("$python" --version)"
  rm -rf "$venv"
  "$python" -m venv "$venv" || give_up "could not make .venv in $top: is the disk full or read-only?"
  if [ -d "$venv/Scripts" ]; then bin=$venv/Scripts; else bin=$venv/bin; fi
}

# The fingerprint of a requirements file, of the project's own metadata, of the Python and the place.
fingerprint() {
  "$bin/python" - "$top" "$1" <<'PYTHON'
import hashlib, pathlib, sys
top, name = pathlib.Path(sys.argv[1]), sys.argv[2]
digest = hashlib.sha256(f"{sys.version}{top}".encode())
for part in (name, "pyproject.toml"):
    digest.update((top / part).read_bytes())
print(digest.hexdigest())
PYTHON
}

stamp_of() { printf '%s/proman-%s' "$venv" "${1%.txt}"; }
is_installed() { [ "$(cat "$(stamp_of "$1")" 2>/dev/null)" = "$(fingerprint "$1")" ]; }

pip_install() {
  local log=$venv/install.log
  "$bin/python" -m pip --disable-pip-version-check --no-input install --quiet "$@" >"$log" 2>&1 ||
    { cat "$log" >&2; give_up "the installation failed; the lines above say why. Run again to go on."; }
}

prepare_environment() {
  local wanted=$1
  is_new_enough "$bin/python" || make_venv
  is_installed "$wanted" && return
  step "installing $(grep -c '==' "$top/$wanted") pinned packages into .venv (the first time takes a minute or two)"
  # The list is whole, so nothing is resolved: a resolver that meets an extra (coverage[toml]) asks
  # for its newest release, which has no hash here, and stops.
  pip_install --no-deps --require-hashes -r "$top/$wanted"
  # Without index and build isolation: the project itself asks nothing of the network.
  pip_install --no-index --no-deps --no-build-isolation --editable "$top"
  fingerprint "$wanted" >"$(stamp_of "$wanted")"
  # The pins of the tests contain those of the program.
  fingerprint requirements.txt >"$(stamp_of requirements.txt)"
}
