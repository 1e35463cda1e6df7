#!/bin/sh
# Start of the container: checks that the volumes can be written, brings the database up to date and
# serves (`serve --processes 2`: so many share the work). Any other command (`flask doctor`, `flask
# database backup`) runs as it is given.
set -eu

refuse() {
  echo "$*" >&2
  exit 1
}

check_volume() {
  directory=$1
  purpose=$2
  probe=$directory/.proman-write-test.$$
  # shellcheck disable=SC2015  # both lead to the same line
  mkdir -p "$directory" 2>/dev/null && (: >"$probe") 2>/dev/null ||
    refuse "ProMan cannot write to $directory ($purpose) as user $(id -u):" \
      "give the volume to that user, for example: chown -R $(id -u) VOLUME"
  # An empty file finds room on a full disk too.
  (echo probe >"$probe") 2>/dev/null || { rm -f "$probe"; refuse "There is no room in $directory ($purpose): make some"; }
  rm -f "$probe"
}

if [ "${1:-serve}" != serve ]; then exec "$@"; fi
[ $# -eq 0 ] || shift

check_volume "${PROMAN_DATA_DIR:-/data}" "database, uploaded files, secret key"
check_volume "${PROMAN_BACKUP_DIR:-/backups}" "backups"
flask db upgrade && exec proman serve "$@"
