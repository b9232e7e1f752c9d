#!/usr/bin/env bash
# A PostgreSQL and a MariaDB server from Debian's packages, on the loopback interface, for the tests of the jdbc plugins.
#
#   sql.sh up     make new data directories and start both; waits until they serve
#   sql.sh down   stop both and forget their data
#   sql.sh env    print what the integration tests read, for `eval "$(.ci/sql.sh env)"`
#
# Needs the packages postgresql and mariadb-server. Settings, from the environment:
#   SQL_DIR (/tmp/sql-ci)  everything is in here     SQL_PORT (19432)  PostgreSQL's port; MariaDB has the next one
# Both have a database rstash and a user rstash with the password rstash-secret.
set -euo pipefail

dir=${SQL_DIR:-/tmp/sql-ci}
port=${SQL_PORT:-19432}
postgres=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -1)

# PostgreSQL refuses to run as root.
as() {
  local user=$1
  shift
  if [ "$(id -u)" = 0 ]; then runuser -u "$user" -- "$@"; else "$@"; fi
}

own() {
  mkdir -p "$2"
  if [ "$(id -u)" = 0 ]; then chown "$1" "$2"; fi
}

wait_for() {
  for _ in $(seq 300); do
    "${@:2}" > /dev/null 2>&1 && return
    sleep 0.2
  done
  tail -40 "$1"
  exit 1
}

up_postgres() {
  own postgres "$dir/postgres"
  echo rstash-secret > "$dir/postgres/password"
  as postgres "$postgres/initdb" -D "$dir/postgres/data" -U rstash --pwfile="$dir/postgres/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 > "$dir/postgres/log" 2>&1
  as postgres "$postgres/postgres" -D "$dir/postgres/data" -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off >> "$dir/postgres/log" 2>&1 < /dev/null &
  wait_for "$dir/postgres/log" env PGPASSWORD=rstash-secret psql -h 127.0.0.1 -p "$port" -U rstash -d postgres -c 'CREATE DATABASE rstash'
}

up_mariadb() {
  own mysql "$dir/mariadb"
  as mysql mariadb-install-db --no-defaults --datadir="$dir/mariadb/data" --auth-root-authentication-method=normal \
    --skip-test-db > "$dir/mariadb/log" 2>&1
  as mysql mariadbd --no-defaults --datadir="$dir/mariadb/data" --bind-address=127.0.0.1 --skip-name-resolve --port=$((port + 1)) \
    --socket="$dir/mariadb/socket" --pid-file="$dir/mariadb/pid" >> "$dir/mariadb/log" 2>&1 < /dev/null &
  wait_for "$dir/mariadb/log" mariadb --no-defaults -u root -S "$dir/mariadb/socket" -e \
    "CREATE DATABASE rstash CHARACTER SET utf8mb4; CREATE USER rstash@'%' IDENTIFIED BY 'rstash-secret'; GRANT ALL ON rstash.* TO rstash@'%'"
}

down() {
  local file pid
  for file in "$dir/postgres/data/postmaster.pid" "$dir/mariadb/pid"; do
    [ -e "$file" ] || continue
    pid=$(head -1 "$file")
    kill -INT "$pid" 2> /dev/null || true
    # MariaDB ends with SIGTERM, PostgreSQL at once with SIGINT.
    kill -TERM "$pid" 2> /dev/null || true
    for _ in $(seq 100); do
      kill -0 "$pid" 2> /dev/null || break
      sleep 0.1
    done
  done
  rm -rf "$dir"
}

case "${1:-}" in
  up) down; up_postgres; up_mariadb ;;
  down) down ;;
  env)
    printf 'export RSTASH_POSTGRES=postgresql://127.0.0.1:%s/rstash RSTASH_MYSQL=mysql://127.0.0.1:%s/rstash\n' "$port" $((port + 1))
    ;;
  *) sed -n '2,12p' "$0"; exit 2 ;;
esac
