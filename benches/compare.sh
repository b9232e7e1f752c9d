#!/usr/bin/env bash
# The same work through rstash and through every peer at hand, run by run in turn, as a table of Markdown.
# usage: benches/compare.sh [W1 W4 ...]
#   EVENTS=200000 RUNS=5 WORKERS="1 2" RSTASH_KAFKA=127.0.0.1:9092 (W8, W9 and W10)
#   RSTASH, BASE (another build of rstash), LOGSTASH, FERRO_STASH, VECTOR, FLUENT_BIT, SYSLOG_NG, RSYSLOGD, KCAT: programs that
#   are not on the PATH, with arguments if need be; PEERS="rstash syslog-ng" leaves the others out.
#
# A program's time and CPU are those of a run with all events less those of one with a single event: starting does not count.
set -uo pipefail
cd "$(dirname "$0")/.."
here=$PWD/benches/compare
export EVENTS=${EVENTS:-200000}
runs=${RUNS:-5}
source benches/compare/programs.sh

declare -A name=(
    [W1]="generator -> null" [W2]="lines -> lines" [W3]="JSON -> JSON" [W4]="access log: grok, date -> JSON"
    [W5]="syslog: 20 groks in if/else, mutate -> JSON" [W6]="firewall: kv and csv -> JSON" [W7]="dissect -> JSON"
    [W8]="tweets -> kafka" [W9]="kafka -> JSON" [W10]="kafka -> rubydebug" [W11]="ruby -> JSON"
    [W12]="tcp -> elasticsearch bulk" [W13]="300 filters, 500 branches -> JSON")
declare -A data=([W2]=lines [W3]=json [W4]=apache [W5]=syslog [W6]=firewall [W7]=delimited [W8]=tweets [W9]=json [W10]=json
    [W11]=json [W12]=json [W13]=mixed)
# Some work is done with fewer events, for its events are large or its filters many.
declare -A share=([W8]=10 [W10]=2 [W11]=2 [W13]=2)

# config PEER WORKLOAD: where its config of a workload is, made ready; nothing where it has none.
config() {
    local file
    case $1 in
        rstash | base | logstash | ferro-stash) file=$2.logstash.conf ;;
        vector) file=$2.vector.yaml ;;
        *) file=$2.$1.conf ;;
    esac
    if [ "$file" = W13.logstash.conf ]; then
        awk -v kind=script -f "$here/generate.awk" >"$work/$file"
    elif [ -f "$here/$file" ]; then
        sed -e "s|@WORK@|$work/state|; s|@DATA@|$work/now|; s|@OUT@|$work/fifo|; s|@HERE@|$here|; s|@WORKERS@|$workers|" \
            "$here/$file" >"$work/$file"
    else
        return
    fi
    echo "$work/$file"
}

# command PEER WORKLOAD: its command line, a word a line; nothing where it cannot do the work.
command_of() {
    local file words
    read -ra words <<<"${program[$1]}"
    if [ "$1" = kcat ]; then
        case $2 in
            W8) printf '%s\n' "${words[@]}" -P -b "$KAFKA" -t "$TOPIC" ;;
            W9) printf '%s\n' "${words[@]}" -C -q -u -b "$KAFKA" -t "$TOPIC" -o beginning ;;
        esac
        return
    fi
    file=$(config "$1" "$2")
    [ -n "$file" ] || return
    start_of "$1" "$file"
}

# What begins each output of a workload.
mark() { case $1 in W2) echo '^2024-' ;; W10) echo '^{$' ;; *) echo '^{' ;; esac; }

# The three ways to run: each leaves the seconds in $elapsed, the number of outputs in $count, and CPU and memory in time.txt.

# Reads the data from a pipe, and ends with it.
run_to_end() {
    began
    cat "$work/now" | (timed "$@") >"$work/out"
    local status=${PIPESTATUS[1]}
    ended
    count=$(grep -c "$(mark "$workload")" "$work/out")
    [ "$workload" = W1 ] && count=$([ $status = 0 ] && echo - || echo 0)
    if [ "$workload" = W8 ]; then count=$(kcat -C -e -q -b "$KAFKA" -t "$TOPIC" -o beginning | wc -l); fi
}

# Never ends by itself: it is stopped when the last event is out.
run_until() {
    rm -f "$work/fifo"; mkfifo "$work/fifo"
    began
    if [ "$peer" = rsyslog ]; then timed "$@" >/dev/null & else timed "$@" >"$work/fifo" & fi
    local timer=$!
    count=$(timeout 120 grep -c -m "$events" "$(mark "$workload")" <"$work/fifo")
    ended
    pkill -TERM -P $timer
    wait $timer
}

# Listens for events, and sends them to the stand-in of a search server.
run_server() {
    local before; before=$(curl -s "http://127.0.0.1:$STUB/_stub")
    timed "$@" >/dev/null &
    local timer=$! left=600
    until (: >"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || [ $((left -= 1)) -lt 0 ] || ! kill -0 $timer 2>/dev/null; do sleep 0.05; done
    began
    (cat "$work/now" >"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || left=0
    left=$((left > 0 ? 1500 : 0))
    while count=$(($(curl -s "http://127.0.0.1:$STUB/_stub") - before)) && [ "$count" -lt "$events" ] && [ $((left -= 1)) -gt 0 ]; do sleep 0.02; done
    ended
    pkill -TERM -P $timer
    wait $timer
}

# one PEER EVENTS: one run; a line of results unless it is a single event.
one() {
    peer=$1 events=$2
    local words
    rm -rf "$work/state"; mkdir -p "$work/state"
    export GROUP="compare-$RANDOM-$RANDOM" TOPIC
    case $workload in
        W8) TOPIC=compare-$RANDOM-$RANDOM ;;
        W9 | W10) TOPIC=${topic} ;;
    esac
    [ "$events" = 1 ] && EVENTS=1
    if [ "$events" = 1 ]; then ln -sf one.txt "$work/now"; else ln -sf all.txt "$work/now"; fi
    mapfile -t words < <(command_of "$peer" "$workload")
    [ ${#words[@]} -gt 0 ] || return 1
    case $peer:$workload in
        rsyslog:* | *:W9 | *:W10) run_until "${words[@]}" ;;
        *:W12) run_server "${words[@]}" ;;
        *) run_to_end "${words[@]}" ;;
    esac
    EVENTS=$all
    if [ "$count" = 0 ]; then
        echo "$workload: $peer failed: $(tail -n 1 "$work/err.txt")" >&2
        return 1
    fi
    if [ "$events" = 1 ]; then
        started "$peer"
    else
        record "$workload" "$peer" "$events" "$count"
    fi
}

stand_in() {
    STUB=$((20000 + RANDOM % 10000)) PORT=$((30000 + RANDOM % 2000))
    export STUB PORT
    python3 "$here/bulk_stub.py" "$STUB" &
    children+=($!)
    until curl -s "http://127.0.0.1:$STUB/_stub" >/dev/null; do sleep 0.1; done
}

wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=(W1 W2 W3 W4 W5 W6 W7 W8 W9 W10 W11 W12 W13)
total=$EVENTS
for workload in "${wanted[@]}"; do
    case $workload in
        W8 | W9 | W10)
            if [ -z "${RSTASH_KAFKA:-}" ] || ! found kcat; then echo "$workload: not measured (needs RSTASH_KAFKA=host:port and kcat)" >&2; continue; fi
            export KAFKA=$RSTASH_KAFKA ;;
        W12)
            command -v python3 >/dev/null || { echo "W12: not measured (needs python3)" >&2; continue; }
            stand_in ;;
    esac
    all=$((total / ${share[$workload]:-1}))
    EVENTS=$all
    awk -v kind="${data[$workload]:-lines}" -v n="$all" -f "$here/generate.awk" >"$work/all.txt"
    head -n 1 "$work/all.txt" >"$work/one.txt"
    if [ "$workload" = W9 ] || [ "$workload" = W10 ]; then
        topic=compare-$RANDOM-$RANDOM
        kcat -P -b "$KAFKA" -t "$topic" -l "$work/all.txt"
    fi
    for workers in ${WORKERS:-1 2}; do
        peers=() starts=()
        for peer in ${PEERS:-rstash base logstash ferro-stash vector fluent-bit syslog-ng rsyslog kcat}; do
            if found "$peer" && one "$peer" 1; then peers+=("$peer"); fi
        done
        for _ in $(seq "$runs"); do
            for peer in "${peers[@]}"; do one "$peer" "$all"; done
        done
    done
done

for workload in "${wanted[@]}"; do echo "$workload ${name[$workload]}"; done | table
