"""A machine to type documented commands into: its /data and /backups are folders of the test.

Everything else is this machine's own, through a root directory made for the purpose: a command
with these paths in it runs as it is written, and touches nothing outside.
"""

import os
import shutil
import subprocess
from pathlib import Path

from tests.servers import PROGRAMS, ROOT, environment_of

_ENTER = """
set -eu
root=$1; shift
mount -t tmpfs tmpfs "$root"
for one in /*; do
  name=$root$one
  if [ -L "$one" ]; then cp -P "$one" "$name"
  elif [ -d "$one" ] && [ "$one" != /data ] && [ "$one" != /backups ] && [ "$one" != /app ]; then
    mkdir "$name"; mount --rbind "$one" "$name"
  fi
done
mkdir "$root/data" "$root/backups"
mount --bind "$DATA" "$root/data"
mount --bind "$BACKUPS" "$root/backups"
mount --bind "$VENV" "$CHECKOUT/.venv"
mount --rbind "$CHECKOUT" "$root$PLACE"
ln -s "$PLACE" "$root/app"
exec chroot "$root" bash -euo pipefail -c "cd /app; $1"
"""
_PARTS = ("migrations", "proman", "scripts", "static", "templates", "tests")
_FILES = (".flaskenv", "pyproject.toml", "requirements.txt", "requirements-test.txt", "README.md")


class Machine:
    """Where commands are typed: a checkout of its own, /data, /backups."""

    def __init__(self, folder: Path) -> None:
        self.data, self.backups = folder / "data", folder / "backups"
        self.checkout, self._root = folder / "checkout", folder / "root"
        for one in (self.data, self.backups, self.checkout, self.checkout / ".venv", self._root):
            one.mkdir(mode=0o700, parents=True)
        for name in _PARTS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.checkout / name, ignore=ignored)
        for name in _FILES:
            shutil.copyfile(ROOT / name, self.checkout / name)

    def type(self, commands: str) -> str:
        """What they print, one after the other; the first that fails ends the test."""
        own = {
            "DATA": str(self.data), "BACKUPS": str(self.backups), "CHECKOUT": str(self.checkout),
            "PLACE": str(ROOT), "VENV": str(PROGRAMS.parent), "PROMAN_BACKUP_DIR": "/backups",
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        own |= {key: told for key, told in os.environ.items() if key.startswith("PROMAN_TEST_")}
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", _ENTER, "sh", str(self._root), commands],
            env={**environment_of(Path("/data")), **own},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr
