#!/bin/bash
# First start: make the cluster, then the database with a server that listens on
# its socket only, as the real image does.
set -Eeuo pipefail
if [ "${1:-}" != postgres ]; then exec "$@"; fi
password=${POSTGRES_PASSWORD:-}
if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
	[ -z "$password" ] || { echo "both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set" >&2; exit 1; }
	password=$(< "$POSTGRES_PASSWORD_FILE")
fi
user=${POSTGRES_USER:-postgres}
db=${POSTGRES_DB:-$user}
mkdir -p "$PGDATA"
chmod 0700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	[ -n "$password" ] || { echo "POSTGRES_PASSWORD is not set" >&2; exit 1; }
	initdb -D "$PGDATA" --username="$user" --pwfile=<(printf '%s\n' "$password") --auth-local=trust --auth-host=scram-sha-256 > /dev/null
	printf '\nhost all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
	pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start > /dev/null
	[ "$db" = postgres ] || psql -v ON_ERROR_STOP=1 -U "$user" -d postgres --no-password -c "CREATE DATABASE \"$db\"" > /dev/null
	for f in /docker-entrypoint-initdb.d/*.sql; do [ -e "$f" ] && psql -v ON_ERROR_STOP=1 -U "$user" -d "$db" -f "$f"; done
	pg_ctl -D "$PGDATA" -m fast -w stop > /dev/null
fi
exec postgres -c listen_addresses='*' "${@:2}"
