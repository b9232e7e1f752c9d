#!/usr/bin/env bash
# How exactly the grok filter keeps its time limit: patterns that explode, each on texts on which it does, as a table of Markdown.
# usage: benches/timeouts.sh
#   RSTASH=target/release/rstash EVENTS=10 LIMITS="100 500 2000" (milliseconds)
#
# An event's time is that of a run with all events less that of a run with none, by their number.
set -euo pipefail
cd "$(dirname "$0")/.."
rstash=${RSTASH:-target/release/rstash}
events=${EVENTS:-10}
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT

# Beyond what a search in linear time takes over: references back, look-around around repetitions, possessive groups.
patterns=('^(?<a>(x|x)+)\k<a>$' '^(?:(?=x)(x+)+)+$' '^(?:(?<!q)(?:x|xx)+)+$' '^((?>x|y)+)*\1$')

text() { awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "x"; print "y" }'; }

# spent PATTERN LIMIT EVENTS: milliseconds of a run; every event has to be tagged as one that took too long.
spent() {
    for ((i = 0; i < $3; i++)); do text 3000; done >"$run/in"
    local begun ended
    begun=$(date +%s%N)
    "$rstash" -w 1 --log.level fatal -e "input { stdin { } } filter { grok { match => { message => '$1' } timeout_millis => $2 } }
        output { stdout { codec => line { format => '%{[tags][0]}' } } }" <"$run/in" >"$run/out"
    ended=$(date +%s%N)
    [ "$(grep -c '^_groktimeout$' "$run/out" || true)" -eq "$3" ] || echo "not every event ran out of time: $1" >&2
    echo $(((ended - begun) / 1000000))
}

echo '| pattern | limit, ms | an event, ms | over |'
echo '|---|---|---|---|'
for pattern in "${patterns[@]}"; do
    for limit in ${LIMITS:-100 500 2000}; do
        none=$(spent "$pattern" "$limit" 0)
        all=$(spent "$pattern" "$limit" "$events")
        pattern="${pattern//|/\\|}" awk -v limit="$limit" -v each="$(((all - none) / events))" \
            'BEGIN { printf "| `%s` | %d | %d | %.1f %% |\n", ENVIRON["pattern"], limit, each, (each / limit - 1) * 100 }'
    done
done
