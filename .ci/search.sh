#!/usr/bin/env bash
# A real single-node OpenSearch (from Maven Central's jars) for the tests of the elasticsearch and opensearch outputs.
#
#   search.sh up                     fetch the jars, start with an empty index folder; waits until it serves
#   search.sh stop | kill | start    stop (SIGTERM), kill (SIGKILL) or start the node again with its data: an outage
#   search.sh down                   stop the node and forget its data; the jars stay
#   search.sh jars                   fetch the jars and do nothing else
#   search.sh env                    print what the integration tests read, for `eval "$(.ci/search.sh env)"`
#
# Needs JDK 11+ (java), mvn and curl. Settings, from the environment:
#   SEARCH_HOST (127.0.0.1)  address of both ports       SEARCH_PORT (19200)  HTTP; the transport is one above it
#   SEARCH_DIR (/tmp/search-ci)  everything is in here    SEARCH_LIBS ($SEARCH_DIR/libs)  the jars, to share between nodes
#   SEARCH_QUEUE (unset)     length of the queue of writes: a small one makes the node answer 429
set -euo pipefail

host=${SEARCH_HOST:-127.0.0.1}
port=${SEARCH_PORT:-19200}
dir=${SEARCH_DIR:-/tmp/search-ci}
libs=${SEARCH_LIBS:-$dir/libs}
main=$(cd "$(dirname "$0")" && pwd)/SearchNode.java
version=2.19.1
java=(java "-Xmx${SEARCH_HEAP:-512m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$dir/log4j2.properties")

fetch_jars() {
  [ -e "$libs/opensearch-$version.jar" ] && return
  mkdir -p "$dir/maven"
  {
    cat <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>ci</groupId><artifactId>search</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.opensearch</groupId><artifactId>opensearch</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.21.0</version></dependency>
POM
    # HTTP, scripts, the join field, pipelines' processors.
    for module in transport-netty4-client lang-painless parent-join-client ingest-common; do
      echo "    <dependency><groupId>org.opensearch.plugin</groupId><artifactId>$module</artifactId><version>$version</version></dependency>"
    done
    echo '  </dependencies></project>'
  } > "$dir/maven/pom.xml"
  mvn -q -B -f "$dir/maven/pom.xml" ${M2:+-Dmaven.repo.local="$M2"} \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs"
}

write_config() {
  mkdir -p "$dir/home/config" "$dir/home/modules" "$dir/home/plugins"
  cat > "$dir/home/config/opensearch.yml" <<CONFIG
cluster.name: search-ci
node.name: search-ci
path.home: $dir/home
path.data: $dir/data
path.logs: $dir/home/logs
network.host: $host
http.port: $port
transport.port: $((port + 1))
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
node.max_local_storage_nodes: 1
bootstrap.memory_lock: false
CONFIG
  if [ -n "${SEARCH_QUEUE:-}" ]; then echo "thread_pool.write.queue_size: $SEARCH_QUEUE" >> "$dir/home/config/opensearch.yml"; fi
  cat > "$dir/log4j2.properties" <<'CONFIG'
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1.} %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
CONFIG
}

start() {
  nohup "${java[@]}" -cp "$libs/*" "$main" "$dir/home" > "$dir/log" 2>&1 < /dev/null &
  echo $! > "$dir/pid"
  for _ in $(seq 600); do
    curl -sf "http://$host:$port/_cluster/health?wait_for_status=yellow&timeout=5s" > "$dir/health" 2> /dev/null && return
    kill -0 "$(cat "$dir/pid")" 2> /dev/null || break
    sleep 0.2
  done
  tail -40 "$dir/log"
  exit 1
}

stop() {
  [ -e "$dir/pid" ] || return 0
  local pid
  pid=$(cat "$dir/pid")
  kill "-$1" "$pid" 2> /dev/null || true
  for _ in $(seq 300); do
    kill -0 "$pid" 2> /dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2> /dev/null || true
  rm -f "$dir/pid"
}

mkdir -p "$dir"
case "${1:-}" in
  up)
    stop TERM
    fetch_jars
    rm -rf "$dir/data" "$dir/home"
    write_config
    start
    ;;
  jars) fetch_jars ;;
  start) start ;;
  stop) stop TERM ;;
  kill) stop KILL ;;
  down) stop TERM; rm -rf "$dir/data" "$dir/home" ;;
  env) printf 'export RSTASH_ELASTICSEARCH=%s RSTASH_ELASTICSEARCH_DIR=%s\n' "$host:$port" "$dir" ;;
  *) sed -n '2,9p' "$0"; exit 2 ;;
esac
