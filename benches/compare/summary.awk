# Makes the table of compare.sh: names of workloads, then results (workload, workers, program, events, seconds, user, system, kB, outputs).
function median(values, count,    sorted, k) { for (k = 1; k <= count; k++) sorted[k] = values[k]; asort_(sorted, count); low = sorted[1]; high = sorted[count]; return sorted[int((count + 1) / 2)] }
function asort_(list, count,    k, j, x) { for (k = 2; k <= count; k++) { x = list[k]; for (j = k - 1; j > 0 && list[j] > x; j--) list[j + 1] = list[j]; list[j + 1] = x } }
function thousands(number,    text) { text = sprintf("%d", number); while (text ~ /[0-9][0-9][0-9][0-9]/) text = gensub_(text); return text }
function gensub_(text,    at) { match(text, /^[0-9]+/); at = RLENGTH; return substr(text, 1, at - 3) "," substr(text, at - 2) }

FNR == NR { split($0, part, " "); sub(/^[^ ]+ /, ""); name[part[1]] = $0; next }
{
    key = $1 SUBSEP $2 SUBSEP $3
    if (!(key in runs)) order[++keys] = key
    n = ++runs[key]
    rate[key, n] = $4 / $5; cpu[key, n] = ($6 + $7) * 1e6 / $4
    if ($8 > peak[key]) peak[key] = $8
    if ($9 != "-" && $9 != $4) wrong[key] = $9
    outputs[key] = $9
}
END {
    print "| work | workers | program | events/s | CPU s per million | peak MB | outputs | rstash is faster by | with CPU less by |"
    print "|---|---|---|---|---|---|---|---|---|"
    for (k = 1; k <= keys; k++) {
        key = order[k]; split(key, at, SUBSEP); n = runs[key]
        for (j = 1; j <= n; j++) { list[j] = rate[key, j]; used[j] = cpu[key, j] }
        c = median(used, n); m = median(list, n); own = at[1] SUBSEP at[2]
        if (at[3] == "rstash") { first[own] = m; least[own] = c }
        ratio = at[3] == "rstash" || !(own in first) ? "|" : sprintf("%.2f x | %.2f x", first[own] / m, c / least[own])
        printf "| %s %s | %d | %s | %s (%s-%s) | %.2f | %.0f | %s%s | %s |\n", at[1], name[at[1]], at[2], at[3], thousands(m), thousands(low), thousands(high), c, peak[key] / 1024, outputs[key], key in wrong ? " (not all)" : "", ratio
    }
}
