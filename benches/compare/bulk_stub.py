"""A stand-in for a search server: takes bulk requests and counts their documents. usage: bulk_stub.py PORT"""

import gzip
import http.server
import json
import socketserver
import sys
import threading

ITEM = b'{"index":{"_index":"logs","status":201}}'
lock = threading.Lock()
documents = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        if self.path == "/_stub":
            self.answer(str(documents).encode())
        elif self.path.startswith("/_license"):
            self.answer(b'{"license":{"status":"active","type":"basic"}}')
        else:
            version = {"number": "8.15.0", "build_flavor": "default"}
            self.answer(json.dumps({"version": version, "tagline": "You Know, for Search"}).encode())

    do_HEAD = do_GET

    def do_POST(self):
        global documents
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if "_bulk" not in self.path:
            return self.answer(b'{"acknowledged":true}')
        count = body.count(b"\n") // 2
        self.answer(b'{"took":1,"errors":false,"items":[' + b",".join([ITEM] * count) + b"]}")
        with lock:
            documents += count

    do_PUT = do_POST

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
