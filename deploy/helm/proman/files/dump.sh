#!/bin/sh
# Dump of ProMan's database by the server's own client: the CronJob's words on a server.
#
#   dump.sh postgresql|mariadb|mysql DIRECTORY RETENTION_DAYS [OPTION…]
#
# DATABASE_URL says where; its password reaches the client by the environment, so that no list of
# processes shows it. OPTIONs go to pg_dump, mariadb-dump or mysqldump. A dump gets its name when it
# is whole and was read back, and prints it; on failure one line on standard error tells why, exit
# code 1, and nothing is left behind or deleted. What is older than RETENTION_DAYS goes then, but never one
# of the last three good ones.
set -eu
umask 077
LC_ALL=C
export LC_ALL

fail() {
  echo "dump.sh: $*" >&2
  exit 1
}

[ $# -ge 3 ] || { echo "usage: dump.sh ENGINE DIRECTORY RETENTION_DAYS [OPTION...]" >&2; exit 2; }
engine=$1 directory=$2 days=$3
shift 3
# A Secret that was made of a file ends in a new line.
url=$(printf %s "${DATABASE_URL:-}")
[ -n "$url" ] || fail "DATABASE_URL is not set."

# %40 and its kind, as octal escapes that every printf knows.
decoded() {
  # shellcheck disable=SC2059  # the escapes are made here
  printf "$(printf '%s' "$1" | awk '
    function digit(c) { return index("0123456789abcdef", tolower(c)) - 1 }
    { if (NR > 1) out = out "\\012"
      for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (c == "%" && substr($0, i + 1, 2) ~ /^[0-9A-Fa-f][0-9A-Fa-f]$/) {
          out = out sprintf("\\%03o", digit(substr($0, i + 1, 1)) * 16 + digit(substr($0, i + 2, 1)))
          i += 2
        } else if (c == "%") out = out "%%"
        else if (c == "\\") out = out "\\\\"
        else out = out c
      } }
    END { print out }')"
}

# scheme://user:password@place/name?options
rest=${url#*://}
case $rest in
  *@*) login=${rest%%@*} place=${rest#*@} ;;
  *) login='' place=$rest ;;
esac
user=${login%%:*}
case $login in *:*) password=$(decoded "${login#*:}") ;; *) password='' ;; esac
case $place in *\?*) options=${place#*\?} ;; *) options='' ;; esac
case "&$options" in *"&password="* | *"&sslpassword="* | *"&passwd="*)
  fail "DATABASE_URL has a password among its options: write it before the @." ;;
esac

postgresql_dump() {
  # libpq reads the rest of the address itself: several hosts, certificates, timeouts.
  [ -z "$password" ] || export PGPASSWORD="$password"
  export PGTARGETSESSIONATTRS="${PGTARGETSESSIONATTRS:-read-write}"
  export PGCONNECT_TIMEOUT="${PGCONNECT_TIMEOUT:-30}"
  pg_dump --format=custom --no-password --file="$partial" \
    --dbname="postgresql://${user:+$user@}$place" "$@"
}
postgresql_is_good() { pg_restore --file=/dev/null "$1" 2>/dev/null; }

# mysqldump of MySQL knows the same words.
mariadb_dump() {
  place=${place%%\?*}
  host=${place%%/*} database=$(decoded "${place#*/}")
  case $host in
    \[*\]:*) port=${host##*:} host=${host%:*} ;;
    \[*\]) port=3306 ;;
    *:*) port=${host##*:} host=${host%:*} ;;
    *) port=3306 ;;
  esac
  host=${host#\[} host=${host%\]}
  [ -z "$password" ] || export MYSQL_PWD="$password"
  set -- --host="$host" --port="$port" --user="$(decoded "$user")" --single-transaction --quick \
    --hex-blob --no-tablespaces --default-character-set=utf8mb4 "$@"
  while [ -n "$options" ]; do
    one=${options%%&*}
    case $options in *\&*) options=${options#*&} ;; *) options='' ;; esac
    case $one in
      ssl_ca=* | ssl_capath=* | ssl_cert=* | ssl_key=*)
        set -- "$@" "--ssl-${one#ssl_}"
        ;;
    esac
  done
  program=mariadb-dump
  command -v $program >/dev/null 2>&1 || program=mysqldump
  # The state of a pipe is that of its last program; the first one's is kept in a file.
  { $program "$@" "$database" || : >"$notes/failed"; } | gzip >"$partial" || return 1
  [ ! -e "$notes/failed" ]
}
mariadb_is_good() {
  gzip -t "$1" 2>/dev/null && gzip -dc "$1" | tail -n 1 | grep -q '^-- Dump completed'
}

case $engine in
  postgresql) kind=postgresql suffix=dump ;;
  mariadb | mysql) kind=mariadb suffix=sql.gz ;;
  *) fail "$engine is not postgresql, mariadb or mysql." ;;
esac
is_good() { "${kind}_is_good" "$1"; }

mkdir -p "$directory" 2>/dev/null || fail "the directory $directory cannot be made."
cd "$directory" 2>/dev/null || fail "the directory $directory cannot be entered."
# In /tmp, because that disk may be full.
notes=$(mktemp -d 2>/dev/null) || fail "no temporary file can be made."
partial=.dump-$$-$(date -u +%s).part
# Single quotes on purpose: the names are looked up when the trap runs.
trap 'rm -rf "$partial" "$notes"' EXIT
trap 'exit 1' HUP INT TERM
(: >"$partial") 2>/dev/null || fail "the directory $directory cannot be written."
# What a killed run left, a day later.
find . -maxdepth 1 -name '.dump-*.part*' -mmin +1440 -exec rm -f {} + 2>/dev/null || :

"${kind}_dump" "$@" 2>"$notes/said" ||
  fail "the dump failed; older ones were kept: $(grep -m 1 . "$notes/said")"
is_good "$partial" || fail "the dump cannot be read back; older ones were kept."
sync "$partial" 2>/dev/null || sync

# A link never overwrites; not every volume has them.
tries=0
while :; do
  name=proman-$(date -u +%Y%m%d-%H%M%S).$suffix
  if [ ! -e "$name" ] && { ln "$partial" "$name" 2>/dev/null || mv "$partial" "$name"; }; then break; fi
  tries=$((tries + 1))
  [ $tries -lt 60 ] || fail "no free name was found in $directory."
  sleep 1
done
sync . 2>/dev/null || sync

dumps() {
  digits='[0-9][0-9][0-9][0-9][0-9][0-9]'
  # shellcheck disable=SC2012,SC2086  # the pattern lets only digits through
  ls -1 proman-[0-9][0-9]$digits-$digits.$suffix 2>/dev/null | sort -r
}

is_older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort | head -n 1)" = "$1" ]; }

prune() {
  if [ "$(dumps | head -n 1)" != "$name" ]; then
    echo "dump.sh: the clock is behind the newest dump; nothing was deleted." >&2
    return
  fi
  oldest_kept=proman-$(date -u -d "@$(($(date -u +%s) - days * 86400))" +%Y%m%d-%H%M%S).$suffix
  good=0
  for one in $(dumps); do
    if [ $good -lt 3 ]; then
      ! is_good "$one" || good=$((good + 1))
    elif is_older "$one" "$oldest_kept"; then
      rm -f "$one"
    fi
  done
}
prune
echo "$directory/$name"
