# Reads the results of growth.sh (what, size, microseconds per event): says how each grows, and draws the curves if `svg` names a file.
function short(n) { return n >= 1e6 ? n / 1e6 "M" : n >= 1000 ? n / 1000 "k" : n }
function log10(x) { return log(x) / log(10) }
{
    if (!($1 in count)) order[++kinds] = $1
    n = ++count[$1]; size[$1, n] = $2; cost[$1, n] = $3 > 0.001 ? $3 : 0.001
}
END {
    for (k = 1; k <= kinds; k++) {
        what = order[k]; n = count[what]
        # Of the two largest sizes: 1 is linear.
        slope = n > 1 ? log(cost[what, n] / cost[what, n - 1]) / log(size[what, n] / size[what, n - 1]) : 0
        printf "%-10s %8d -> %8d: cost x %.1f, at the end as size^%.2f: %s\n", what, size[what, 1], size[what, n], cost[what, n] / cost[what, 1], slope, (slope > 1.15 ? "WORSE THAN LINEAR" : "no worse than linear")
    }
    if (svg == "") exit
    width = 240; height = 180
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"10\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", 3 * width, int((kinds + 2) / 3) * height > svg
    for (k = 1; k <= kinds; k++) {
        what = order[k]; n = count[what]
        left = ((k - 1) % 3) * width + 45; top = int((k - 1) / 3) * height + 25; w = width - 65; h = height - 60
        x0 = log10(size[what, 1]); x1 = log10(size[what, n]); if (x1 == x0) x1 = x0 + 1
        y0 = y1 = log10(cost[what, 1])
        for (j = 1; j <= n; j++) { y = log10(cost[what, j]); if (y < y0) y0 = y; if (y > y1) y1 = y }
        y0 -= 0.1; y1 += 0.1
        if (y1 - y0 < 1) y1 = y0 + 1
        printf "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">us per event by number of %s</text>\n<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#888\"/>\n", left - 30, top - 8, what, left, top, top + h, left + w > svg
        path = ""; line = ""
        for (j = 1; j <= n; j++) {
            x = left + (log10(size[what, j]) - x0) / (x1 - x0) * w
            y = top + h - (log10(cost[what, j]) - y0) / (y1 - y0) * h
            path = path sprintf("%s%.1f %.1f", j == 1 ? "M" : "L", x, y)
            printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"#06c\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text><text x=\"%.1f\" y=\"%.1f\" fill=\"#06c\" text-anchor=\"middle\">%s</text>\n", x, y, x, top + h + 12, short(size[what, j]), x, y - 5, cost[what, j] < 10 ? sprintf("%.1f", cost[what, j]) : short(int(cost[what, j])) > svg
        }
        printf "<path d=\"%s\" fill=\"none\" stroke=\"#06c\" stroke-width=\"1.5\"/>\n", path > svg
        # Linear growth from the first point, for the eye.
        x_end = x1; y_end = log10(cost[what, 1]) + (x1 - x0)
        if (y_end > y1) { x_end = x0 + (y1 - log10(cost[what, 1])); y_end = y1 }
        printf "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#bbb\" stroke-dasharray=\"3 3\"/>\n", left, top + h - (log10(cost[what, 1]) - y0) / (y1 - y0) * h, left + (x_end - x0) / (x1 - x0) * w, top + h - (y_end - y0) / (y1 - y0) * h > svg
    }
    print "</svg>" > svg
}
