#!/usr/bin/env bash
# Whole-process benchmarks: start, idle memory, throughput, beside kcat where it is installed and a broker is named.
# usage: benches/whole.sh [events]       RSTASH=target/release/rstash RUNS=5 RSTASH_KAFKA=127.0.0.1:19092
set -euo pipefail
cd "$(dirname "$0")/.."
events=${1:-1000000}
runs=${RUNS:-5}
rstash=$(realpath "${RSTASH:-target/release/rstash}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# measure NAME COMMAND...: median wall seconds, CPU seconds and peak memory of RUNS runs.
measure() {
    local name=$1; shift
    for _ in $(seq "$runs"); do
        /usr/bin/time -o time.txt -f '%e %U %S %M' "$@" >/dev/null 2>err.txt || { echo "$name failed:"; tail -3 err.txt; return; }
        tail -n 1 time.txt
    done | sort -n | awk -v n="$name" '{w[NR]=$1; c[NR]=$2+$3; if ($4>m) m=$4}
        END {k=int((NR+1)/2); printf "%-34s %8.3f s (%.3f-%.3f)  cpu %7.2f s  peak %7.1f MB\n", n, w[k], w[1], w[NR], c[k], m/1024}'
}
rate() { awk -v n="$events" -v s="$1" 'BEGIN {printf "%.0f events/s\n", n/s}'; }

echo "# $(uname -srm), $(nproc) cores, $events events, $runs runs, median (min-max)"
measure "start to first event" "$rstash" -w 1 -e 'input { generator { count => 1 } } output { stdout { codec => line } }'
measure "generator -> null" "$rstash" -e "input { generator { count => $events } } output { null { } }"

# Lines of JSON, about 400 bytes each.
awk -v n="$events" 'BEGIN { srand(7); for (i = 0; i < n; i++) printf "{\"id\":%d,\"level\":\"%s\",\"service\":\"checkout\",\"message\":\"order %d accepted after %d ms, customer %d\",\"duration\":%.3f,\"host\":{\"name\":\"web-%d\",\"ip\":\"10.0.%d.%d\"},\"tags\":[\"shop\",\"eu\"],\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36\",\"path\":\"/api/v1/orders/%d\"}\n",
    i, (i % 7 ? "INFO" : "WARN"), i, rand()*100, rand()*10000, rand()*10, i % 9, i % 250, i % 199, i }' > lines.json
measure "stdin json -> null" bash -c "'$rstash' -e 'input { stdin { codec => json_lines } } output { null { } }' < lines.json"
measure "stdin json -> stdout json_lines" bash -c "'$rstash' -e 'input { stdin { codec => json_lines } } output { stdout { codec => json_lines } }' < lines.json"
measure "stdin lines -> stdout lines" bash -c "'$rstash' -e 'input { stdin { } } output { stdout { codec => line { format => \"%{message}\" } } }' < lines.json"

idle() {
    "$rstash" -e 'input { heartbeat { interval => 3600 } } output { null { } }' 2>/dev/null & local pid=$!
    sleep 2; awk '/VmRSS/ {printf "idle resident memory: %.1f MB\n", $2/1024}' "/proc/$pid/status"; kill "$pid"; wait "$pid" || true
}
idle

[ -n "${RSTASH_KAFKA:-}" ] || { echo "kafka: not measured (set RSTASH_KAFKA=host:port)"; exit 0; }
command -v kcat >/dev/null || { echo "kafka: not measured (kcat is not installed)"; exit 0; }
topic="bench-$$"
measure "kcat -P" kcat -P -b "$RSTASH_KAFKA" -t "$topic-kcat" -l lines.json
measure "stdin json -> kafka" bash -c "'$rstash' -e 'input { stdin { codec => json_lines } } output { kafka { bootstrap_servers => \"$RSTASH_KAFKA\" topic_id => \"$topic-rstash\" codec => json } }' < lines.json"
measure "kcat -C" kcat -C -e -q -b "$RSTASH_KAFKA" -t "$topic-kcat" -o beginning -c "$events"
# A consumer never ends by itself: it is stopped when the last event is out.
# Every run reads as a group of its own, from the beginning.
cat > consume.sh <<EOF
mkfifo events
"$rstash" -e "input { kafka { bootstrap_servers => '$RSTASH_KAFKA' topics => ['$topic-kcat'] group_id => 'bench-\$\$' auto_offset_reset => 'earliest' codec => json } } output { stdout { codec => json_lines } }" > events &
head -n $events events | tail -n 1
kill \$!
wait
rm events
EOF
measure "kafka -> stdout json_lines" bash consume.sh
