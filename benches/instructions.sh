#!/usr/bin/env bash
# How many instructions an event costs, counted by valgrind: the same on a busy machine. Compares with the counts last recorded
# in benches/instructions.txt; with --record the new ones take their place. It prints, and never fails on a count.
# usage: benches/instructions.sh [--record] [case ...]       RSTASH=target/release/rstash
#
# A case is a config. It is run with few events and with many; the difference is that of events alone, without start and end.
set -euo pipefail
cd "$(dirname "$0")/.."
rstash=$(realpath "${RSTASH:-target/release/rstash}")
generate="awk -f $PWD/benches/compare/generate.awk"
recorded=$PWD/benches/instructions.txt
few=2000 many=6000
record=
if [ "${1:-}" = --record ]; then record=yes; shift; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# count DATA EVENTS CONFIG: instructions of one run.
count() {
    head -n "$2" "$work/$1" >"$work/in"
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$rstash" --log.level error -w 1 -e "$3" <"$work/in" 2>&1 >/dev/null |
        awk '/Collected/ { print $NF }'
}

# try NAME DATA CONFIG
try() {
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $1 "* ]] || return 0
    [ -f "$work/$2" ] || $generate -v kind="$2" -v n=$many >"$work/$2"
    local a b old
    a=$(count "$2" $few "$3")
    b=$(count "$2" $many "$3")
    new=$(((b - a) / (many - few)))
    echo "$1 $new" >>"$work/new"
    old=$(awk -v name="$1" '$1 == name { print $2 }' "$recorded" 2>/dev/null || true)
    awk -v name="$1" -v new=$new -v old="${old:-0}" 'BEGIN { printf "%-16s %8d %s\n", name, new, (old > 0 ? sprintf("was %d (%+.1f %%)", old, (new - old) * 100 / old) : "") }'
}

lines='input { stdin { } }' json='input { stdin { codec => json_lines } }' null='output { null { } }' written='output { stdout { codec => json_lines } }'
wanted=("$@")
: >"$work/new"
try event lines "$lines $null"
try lines_out lines "$lines output { stdout { codec => line { format => \"%{message}\" } } }"
try json_in json "$json $null"
try json_through json "$json $written"
try json_tweets tweets "$json $written"
try fields mixed "$json filter { mutate { copy => { \"[client][ip]\" => \"[source][address][text]\" } } } $null"
try sprintf mixed "$json filter { mutate { replace => { \"host\" => \"%{kind}-%{status}-%{[client][ip]}-%{+YYYY.MM.dd}\" } } } $null"
try conditions mixed "$json filter { if [kind] == \"none\" or [status] < 0 { drop { } } else if [level] =~ /^(FATAL|PANIC)\$/ { drop { } } else if \"x\" in [tags] or [client][ip] in [\"a\", \"b\", \"c\"] { drop { } } } $null"
try mutate mixed "$json filter { mutate { rename => { \"kind\" => \"sort\" } convert => { \"status\" => \"string\" } uppercase => [\"level\"] gsub => [\"message\", \"/\", \"_\"] add_field => { \"new\" => \"text\" } add_tag => [\"seen\"] } } $null"
try grok_apache apache "$lines filter { grok { match => { \"message\" => \"%{COMBINEDAPACHELOG}\" } } } $null"
try grok_no_match lines "$lines filter { grok { match => { \"message\" => [$(for k in $(seq 30); do printf '"^%%{TIMESTAMP_ISO8601:time} %%{WORD:level} \[%%{NOTSPACE:thread}\] %%{DATA:text} code%d=%%{INT:code}",' "$k"; done) \"never\"] } } } $null"
try date apache "$lines filter { dissect { mapping => { \"message\" => \"%{} [%{t}]%{}\" } } date { match => [\"t\", \"dd/MMM/yyyy:HH:mm:ss Z\"] } } $null"
try kv_csv firewall "$(sed '/^output/d' benches/compare/W6.logstash.conf) $null"
try dissect delimited "$(sed '/^output/d' benches/compare/W7.logstash.conf) $null"
try useragent json "$json filter { useragent { source => \"user_agent\" target => \"ua\" } } $null"
try ruby json "$(sed '/^output/d' benches/compare/W11.logstash.conf) $null"
try access_log apache "$(cat benches/compare/W4.logstash.conf)"
try syslog syslog "$(cat benches/compare/W5.logstash.conf)"
try large mixed "$($generate -v kind=script)"

if [ -n "$record" ]; then
    {
        echo "# Instructions an event costs, recorded by benches/instructions.sh --record ($(valgrind --version), $(rustc --version | cut -d' ' -f1,2), $(uname -m))"
        [ ! -f "$recorded" ] || awk 'NR == FNR { new[$1]; next } !/^#/ && !($1 in new)' "$work/new" "$recorded"
        cat "$work/new"
    } >"$work/all"
    mv "$work/all" "$recorded"
fi
