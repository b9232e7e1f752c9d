#!/usr/bin/env bash
# What an event costs as configs, events and messages grow: CPU microseconds per event, and whether they grow faster than what grows.
# usage: benches/growth.sh [filters branches fields pipelines patterns bytes]       RSTASH=target/release/rstash RUNS=3 SVG=docs/growth.svg
set -euo pipefail
cd "$(dirname "$0")/.."
rstash=$(realpath "${RSTASH:-target/release/rstash}")
generate="awk -f $PWD/benches/compare/generate.awk"
draw=$PWD/benches/compare/growth.awk
svg=${SVG:+$(realpath -m "$SVG")}
runs=${RUNS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# cpu COMMAND...: user and system seconds of the cheapest of the runs.
cpu() {
    for _ in $(seq "$runs"); do
        command time -q -o time.txt -f '%U %S' "$@" <data >/dev/null 2>err.txt || { tail -n 3 err.txt >&2; return 1; }
        tail -n 1 time.txt
    done | awk '{ s = $1 + $2; if (NR == 1 || s < least) least = s } END { print least }'
}

# point WHAT SIZE EVENTS: a line of results for the config and data at hand. What a run without events takes does not count.
point() {
    local all none
    all=$(cpu "$rstash" -w 1 --path.settings "$work/settings")
    if [ "$1" = pipelines ]; then sed -i 's/count => [0-9]*/count => 1/' settings/pipelines.yml; else mv data all; head -n 1 all >data; fi
    none=$(cpu "$rstash" -w 1 --path.settings "$work/settings")
    awk -v what="$1" -v size="$2" -v n="$3" -v a="$all" -v z="$none" 'BEGIN { printf "%s %d %.3f\n", what, size, (a - z) * 1e6 / n }' | tee -a results
}

settings() { rm -rf settings; mkdir settings; cat >config; printf -- '- pipeline.id: main\n  pipeline.workers: 1\n  path.config: %s/config\n' "$work" >settings/pipelines.yml; }
numbers() { seq 1 "$1"; }

filters() {
    for size in 1 3 10 30 100 300; do
        { echo 'input { stdin { } } filter {'; for k in $(numbers $size); do echo "mutate { replace => { \"f\" => \"%{message} $k\" } }"; done; echo '} output { null { } }'; } | settings
        $generate -v kind=lines -v n=$((n = 2000000 / (size + 10))) >data
        point filters $size $n
    done
}
branches() {
    for size in 1 5 20 100 500; do
        { echo 'input { stdin { } } filter { if [message] == "0" { drop { } }'; for k in $(numbers $size); do echo "else if [message] =~ \"^$k\$\" or [@version] == \"x$k\" { drop { } }"; done; echo '} output { null { } }'; } | settings
        $generate -v kind=lines -v n=$((n = 4000000 / (size + 10))) >data
        point branches $size $n
    done
}
fields() {
    for size in 5 20 100 300 1000; do
        settings <<<'input { stdin { codec => json_lines } } output { stdout { codec => json_lines } }'
        $generate -v kind=wide:$size -v n=$((n = 1000000 / (size + 5))) >data
        point fields $size $n
    done
}
pipelines() {
    : >data
    for size in 1 5 20 50; do
        rm -rf settings; mkdir settings
        for k in $(numbers $size); do printf -- "- pipeline.id: p%d\n  pipeline.workers: 1\n  config.string: 'input { generator { count => %d } } filter { mutate { add_tag => [\"x\"] } } output { null { } }'\n" "$k" $((500000 / size)); done >settings/pipelines.yml
        point pipelines $size 500000
    done
}
patterns() {
    for size in 1 3 10 30 100 200; do
        { echo 'input { stdin { } } filter { grok { match => { "message" => ['; for k in $(seq 2 "$size"); do echo "\"^%{TIMESTAMP_ISO8601:time} %{WORD:level} \[%{NOTSPACE:thread}\] %{GREEDYDATA:text} code$k=%{INT:code}\","; done; echo '"^%{TIMESTAMP_ISO8601:time} %{WORD:level} \[%{NOTSPACE:thread}\] %{GREEDYDATA:text} id=%{INT:id}"] } } } output { null { } }'; } | settings
        $generate -v kind=lines -v n=$((n = 1000000 / (size + 5))) >data
        point patterns $size $n
    done
}
bytes() {
    for size in 100 1000 10000 100000 1000000 10000000; do
        settings <<<'input { stdin { } } output { stdout { codec => json_lines } }'
        n=$((size < 10000000 ? 100000000 / (size + 300) : 8))
        $generate -v kind=long:$size -v n=1 >one
        for _ in $(seq 1 $n); do echo one; done | xargs cat >data
        point bytes $size $n
    done
}

: >results
wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=(filters branches fields pipelines patterns bytes)
for what in "${wanted[@]}"; do $what; done
awk -v svg="$svg" -f "$draw" results
