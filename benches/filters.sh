#!/usr/bin/env bash
# What an event costs in each of ten filters, alone, with one worker, from stdin to null; a table of Markdown.
# usage: benches/filters.sh [grok date ...]
#   EVENTS=200000 RUNS=5 RSTASH=target/release/rstash
#   BASE (another build of rstash), LOGSTASH, FERRO_STASH: programs that do the same in turn, run by run.
#
# "lines" reads the lines and does nothing with them: what the others cost above it is the filter's. A program is measured
# only where the event of a first run shows that it does the work.
set -uo pipefail
cd "$(dirname "$0")/.."
all=${EVENTS:-200000} runs=${RUNS:-5} workers=1
source benches/compare/programs.sh

# One filter each: the kind of its lines, what its first event has to show, and its config.
declare -A data shows filter
order=()
try() { order+=("$1"); data[$1]=$2 shows[$1]=$3 filter[$1]=$4; }
json='json { source => "message" remove_field => ["message"] }'
try lines lines '2024-05-06' ''
try grok apache '"response":\|"status_code":' 'grok { match => { "message" => "%{COMBINEDAPACHELOG}" } }'
try grok-no-match lines '_grokparsefailure' "grok { match => { \"message\" => [$(for k in $(seq 30); do printf '"^%%{TIMESTAMP_ISO8601:time} %%{WORD:level} \[%%{NOTSPACE:thread}\] %%{DATA:text} code%d=%%{INT:code}",' "$k"; done) \"never\"] } }"
try dissect delimited '"took":' "$(sed -n '/dissect/p' benches/compare/W7.logstash.conf)"
try json json '"level":' "$json"
try kv firewall '"devname":\|"srcip":\|"_kv_filter_error"\|TRAFFIC' 'kv { }'
try csv firewall '"domain":' "$(sed -n 's/.*\(csv { columns.*\)/\1/p' benches/compare/W6.logstash.conf)"
try date apache '2024-05-' 'dissect { mapping => { "message" => "%{} [%{t}]%{}" } } date { match => ["t", "dd/MMM/yyyy:HH:mm:ss Z"] }'
try mutate mixed '"sort":' "$json
    mutate { rename => { \"kind\" => \"sort\" } convert => { \"status\" => \"string\" } uppercase => [\"level\"] gsub => [\"level\", \"O\", \"_\"] add_field => { \"new\" => \"%{host}\" } add_tag => [\"seen\"] }
    mutate { split => { \"host\" => \"-\" } strip => [\"level\"] copy => { \"level\" => \"severity\" } }
    mutate { join => { \"host\" => \"/\" } remove_field => [\"[client][ip]\"] }"
try ruby json '"shard":' "$json $(sed '1,/^filter/d; /^}/,$d' benches/compare/W11.logstash.conf)"
try useragent json '"ua":' "$json"' useragent { source => "user_agent" target => "ua" }'

# config NAME OUTPUT
config() { printf 'input { stdin { } }\nfilter {\n  %s\n}\noutput { %s }\n' "${filter[$1]}" "$2" >"$work/config"; }

# run PEER LINES: one run over the first lines.
run() {
    local words
    rm -rf "$work/state"; mkdir -p "$work/state"
    mapfile -t words < <(start_of "$1" "$work/config")
    began
    cat "$work/$2" | (timed "${words[@]}") >"$work/out"
    local status=${PIPESTATUS[1]}
    ended
    return "$status"
}

wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=("${order[@]}")
for name in "${wanted[@]}"; do
    [ -n "${data[$name]:-}" ] || { echo "$name: there is no such filter here; there are ${order[*]}" >&2; exit 2; }
    awk -v kind="${data[$name]}" -v n="$all" -f benches/compare/generate.awk >"$work/all.txt"
    head -n 1 "$work/all.txt" >"$work/one.txt"
    peers=()
    config "$name" 'stdout { codec => json_lines }'
    for peer in ${PEERS:-rstash base logstash ferro-stash}; do
        found "$peer" || continue
        if run "$peer" one.txt && grep -q -e "${shows[$name]}" "$work/out"; then
            started "$peer"
            peers+=("$peer")
        else
            echo "$name: $peer does not do it: $(tail -n 1 "$work/err.txt") $(head -c 300 "$work/out")" >&2
        fi
    done
    config "$name" 'null { }'
    for _ in $(seq "$runs"); do
        for peer in "${peers[@]}"; do
            if run "$peer" all.txt; then record "$name" "$peer" "$all" -; else echo "$name: $peer failed: $(tail -n 1 "$work/err.txt")" >&2; fi
        done
    done
done
for name in "${wanted[@]}"; do echo "$name ${data[$name]}"; done | table
