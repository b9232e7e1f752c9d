# Data of the benchmarks, the same on every machine and with every awk.
# usage: awk -v kind=apache -v n=1000 [-v seed=7] -f generate.awk
#   kind: lines json apache syslog firewall delimited tweets mixed wide:FIELDS long:BYTES script
#   script: the config of W13 (300 filters, 500 branches) instead of events

# MINSTD: whole numbers below 2^31, whose products a double holds exactly.
function below(limit) { state = (state * 16807) % 2147483647; return state % limit }
function one_of(list, count,    parts) { count = split(list, parts, "|"); return parts[1 + below(count)] }
function ip() { return below(223) + 1 "." below(256) "." below(256) "." below(254) + 1 }
function private_ip() { return "10." below(4) "." below(32) "." below(254) + 1 }
function two(number) { return sprintf("%02d", number) }
function clock() { return two(int(i / 3600) % 24) ":" two(int(i / 60) % 60) ":" two(i % 60) }
function words(count,    text, k) {
    text = ""
    for (k = 0; k < count; k++)
        text = text (k ? " " : "") one_of("order|payment|shipment|accepted|customer|stock|the|of|timeout|retry|cache|queue|to|from|backend|after|with|item|page|session|in|is|state|new|value|and|node|balance|started|checked")
    return text
}
function hex(count,    text, k) { text = ""; for (k = 0; k < count; k++) text = text substr("0123456789abcdef", 1 + below(16), 1); return text }

function lines() { return "2024-05-06 " clock() " " one_of("INFO|INFO|INFO|DEBUG|WARN|ERROR") " [worker-" below(16) "] " words(8) " id=" below(1000000) }

function json() {
    return sprintf("{\"id\":%d,\"level\":\"%s\",\"service\":\"%s\",\"message\":\"%s %d ms\",\"duration\":%d.%03d,\"host\":{\"name\":\"web-%d\",\"ip\":\"%s\"},\"tags\":[\"shop\",\"%s\"],\"user_agent\":\"%s\",\"path\":\"/api/v1/orders/%d\",\"ok\":%s}",
        i, one_of("INFO|INFO|INFO|WARN|ERROR"), one_of("checkout|cart|search|login"), words(6), below(5000), below(10), below(1000), below(40), private_ip(), one_of("eu|us|ap"), agent(), below(1000000), one_of("true|true|true|false"))
}

function agent() {
    return one_of("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36|Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0|curl/8.5.0|Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1|Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)|Go-http-client/2.0")
}

function apache() {
    return sprintf("%s - %s [%s/%s/2024:%s +0000] \"%s %s HTTP/1.%d\" %s %s \"%s\" \"%s\"",
        ip(), below(10) ? "-" : "user" below(500), two(1 + int(i / 86400) % 28), "May", clock(),
        one_of("GET|GET|GET|GET|POST|PUT|HEAD"),
        one_of("/|/index.html|/images/logo.png|/api/v1/orders/" below(100000) "|/search?q=" hex(6) "&page=" below(9) "|/static/js/app." hex(8) ".js|/presentations/logging/images/kibana-" below(99) ".png"),
        below(5) ? 1 : 0, one_of("200|200|200|200|304|301|404|500"), below(20) ? below(200000) : "-",
        below(3) ? "-" : "https://www.example.com/page/" below(1000), agent())
}

function syslog(    at) {
    at = "<" 8 * (1 + below(16)) + below(8) ">May  " 1 + int(i / 86400) % 9 " " clock() " host" below(30) " "
    which = below(20)
    if (which == 0) return at "sshd[" below(32768) "]: Failed password for invalid user " one_of("admin|test|oracle") " from " ip() " port " below(65536) " ssh2"
    if (which == 1) return at "sshd[" below(32768) "]: Accepted publickey for " one_of("deploy|root|alice") " from " ip() " port " below(65536) " ssh2: RSA SHA256:" hex(24)
    if (which == 2) return at "sudo[" below(32768) "]:    alice : TTY=pts/" below(9) " ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx"
    if (which == 3) return at "CRON[" below(32768) "]: (root) CMD (run-parts /etc/cron.hourly)"
    if (which == 4) return at "postfix/smtpd[" below(32768) "]: connect from mail" below(99) ".example.com[" ip() "]"
    if (which == 5) return at "postfix/qmgr[" below(32768) "]: " hex(10) ": from=<user" below(99) "@example.com>, size=" below(99999) ", nrcpt=1 (queue active)"
    if (which == 6) return at "postfix/smtp[" below(32768) "]: " hex(10) ": to=<a" below(99) "@example.org>, relay=mx.example.org[" ip() "]:25, delay=" below(20) "." below(10) ", status=" one_of("sent|deferred|bounced") " (250 ok)"
    if (which == 7) return at "kernel: [" below(99999) ".123456] IN=eth0 OUT= SRC=" ip() " DST=" private_ip() " LEN=60 PROTO=TCP SPT=" below(65536) " DPT=22"
    if (which == 8) return at "kernel: [" below(99999) ".654321] usb 1-" below(4) ": new high-speed USB device number " below(99) " using xhci_hcd"
    if (which == 9) return at "dhcpd[" below(32768) "]: DHCPACK on " private_ip() " to " hex(2) ":" hex(2) ":" hex(2) ":" hex(2) ":" hex(2) ":" hex(2) " (host" below(99) ") via eth0"
    if (which == 10) return at "named[" below(32768) "]: client @0x" hex(12) " " private_ip() "#" below(65536) " (www.example.com): query: www.example.com IN A +E(0)K"
    if (which == 11) return at "haproxy[" below(32768) "]: " ip() ":" below(65536) " [06/May/2024:" clock() ".123] http-in static/srv" below(9) " 10/0/30/" below(500) "/109 200 " below(99999)
    if (which == 12) return at "systemd[1]: Started Session " below(99999) " of user " one_of("root|alice") "."
    if (which == 13) return at "systemd[1]: nginx.service: Main process exited, code=exited, status=" below(3) "/FAILURE"
    if (which == 14) return at "dockerd[" below(32768) "]: time=\"2024-05-06T" clock() "Z\" level=warning msg=\"container " hex(12) " failed to exit\""
    if (which == 15) return at "ntpd[" below(32768) "]: adjusting local clock by " below(9) "." below(999999) "s"
    if (which == 16) return at "openvpn[" below(32768) "]: " ip() ":" below(65536) " peer info: IV_PLAT=linux"
    if (which == 17) return at "mysqld[" below(32768) "]: " below(99999) " [Warning] Aborted connection " below(9999) " to db: 'shop' user: 'app' host: '" private_ip() "'"
    if (which == 18) return at "smartd[" below(32768) "]: Device: /dev/sd" one_of("a|b|c") " [SAT], SMART Usage Attribute: 194 Temperature_Celsius changed from " below(99) " to " below(99)
    return at "app[" below(32768) "]: " words(12)
}

function firewall() {
    if (i % 2)
        return sprintf("date=2024-05-06 time=%s devname=\"FGT-%d\" devid=\"FG100E\" logid=\"0000000013\" type=\"traffic\" subtype=\"forward\" level=\"notice\" vd=\"root\" srcip=%s srcport=%d srcintf=\"lan\" dstip=%s dstport=%d dstintf=\"wan1\" policyid=%d sessionid=%d proto=6 action=\"%s\" service=\"%s\" duration=%d sentbyte=%d rcvdbyte=%d sentpkt=%d appcat=\"unscanned\" crscore=%d",
            clock(), below(9), private_ip(), below(65536), ip(), below(65536), below(90), below(9999999), one_of("close|accept|deny"), one_of("HTTPS|DNS|HTTP|SSH"), below(600), below(999999), below(999999), below(5000), below(50))
    return sprintf("1,2024/05/06 %s,00160100%04d,TRAFFIC,%s,2049,2024/05/06 %s,%s,%s,0.0.0.0,0.0.0.0,\"allow, %s\",,,%s,vsys1,trust,untrust,ethernet1/%d,ethernet1/%d,fwd,%d,1,%d,%d,0,0,0x400053,tcp,%s,%d,%d,%d",
        clock(), below(9999), one_of("end|start|drop"), clock(), private_ip(), ip(), one_of("web|mail"), one_of("ssl|dns|web-browsing"), below(8), below(8), below(9999999), below(65536), below(65536), one_of("allow|deny"), below(999999), below(99999), below(99999))
}

function delimited() { return "2024-05-06T" clock() "," sprintf("%03d", below(1000)) " " one_of("INFO|WARN|ERROR") " [exec-" below(32) "] com.example.shop." one_of("Cart|Order|Login") " - user=" below(9999) " took " below(900) "ms: " words(8) }

function tweet() {
    return sprintf("{\"created_at\":\"Mon May 06 %s +0000 2024\",\"id\":1787%012d,\"id_str\":\"1787%012d\",\"text\":\"%s #logs https://t.co/%s\",\"source\":\"<a href=\\\"https://example.com\\\" rel=\\\"nofollow\\\">Web</a>\",\"truncated\":false,\"in_reply_to_status_id\":null,\"user\":%s,\"geo\":null,\"place\":null,\"is_quote_status\":%s,\"quoted_status\":{\"id\":%d,\"text\":\"%s\",\"user\":%s},\"quote_count\":%d,\"reply_count\":%d,\"retweet_count\":%d,\"favorite_count\":%d,\"entities\":{\"hashtags\":[{\"text\":\"logs\",\"indices\":[10,15]}],\"urls\":[{\"url\":\"https://t.co/%s\",\"expanded_url\":\"https://www.example.com/%s\",\"indices\":[16,39]}],\"user_mentions\":[],\"symbols\":[]},\"favorited\":false,\"retweeted\":false,\"filter_level\":\"low\",\"lang\":\"%s\",\"timestamp_ms\":\"%d\"}",
        clock(), i, i, words(18), hex(10), user(), one_of("true|false"), below(2147483647), words(30), user(), below(99), below(99), below(999), below(999), hex(10), hex(20), one_of("en|de|ja"), 1714979289000 + i)
}
function user() {
    return sprintf("{\"id\":%d,\"id_str\":\"%d\",\"name\":\"User \\u00e9 %d\",\"screen_name\":\"user_%s\",\"location\":\"%s\",\"url\":null,\"description\":\"%s\",\"protected\":false,\"verified\":%s,\"followers_count\":%d,\"friends_count\":%d,\"listed_count\":%d,\"favourites_count\":%d,\"statuses_count\":%d,\"created_at\":\"Wed Feb 0%d 12:00:00 +0000 2012\",\"utc_offset\":null,\"geo_enabled\":false,\"profile_background_color\":\"%s\",\"profile_background_image_url\":\"http://abs.example.com/images/themes/theme1/bg.png\",\"profile_image_url_https\":\"https://pbs.example.com/profile_images/%s/normal.jpg\",\"profile_link_color\":\"1DA1F2\",\"default_profile\":true,\"following\":null}",
        below(2147483647), below(2147483647), below(999), hex(8), one_of("Berlin|Tokyo|Lisbon"), words(20), one_of("true|false"), below(99999), below(9999), below(99), below(9999), below(99999), 1 + below(9), hex(6), hex(18))
}

function mixed() {
    return sprintf("{\"kind\":\"k%d\",\"level\":\"%s\",\"status\":%d,\"host\":\"web-%d\",\"client\":{\"ip\":\"%s\"},\"message\":\"user=%d took %d ms for /%s: %s\",\"tags\":[\"raw\"]}",
        below(100), one_of("INFO|INFO|WARN|ERROR|DEBUG"), 100 * (1 + below(5)) + below(5), below(40), ip(), below(9999), below(900), one_of("cart|order|login"), words(6))
}

function wide(fields,    text, k) { text = "{\"f0\":" i; for (k = 1; k < fields; k++) text = text ",\"f" k "\":\"" hex(8) "\""; return text "}" }
function long(bytes,    text) { text = lines(); while (length(text) < bytes) text = text " " words(20) " " text; return substr(text, 1, bytes) }

# 100 branches by kind, each with three filters and four more branches.
function script(    k) {
    print "input { stdin { codec => json_lines } }\nfilter {"
    for (k = 0; k < 100; k++) {
        printf "  %sif [kind] == \"k%d\" {\n", k ? "else " : "", k
        if (k % 3 == 0) printf "    grok { match => { \"message\" => \"user=%%{INT:user:int} took %%{INT:took:int} ms for /%%{WORD:page}\" } }\n"
        if (k % 3 == 1) printf "    dissect { mapping => { \"message\" => \"user=%%{user} took %%{took} ms for /%%{page}: %%{rest}\" } }\n"
        if (k % 3 == 2) printf "    kv { include_keys => [\"user\"] }\n"
        printf "    if [status] >= 500 { mutate { add_tag => [\"failed\"] add_field => { \"alert\" => \"%%{host}-%%{status}\" } } }\n"
        printf "    else if [level] =~ /^(WARN|ERROR)$/ { mutate { add_tag => [\"look\"] } }\n"
        printf "    else if [client][ip] in [\"10.0.0.1\", \"10.0.0.2\"] or \"raw\" not in [tags] { }\n"
        printf "    else if [status] < 300 and [host] != \"web-%d\" and ![missing] { }\n", k % 40
        printf "  }\n"
    }
    print "}\noutput { stdout { codec => json_lines } }"
}

BEGIN {
    state = 1 + (seed ? seed : 7)
    split(kind, part, ":")
    kind = part[1]
    if (kind == "script") { script(); exit }
    for (i = 0; i < n; i++) {
        if (kind == "lines") print lines()
        else if (kind == "json") print json()
        else if (kind == "apache") print apache()
        else if (kind == "syslog") print syslog()
        else if (kind == "firewall") print firewall()
        else if (kind == "delimited") print delimited()
        else if (kind == "tweets") print tweet()
        else if (kind == "mixed") print mixed()
        else if (kind == "wide") print wide(part[2])
        else if (kind == "long") print long(part[2])
        else { print "unknown kind " kind > "/dev/stderr"; exit 1 }
    }
}
