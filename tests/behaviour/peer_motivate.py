"""Plays Motivate Cloud's REST API after its manual: OAuth2's password flow, lists in pages with Link header and meta,
CSV, errors as {"Message": ...}. What it shall do wrong, a test says with `next_answers`, `hold` and `expire_tokens`."""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLIENT, USER, PASSWORD, SECRET_KEY = "client-0815", "robot", "pa55-word", "sk-5ecret-key"


class Request:
    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query, self.headers, self.body = method, path, query, headers, body

    def json(self):
        return json.loads(self.body)


class MotivateCloud:
    def __init__(self, address, with_password=False, base="/api"):
        self.lock = threading.Lock()
        self.base = base
        self.password = PASSWORD + "|" + SECRET_KEY if with_password else SECRET_KEY
        self.lists = {}          # "/users": list of items
        self.things = {}         # "/ftplogs/1": what a GET answers
        self.paging = "link"     # or "meta"
        self.link_scheme = "http"
        self.csv = set()         # paths of lists that are answered as CSV
        self.next_answers = {}   # path: [(status, headers, body), ...], given before anything else
        self.held = {}           # path: (from which request on, event that it was reached, event that lets go)
        self.tokens = set()
        self.requests = []       # all of them, in order
        self.created = {}        # key of idempotency: number of the award
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                cloud.serve(self, "GET")

            def do_POST(self):
                cloud.serve(self, "POST")

            def do_PUT(self):
                cloud.serve(self, "PUT")

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):
                pass  # a client that is gone is part of the game

        self.server = Server(address, Handler)
        self.origin = "http://%s:%d" % address
        self.url = self.origin + base
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _, _, go in self.held.values():
            go.set()
        self.server.shutdown()
        self.server.server_close()

    # ---- What tests ask and arrange

    def asked(self, path, method=None):
        with self.lock:
            return [r for r in self.requests if r.path == path and method in (None, r.method)]

    def logins(self):
        return self.asked("/oauth2/authorize")

    def expire_tokens(self):
        with self.lock:
            self.tokens.clear()

    def hold(self, path, nth):
        """The nth request for a path (from 1) and those after it are answered only when `go` is set."""
        reached, go = threading.Event(), threading.Event()
        self.held[path] = (nth, reached, go)
        return reached, go

    # ---- Answers

    def serve(self, handler, method):
        url = urllib.parse.urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        query = {k: v[-1] for k, v in urllib.parse.parse_qs(url.query).items()}
        headers = {k.lower(): v for k, v in handler.headers.items()}
        path = url.path[len(self.base):] if url.path.startswith(self.base + "/") else "?" + url.path
        request = Request(method, path, query, headers, body)
        with self.lock:
            self.requests.append(request)
            number = sum(1 for r in self.requests if r.path == path)
        if path in self.held and number >= self.held[path][0]:
            self.held[path][1].set()
            self.held[path][2].wait(60)
        with self.lock:
            status, more, content = self.answer(request)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        handler.send_response(status)
        more.setdefault("Content-Type", "application/json; charset=utf-8")
        for name, value in more.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def answer(self, r):
        if self.next_answers.get(r.path):
            return self.next_answers[r.path].pop(0)
        if r.path == "/oauth2/authorize":
            return self.login(r)
        if "access_token" in r.query:
            return 400, {}, {"Message": "a token was sent where it can be sniffed"}
        if r.headers.get("authorization", "")[:7] != "Bearer " or r.headers["authorization"][7:] not in self.tokens:
            return 401, {}, {"Message": "The token is missing or invalid"}
        if r.method == "GET":
            return self.get(r)
        return self.award(r)

    def login(self, r):
        if r.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            given = dict(urllib.parse.parse_qsl(r.body.decode()))
        else:
            given = r.json()
        wanted = {"grant_type": "password", "client_id": CLIENT, "username": USER, "password": self.password}
        if r.method != "POST" or given != wanted:
            return 400, {}, {"Message": "The login is wrong"}
        token = "token-%d-%s" % (len(self.requests), "x" * 60)
        self.tokens.add(token)
        return 200, {}, {"user": {"id": 17, "name": USER}, "access_token": token, "token_type": "bearer"}

    def get(self, r):
        if r.path in self.things:
            return 200, {}, self.things[r.path]
        if r.path not in self.lists:
            return 404, {}, {"Message": "There is no " + r.path}
        items, size, number = self.lists[r.path], int(r.query.get("page_size", 10)), int(r.query.get("page_num", 1))
        pages = max(1, -(-len(items) // size))
        page = items[(number - 1) * size:number * size]
        headers = {}
        if self.paging == "link":
            rels = {"current": number, "first": 1, "prev": number - 1, "next": number + 1, "last": pages}
            authority = self.origin.split("://")[1]
            headers["Link"] = ", ".join('<%s://%s%s%s?page_num=%d&page_size=%d>; rel="%s"' % (
                self.link_scheme, authority, self.base, r.path, n, size, rel)
                for rel, n in rels.items() if 1 <= n <= pages)
        if r.path in self.csv:
            headers["Content-Type"] = "text/csv"
            names = list(items[0]) if items else ["id"]
            rows = [names] + [[str(i[n]) for n in names] for i in page]
            return 200, headers, "".join(",".join('"%s"' % c.replace('"', '""') for c in row) + "\r\n" for row in rows).encode()
        meta = {"page_size": size, "page_num": number, "total_count": len(items), "page_count": pages}
        return 200, headers, {"meta": meta, "data": page}

    def award(self, r):
        if not r.headers.get("content-type", "").startswith("application/json"):
            return 415, {}, {"Message": "JSON is wanted"}
        try:
            r.json()
        except ValueError:
            return 400, {}, {"Message": "That is no JSON"}
        key = r.headers.get("idempotency-key")
        number = self.created.setdefault(key, len(self.created) + 1)
        return 201 if r.method == "POST" else 200, {"Location": "%s%s/%d" % (self.url, r.path, number)}, {"id": number}
