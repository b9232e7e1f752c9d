#!/usr/bin/env bash
# A real RabbitMQ (Debian's rabbitmq-server) for the tests of the rabbitmq plugins.
#
#   rabbit.sh up                     start with no data; waits until it serves
#   rabbit.sh kill | start           kill (SIGKILL) the broker, or start it again with its data: an outage
#   rabbit.sh down                   stop the broker and forget its data
#   rabbit.sh env                    print what the integration tests read, for `eval "$(.ci/rabbit.sh env)"`
#
# Needs rabbitmq-server, openssl and curl. Settings, from the environment:
#   RABBIT_PORT (19672)  AMQP; one above it AMQP over TLS, then the HTTP API, Erlang's distribution and its name service
#   RABBIT_DIR (/tmp/rabbit-ci)  everything is in here
set -euo pipefail

port=${RABBIT_PORT:-19672}
dir=${RABBIT_DIR:-/tmp/rabbit-ci}
api=http://127.0.0.1:$((port + 2))/api

export RABBITMQ_NODENAME=rabbit-ci-$port@localhost RABBITMQ_CONFIG_FILE=$dir/rabbitmq
export RABBITMQ_MNESIA_BASE=$dir/data RABBITMQ_LOG_BASE=$dir/log RABBITMQ_ENABLED_PLUGINS_FILE=$dir/plugins
export RABBITMQ_DIST_PORT=$((port + 3)) ERL_EPMD_PORT=$((port + 4)) ERL_EPMD_ADDRESS=127.0.0.1
export HOME=$dir RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}'

write_config() {
  mkdir -p "$dir/data" "$dir/log"
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -keyout "$dir/key.pem" -out "$dir/cert.pem" 2> /dev/null
  echo '[rabbitmq_management].' > "$dir/plugins"
  cat > "$dir/rabbitmq.conf" <<CONFIG
listeners.tcp.1 = 127.0.0.1:$port
listeners.ssl.1 = 127.0.0.1:$((port + 1))
ssl_options.cacertfile = $dir/cert.pem
ssl_options.certfile = $dir/cert.pem
ssl_options.keyfile = $dir/key.pem
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
management.tcp.ip = 127.0.0.1
management.tcp.port = $((port + 2))
disk_free_limit.absolute = 1MB
CONFIG
}

start() {
  nohup /usr/lib/rabbitmq/bin/rabbitmq-server > "$dir/out" 2>&1 < /dev/null &
  echo $! > "$dir/pid"
  for _ in $(seq 900); do
    curl -sf -u guest:guest "$api/health/checks/port-listener/$port" > /dev/null 2>&1 && return
    kill -0 "$(cat "$dir/pid")" 2> /dev/null || break
    sleep 0.2
  done
  tail -40 "$dir/out" "$dir"/log/*.log
  exit 1
}

stop() {
  [ -e "$dir/pid" ] || return 0
  local broker
  # The script's Erlang is its child.
  for broker in $(pgrep -P "$(cat "$dir/pid")") $(cat "$dir/pid"); do
    kill "-$1" "$broker" 2> /dev/null || true
  done
  for _ in $(seq 300); do
    curl -s "$api" > /dev/null 2>&1 || break
    sleep 0.1
  done
  rm -f "$dir/pid"
}

mkdir -p "$dir"
case "${1:-}" in
  up)
    stop KILL
    rm -rf "$dir/data" "$dir/log"
    write_config
    start
    ;;
  start) start ;;
  kill) stop KILL ;;
  down)
    stop TERM
    # The name service ends when it knows no broker any more.
    for _ in $(seq 100); do
      { epmd -names || break; } > /dev/null 2>&1
      epmd -kill > /dev/null 2>&1 || true
      sleep 0.1
    done
    rm -rf "$dir/data" "$dir/log"
    ;;
  env) printf 'export RSTASH_RABBITMQ=%s RSTASH_RABBITMQ_DIR=%s\n' "$port" "$dir" ;;
  *) sed -n '2,8p' "$0"; exit 2 ;;
esac
