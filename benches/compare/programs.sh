# The programs that benchmarks compare, and how one of them is run; compare.sh and filters.sh read it.
# Wants: $workers. Sets: program, $elapsed (seconds of the last run); a run's CPU and memory are in $work/time.txt.

work=$(mktemp -d)
children=()
trap 'kill "${children[@]}" 2>/dev/null; rm -rf "$work"' EXIT
results=$work/results

declare -A program=([rstash]=${RSTASH:-target/release/rstash} [base]=${BASE:-} [logstash]=${LOGSTASH:-logstash}
    [ferro-stash]=${FERRO_STASH:-ferro-stash} [vector]=${VECTOR:-vector} [fluent-bit]=${FLUENT_BIT:-fluent-bit}
    [syslog-ng]=${SYSLOG_NG:-syslog-ng} [rsyslog]=${RSYSLOGD:-rsyslogd} [kcat]=${KCAT:-kcat})
[ "${program[rstash]#/}" = "${program[rstash]}" ] && program[rstash]=$PWD/${program[rstash]}

# found PEER: whether its program is there.
found() { local words; read -ra words <<<"${program[$1]}"; [ ${#words[@]} -gt 0 ] && command -v "${words[0]}" >/dev/null; }

# start_of PEER FILE: the command line, a word a line, that runs a config in its own language.
start_of() {
    local words
    read -ra words <<<"${program[$1]}"
    case $1 in
        rstash | base) words+=(-f "$2" -w "$workers") ;;
        logstash) words+=(-f "$2" -w "$workers" --path.data "$work/state" --log.level fatal) ;;
        ferro-stash) words+=(-f "$2" -w "$workers" --auto-exit --api.enabled=false -l error --path.data "$work/state") ;;
        vector) words+=(--quiet --threads "$workers" -c "$2") ;;
        fluent-bit) words+=(-q -c "$2") ;;
        syslog-ng) words+=(-F --no-caps -f "$2" -R "$work/state/p" --pidfile "$work/state/pid" -c "$work/state/ctl" --worker-threads "$workers") ;;
        rsyslog) words+=(-n -f "$2" -i "$work/state/pid") ;;
    esac
    printf '%s\n' "${words[@]}"
}

timed() { exec env time -q -o "$work/time.txt" -f '%U %S %M' "$@" 2>"$work/err.txt"; }
began() { start=$EPOCHREALTIME; }
ended() { elapsed=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'); }

# started PEER: the run just done was one with a single event: what it took is taken off those with all events.
declare -A starts
started() { starts[$1]="$elapsed $(tail -n 1 "$work/time.txt")"; }

# record WORKLOAD PEER EVENTS OUTPUTS: a line of results.
record() {
    echo "$elapsed $(tail -n 1 "$work/time.txt") ${starts[$2]}" |
        awk -v head="$1 $workers $2 $3" -v outputs="$4" 'function least(x) { return x > 0.001 ? x : 0.001 }
            { print head, least($1 - $5), least($2 - $6), least($3 - $7), $4, outputs }' >>"$results"
}

# table: standard input names the workloads, a line each; prints all results.
table() {
    [ -s "$results" ] || exit 1
    [ -n "${RESULTS:-}" ] && cp "$results" "$RESULTS"
    echo "$(uname -srm), $(nproc) cores, $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $runs runs in turn, medians (min-max)"
    echo
    awk -f benches/compare/summary.awk - "$results"
}
