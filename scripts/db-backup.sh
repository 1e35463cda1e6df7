#!/bin/sh
# Verified hot backup of a ProMan SQLite database, for cron and for hosts without ProMan.
#
#   scripts/db-backup.sh DATABASE BACKUP_DIR [RETENTION_DAYS]
#
# Needs python3 or the sqlite3 command line, nothing else. Works while the application writes, and
# from a read-only mount. Prints the new backup's path; on failure one line on standard error,
# exit 1, and nothing is left behind. Without RETENTION_DAYS it deletes nothing; with it, it never
# goes below three good backups and leaves pinned ones alone.
set -eu
umask 077
LC_ALL=C
export LC_ALL

fail() {
    echo "db-backup.sh: $*" >&2
    exit 1
}

usage() {
    echo "usage: db-backup.sh DATABASE BACKUP_DIR [RETENTION_DAYS]" >&2
    exit 2
}

[ $# -ge 2 ] && [ $# -le 3 ] || usage
database=$1
directory=$2
days=${3:-}
case $days in *[!0-9]*) usage ;; esac
# 08 is a number to people, and to the shell none.
while [ "$days" != "${days#0}" ] && [ "$days" != 0 ]; do days=${days#0}; done

[ -f "$database" ] || fail "there is no database at $database."
[ -r "$database" ] || fail "$database cannot be read by $(id -un)."

# What root makes belongs to the owner of the directory that it lies in: the server must be able to
# read it. (-h: a link that somebody put there is not followed.)
give_to_owner() {
    [ "$(id -u)" -eq 0 ] || return 0
    # shellcheck disable=SC2012 # only the numbers of one known name are taken
    owner=$(ls -lnd "$(dirname "$1")" | awk '{ print $3 ":" $4 }')
    chown -h "$owner" "$1" 2>/dev/null || :
}

is_new=
[ -d "$directory" ] || is_new=yes
mkdir -p "$directory" 2>/dev/null || fail "the directory $directory cannot be made."
[ -w "$directory" ] || fail "the directory $directory cannot be written."
[ -z "$is_new" ] || give_to_owner "$directory"
home=$(cd "$(dirname "$database")" && pwd -P)
database=$home/$(basename "$database")
directory=$(cd "$directory" && pwd -P)

if command -v python3 >/dev/null 2>&1 && python3 -c 'import sqlite3' 2>/dev/null; then
    tool=python
elif command -v sqlite3 >/dev/null 2>&1; then
    tool=cli
else
    fail "neither python3 nor the sqlite3 command line is installed."
fi

partial=.proman-script-$$-$(date -u +%s).part
cd "$directory"
# Single quotes on purpose: the names are looked up when the trap runs.
trap 'rm -f "$partial" "$partial-journal" "$partial-wal" "$partial-shm"' EXIT
trap 'exit 1' HUP INT TERM
# What a killed run left, a day later; a running one is never that old.
find . -maxdepth 1 -name '.proman-script-*.part*' -mmin +1440 -exec rm -f {} + 2>/dev/null || :

encoded() {
    printf '%s' "$1" | sed -e 's/%/%25/g' -e 's/?/%3f/g' -e 's/#/%23/g'
}

# How to open the database: as any reader where its directory can be written. On a read-only mount
# a WAL beside it must be read too (mode=ro), and without one SQLite cannot make its shared memory
# there, so the file is taken as it stands (immutable=1) and looked at again afterwards.
# (Opened for appending, because some shells tell root that a read-only mount can be written.)
options_for() {
    if (: >>"$database") 2>/dev/null && [ -w "$home" ]; then
        echo mode=rw
    elif [ -s "$database-journal" ]; then
        fail "a change was cut off ($database-journal) and the mount is read-only; start ProMan once."
    elif [ -e "$database-wal" ] && [ ! -e "$database-shm" ]; then
        fail "$database-wal is there without its -shm and the mount is read-only; start ProMan once."
    elif [ -e "$database-wal" ]; then
        echo mode=ro
    else
        echo 'immutable=1&mode=ro'
    fi
}

state() {
    # shellcheck disable=SC2012 # only the times and sizes of three known names are compared
    ls -lnd --time-style=full-iso "$database" "$database-wal" 2>/dev/null ||
        stat -c '%s %Y' "$database" "$database-wal" 2>/dev/null || :
}

# The snapshot is pinned by a read inside a transaction before the copy begins. Otherwise the copy
# starts over at every commit of another process and may never end.
copy_with_python() {
    python3 - "$1" "$partial" <<'PYTHON'
import sqlite3, sys
try:
    source = sqlite3.connect(sys.argv[1], uri=True, timeout=30, isolation_level=None)
    target = sqlite3.connect(sys.argv[2], isolation_level=None)
    source.execute("BEGIN")
    if not source.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        sys.exit("it holds no tables")
    source.backup(target, pages=1000)
    source.execute("ROLLBACK")
    target.execute("PRAGMA journal_mode=DELETE")
    target.close()
except (sqlite3.Error, OSError) as error:
    sys.exit(str(error))
PYTHON
}

copy_with_cli() {
    printf '%s\n' '.bail on' '.timeout 30000' 'BEGIN;' \
        "SELECT CASE WHEN count(*) = 0 THEN 'it holds no tables' END FROM sqlite_master;" \
        ".backup main $partial" 'ROLLBACK;' >"$partial-journal"
    said=$(sqlite3 -batch -init /dev/null "$1" <"$partial-journal" 2>&1) || {
        echo "$said" >&2
        return 1
    }
    rm -f "$partial-journal"
    [ -z "$said" ] || {
        echo "$said" >&2
        return 1
    }
    sqlite3 -batch -init /dev/null "$partial" 'PRAGMA journal_mode=DELETE;' >/dev/null
}

copy() {
    if [ "$tool" = python ]; then copy_with_python "$1"; else copy_with_cli "$1"; fi
}

# Prints nothing when the file is whole, else what is wrong with it.
faults_with_python() {
    python3 - "$1" <<'PYTHON'
import sqlite3, sys
from urllib.parse import quote
try:
    file = sqlite3.connect(f"file:{quote(sys.argv[1])}?mode=ro&immutable=1", uri=True)
    said = [row[0] for row in file.execute("PRAGMA integrity_check(1)")]
    if said != ["ok"]:
        print(said[0])
    elif file.execute("PRAGMA foreign_key_check").fetchone():
        print("a row refers to one that is gone")
except sqlite3.Error as error:
    print(error)
PYTHON
}

faults_with_cli() {
    said=$(sqlite3 -batch -init /dev/null "file:$1?mode=ro&immutable=1" \
        'PRAGMA integrity_check(1); PRAGMA foreign_key_check;' 2>&1) || :
    [ "$said" = ok ] || echo "${said:-it cannot be read}"
}

faults() {
    if [ "$tool" = python ]; then faults_with_python "$1"; else faults_with_cli "$1"; fi |
        tr '\n' ' ' | sed 's/ $//'
}

hash_of() {
    if [ "$tool" = python ]; then
        python3 -c 'import hashlib, sys
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
    elif command -v sha256sum >/dev/null 2>&1; then
        sha256sum "$1" | sed 's/ .*//'
    fi
}

manifest_of() {
    one=${1%.age}
    echo "${one%.sqlite}.json"
}

# Whether a backup counts: whole, and what the manifest beside it says it is. Only the manifest's own
# lines are indented by one blank; those of its documents are by more. An encrypted one cannot be
# looked into here: it counts when it is, byte for byte, what ProMan decrypted and proved.
is_good() {
    manifest=$(manifest_of "$1")
    if [ -e "$manifest" ]; then
        grep -q '^ "fault": *"[^"]' "$manifest" && return 1
        wanted=$(sed -n 's/^ "sha256": *"\([0-9a-f]*\)".*/\1/p' "$manifest")
        found=$(hash_of "$1")
        [ -z "$wanted" ] || [ -z "$found" ] || [ "$wanted" = "$found" ] || return 1
    fi
    case $1 in *.age)
        [ -e "$manifest" ] && [ -n "$wanted" ] && [ "$wanted" = "$found" ]
        return
        ;;
    esac
    [ -z "$(faults "$1")" ]
}

on_disk() {
    sync "$@" 2>/dev/null || sync
}

needed=$(($(wc -c <"$database") / 1024 + 16384))
[ ! -e "$database-wal" ] || needed=$((needed + $(wc -c <"$database-wal") / 1024))
free=$(df -Pk . | awk 'NR == 2 { print $4 }')
[ "$free" -ge "$needed" ] ||
    fail "not enough space in $directory: $needed KiB are needed, $free KiB are free."

tries=0
while :; do
    options=$(options_for) || exit 1
    before=$(state)
    said=$(copy "file:$(encoded "$database")?$options" 2>&1) || {
        said=$(echo "$said" | tail -n 1)
        fail "$database could not be copied: $said."
    }
    case $options in immutable*) ;; *) break ;; esac
    [ "$before" != "$(state)" ] || [ -e "$database-wal" ] || break
    tries=$((tries + 1))
    [ $tries -lt 5 ] || fail "$database kept changing under a read-only mount; nothing was kept."
    rm -f "$partial"
done

found=$(faults "$partial")
[ -z "$found" ] || fail "the copy of $database is not good: $found. Older backups were kept."
give_to_owner "$partial"
on_disk "$partial"

# link() never overwrites: when the name of this second is taken, the next second's is used.
tries=0
while :; do
    name=proman-$(date -u +%Y%m%d-%H%M%S).sqlite
    if [ ! -e "${name%.sqlite}.json" ] && [ ! -e "$name.age" ] &&
        ln "$partial" "$name" 2>/dev/null; then break; fi
    tries=$((tries + 1))
    if [ $tries -gt 5 ] && [ ! -e "$name" ]; then
        mv "$partial" "$name" || fail "$directory/$name could not be written."
        break
    fi
    [ $tries -lt 60 ] || fail "no free name was found in $directory."
    sleep 1
done
on_disk . "$name"

digits='[0-9][0-9][0-9][0-9][0-9][0-9]'
backups() {
    # shellcheck disable=SC2012,SC2086 # the pattern lets only digits through
    ls -1 proman-[0-9][0-9]$digits-$digits.sqlite proman-[0-9][0-9]$digits-$digits.sqlite.age \
        2>/dev/null | sort -r
}

moment_before() {
    seconds=$(($(date -u +%s) - $1 * 86400))
    date -u -d "@$seconds" +%Y%m%d-%H%M%S 2>/dev/null || date -u -r "$seconds" +%Y%m%d-%H%M%S
}

is_older() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort | head -n 1)" = "$1" ] && [ "$1" != "$2" ]
}

is_protected() {
    manifest=$(manifest_of "$1")
    [ -e "$manifest" ] || return 1
    # A manifest that is damaged, or about another file, may be one that was pinned.
    grep -q "^ \"name\": *\"$1\"" "$manifest" || return 0
    grep -q '^ "pinned": *false' "$manifest" || return 0
    grep -q '^ "reason": *"' "$manifest" || return 0
    grep -q '"reason": *"before-restore"' "$manifest" && ! is_older "$1" "proman-$(moment_before 7)"
}

prune() {
    if [ "$(backups | head -n 1)" != "$name" ]; then
        echo "db-backup.sh: the clock is behind the newest backup; nothing was deleted." >&2
        return
    fi
    oldest_kept=proman-$(moment_before "$days").sqlite
    good=0
    for one in $(backups); do
        if [ $good -lt 3 ]; then
            ! is_good "$one" || good=$((good + 1))
        elif is_older "$one" "$oldest_kept" && ! is_protected "$one"; then
            rm -f "$(manifest_of "$one")" "$one"
        fi
    done
}

[ -z "$days" ] || prune
echo "$directory/$name"
