#!/usr/bin/env bash
# A PostgreSQL server of its own for tests: on loopback, on a free port, in a new temporary directory. It prints the URL of an
# empty database, then "ready", and obeys commands on its standard input: "kill" (SIGKILL, as when power goes), "start",
# "restart" (in good order). Each is answered by "ok" or "failed". When its input ends, the server and its directory go.
#
# POSTGRES_TLS names a directory with server.crt and server.key for a server that offers TLS.
#
# Needs PostgreSQL's binaries (Debian: postgresql); installs nothing. Run as root, the server runs as the user postgres.
set -uo pipefail

bin=${POSTGRES_BIN:-}
if [ -z "$bin" ]; then
  bin=$(dirname "$(command -v pg_ctl || ls -d /usr/lib/postgresql/*/bin/pg_ctl 2>/dev/null | sort -V | tail -n 1)" 2>/dev/null)
fi
if [ ! -x "$bin/initdb" ]; then
  echo "PostgreSQL's server is not installed (Debian: apt-get install postgresql), or set POSTGRES_BIN" >&2
  exit 2
fi
root=$(mktemp -d "${TMPDIR:-/tmp}/sealyard-postgres.XXXXXX") || exit 2
data=$root/data
log=$root/log
as() { "$@"; }
postgres=
if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || { echo "there is no user postgres to run the server as" >&2; exit 2; }
  postgres=postgres
  chown postgres "$root"
  as() { (cd "$root" && exec setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups -- env HOME="$root" "$@"); }
fi

start() { as "$bin/pg_ctl" -s -w -t 60 -D "$data" -l "$log" start >/dev/null 2>&1; }
stop() { as "$bin/pg_ctl" -s -w -t 30 -m "$1" -D "$data" stop >/dev/null 2>&1; }
finish() {
  stop immediate
  rm -rf "$root"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# A password is asked for, so that the ways it comes and goes are tested too.
password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$password" >"$root/password"
[ -z "$postgres" ] || chown postgres "$root/password"
as "$bin/initdb" -D "$data" -U sealyard --pwfile="$root/password" -A scram-sha-256 -E UTF8 --locale=C.UTF-8 >"$root/initdb.log" 2>&1 || {
  cat "$root/initdb.log" >&2
  exit 2
}

tls=
if [ -n "${POSTGRES_TLS:-}" ]; then
  for file in server.crt server.key; do
    install -m 600 ${postgres:+-o "$postgres"} "$POSTGRES_TLS/$file" "$data/$file" || exit 2
  done
  tls="ssl = on"
fi

for _ in 1 2 3 4 5 6 7 8; do
  port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
  cat >"$data/postgresql.auto.conf" <<END
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 100
shared_buffers = 64MB
$tls
END
  start && break
  port=
done
[ -n "$port" ] || { cat "$log" >&2; exit 2; }

url=postgresql://sealyard:$password@127.0.0.1:$port/postgres
echo "$url"
echo ready

while read -r command; do
  case $command in
    kill)
      # The children notice within a moment that their parent is gone, and end too.
      kill -9 "$(head -n 1 "$data/postmaster.pid")" && echo ok || echo failed
      ;;
    start)
      done=failed
      for _ in $(seq 50); do
        start && done=ok && break
        sleep 0.2
      done
      echo $done
      ;;
    restart) if stop fast && start; then echo ok; else echo failed; fi ;;
    *) echo failed ;;
  esac
done
