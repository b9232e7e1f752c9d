#!/usr/bin/env bash
# Resident memory over time: many events, a reader that is slower than the input, nothing to do; and the time to the first event.
# usage: benches/memory.sh [events] [plot.svg]       RSTASH=target/release/rstash SECONDS_HELD_BACK=30
# Prints a line and a small plot for each case; with a second argument the plots are drawn into that file too.
set -euo pipefail
events=${1:-10000000}
svg=$(realpath -m "${2:-/dev/null}")
cd "$(dirname "$0")/.."
rstash=$(realpath "${RSTASH:-target/release/rstash}")
held_back=${SECONDS_HELD_BACK:-30}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# sample NAME PID [SECONDS]: notes the resident memory every 0.1 s until the process ends or the time is over.
sample() {
    local end=$((SECONDS + ${3:-86400})) begun=${EPOCHREALTIME/[.,]/} kb
    while [ "$SECONDS" -lt "$end" ] && kb=$(awk '/^VmRSS/ {print $2}' "/proc/$2/status" 2>/dev/null) && [ -n "$kb" ]; do
        echo "$(((${EPOCHREALTIME/[.,]/} - begun) / 1000)) $kb"
        sleep 0.1
    done > "$1.samples"
}

# plot NAME: the most, and what the second half has more than the first; then 60 columns of bars.
plot() {
    awk -v name="$1" '
        {t[NR] = $1 / 1000; m[NR] = $2 / 1024; if (m[NR] > most) most = m[NR]}
        END {
            if (!NR) {print name ": ended before it could be looked at"; exit}
            for (i = 1; i <= NR; i++) if (t[i] < t[NR] * .1) continue; else if (i <= NR / 2) {if (m[i] > first) first = m[i]} else if (m[i] > second) second = m[i]
            printf "%-34s %6.1f s   most %6.1f MB   first half %6.1f MB, second half %6.1f MB\n    ", name, t[NR], most, first, second
            split("▁ ▂ ▃ ▄ ▅ ▆ ▇ █", bar, " ")
            columns = NR < 60 ? NR : 60
            for (c = 1; c <= columns; c++) printf "%s", bar[int(m[int((c - .5) * NR / columns) + 1] / most * 7.999) + 1]
            print ""
        }' "$1.samples"
}

# Lines of JSON, about 340 bytes each, without end.
lines() {
    awk 'BEGIN { srand(7); for (i = 0; i < 100000; i++) printf "{\"id\":%d,\"level\":\"%s\",\"service\":\"checkout\",\"message\":\"order %d accepted after %d ms, customer %d\",\"duration\":%.3f,\"host\":{\"name\":\"web-%d\",\"ip\":\"10.0.%d.%d\"},\"tags\":[\"shop\",\"eu\"],\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36\",\"path\":\"/api/v1/orders/%d\"}\n",
        i, (i % 7 ? "INFO" : "WARN"), i, rand()*100, rand()*10000, rand()*10, i % 9, i % 250, i % 199, i }' > lines.json
}
endlessly() { while cat lines.json; do :; done 2>/dev/null; }

# A reader that takes 64 kB and rests.
slowly() { while [ "$(head -c 65536 | wc -c)" -gt 0 ]; do sleep 0.05; done; }

echo "# $(uname -srm), $(nproc) cores, $events events"
"$rstash" -e "input { generator { count => $events } } output { null { } }" 2>/dev/null & pid=$!
sample generator $pid; wait $pid; plot generator

lines
mkfifo in out
endlessly | head -n "$events" > in &
"$rstash" -e 'input { stdin { codec => json_lines } } output { null { } }' < in 2>/dev/null & pid=$!
sample "stdin json to null" $pid; wait $pid; plot "stdin json to null"

endlessly > in & feeder=$!
slowly < out & reader=$!
"$rstash" -e 'input { stdin { codec => json_lines } } output { stdout { codec => json_lines } }' < in > out 2>/dev/null & pid=$!
sample "stdin json to a slow reader" $pid "$held_back"
kill "$feeder" "$pid"; wait "$pid" "$reader" "$feeder" 2>/dev/null || true
plot "stdin json to a slow reader"

"$rstash" -e 'input { heartbeat { interval => 3600 } } output { null { } }' 2>/dev/null & pid=$!
sample idle $pid 5; kill $pid; wait $pid || true; plot idle

for _ in 1 2 3 4 5 6 7 8 9 10 11; do
    begun=${EPOCHREALTIME/[.,]/}
    "$rstash" -e 'input { generator { count => 1 } } output { stdout { codec => line } }' 2>/dev/null | { read -r _; echo $((${EPOCHREALTIME/[.,]/} - begun)); cat > /dev/null; }
done | sort -n | awk '{t[NR] = $1} END {printf "start to first event               median %.1f ms (%.1f-%.1f)\n", t[6] / 1000, t[1] / 1000, t[11] / 1000}'

[ "$svg" = /dev/null ] && exit
for name in generator "stdin json to null" "stdin json to a slow reader" idle; do sed "s/^/$name\t/" "$name.samples"; done | awk -F'[\t ]' '
    {name = $1; for (i = 2; i < NF - 1; i++) name = name " " $i
     if (!(name in n)) order[++cases] = name
     k = ++n[name]; t[name, k] = $(NF - 1); m[name, k] = $NF / 1024; if (m[name, k] > most) most = m[name, k]}
    END {
        most = int(most / 10 + 1) * 10
        printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", cases * 110 + 20
        for (c = 1; c <= cases; c++) {
            name = order[c]; top = (c - 1) * 110 + 30; last = t[name, n[name]]
            printf "<text x=\"50\" y=\"%d\">%s, %.0f s</text><text x=\"5\" y=\"%d\">%d MB</text><text x=\"30\" y=\"%d\">0</text>", top - 8, name, last / 1000, top + 8, most, top + 75
            printf "<polyline fill=\"none\" stroke=\"#999\" points=\"48,%d 48,%d 710,%d\"/><polyline fill=\"none\" stroke=\"#06c\" points=\"", top, top + 75, top + 75
            for (k = 1; k <= n[name]; k++) printf "%.1f,%.1f ", 48 + 660 * t[name, k] / (last ? last : 1), top + 75 - 75 * m[name, k] / most
            print "\"/>"
        }
        print "</svg>"
    }' > "$svg"
