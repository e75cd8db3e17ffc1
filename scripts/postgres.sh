#!/usr/bin/env bash
# Runs a command with DATABASE_URL naming a PostgreSQL server of its own: new data folder, free port, loopback only.
# usage: scripts/postgres.sh COMMAND [ARGUMENT...]
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")
[ -x "$bin/initdb" ] || { echo "PostgreSQL is not installed (Debian: apt-get install postgresql)" >&2; exit 3; }
home=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
  chown postgres "$home"
  as=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
stop() { "${as[@]}" "$bin/pg_ctl" -D "$home/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$home"; }
trap stop EXIT
cd "$home"
"${as[@]}" "$bin/initdb" -D "$home/data" -U jiaoheng -A trust -E UTF8 --locale=C.UTF-8 >"$home/initdb.log" 2>&1 || { tail -n 5 "$home/initdb.log" >&2; exit 1; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# a test base may lose its last second; durability is tested elsewhere
"${as[@]}" "$bin/pg_ctl" -D "$home/data" -w -l "$home/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$home -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60" start >/dev/null || { tail -n 5 "$home/log" >&2; exit 1; }
cd "$OLDPWD"
export DATABASE_URL="postgres://jiaoheng@127.0.0.1:$port/postgres"
"$@"
