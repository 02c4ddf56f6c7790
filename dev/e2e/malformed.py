#!/usr/bin/env python3
"""Ten thousand malformed requests over all routes: each is answered, none by a 5xx, and the server goes on.

Routes are read from docs/src/endpoints.md, which is made from the router. MALFORMED_SEED repeats a run, MALFORMED_REQUESTS makes it
longer. An answer of 2xx is right for what is valid by accident: routes that need nothing, and bodies whose odd part is a field that
nobody reads. Requests are written byte by byte to kept connections, so that what no HTTP library would send is sent.

While bodies are announced that are far larger than any bound, the server's memory is looked at: a bound that is only checked after
the bytes are in memory would show.
"""

import json
import os
import random
import re
import secrets
import socket
import sys
import threading
import time
from pathlib import Path

from harness import Failed, Folder, Server, check, main

SEED = os.environ.get("MALFORMED_SEED") or secrets.token_hex(4)
REQUESTS = int(os.environ.get("MALFORMED_REQUESTS", "10000"))
THREADS = 4
ENDPOINTS = Path(__file__).resolve().parents[2] / "docs" / "src" / "endpoints.md"
# More than this over what the server had before, and something was allocated that a client had only announced.
MOST_GROWTH = 160 << 20

ODD_TEXTS = ["", " ", "\0", "a\0b", "..", "../../etc/passwd", "%00", "%2e%2e%2f", "' OR 1=1 --", "\"", "`", "\\", "\u202e\u0000", "\ufeff", "\ud800",
             "é" * 3000, "𝒳" * 500, "x" * 70_000, "-1", "01", "+1", " 1", "1e400", "NaN", "null", "undefined", "{{7*7}}", "${jndi:ldap://x}", "\r\nX: y",
             "m-" + "0" * 32, "0" * 32, "models:/x/1", "*", "%", "_", "[", "(" * 500, "a" * 251, "a" * 8001, "\x7f", "\u0085", "\u2028"]
ODD_NUMBERS = [0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, -2**63 - 1, 10**400, 1e308, -1e308, 0.5, -0.0, 10**30]
FILTERS = ["metrics.", "metrics.a", "metrics.a >", "metrics.a > 'x'", "params.a = 1", "a" * 5000, "metrics.`a > 1", "tags.\"a = 'b", "attributes.status LIKE",
           "x.y = 'z'", "metrics.a > 1 OR metrics.b < 2", "metrics.a > 1 AND", " AND ", "((((", "params.a LIKE '%" + "%_" * 2000 + "'", "metrics.a = NaN",
           "attributes.run_id IN (", "attributes.run_id IN ()", "attributes.run_id IN ('a', 1)", "tags.a = 'b' AND " * 300, "name ILIKE 5", "\0", "datasets.name IN 'x'",
           "metrics.a > 1e999", "params.`a``b` = 'c'", "tags.a IS", "tags.a IS NOT", "name = 'a';", "name = 'a' --", "timestamp_ms > 'x'", "trace.name = 1", "span.x = 'y'"]
ORDERS = ["metrics.", "x DESC ASC", "metrics.a DESCENDING", "", "a" * 3000, "name ASC, name DESC", "`", "attributes.`start_time", "1", "random()", "name; DROP TABLE runs"]
TOKENS = ["x", "e30=", "eyJvZmZzZXQiOi0xfQ==", "eyJvZmZzZXQiOjFlOTl9", "A" * 10_000, "====", "\0", "-1", "eyJvZmZzZXQiOiAiYSJ9", "../"]
NAMES = ["experiment_id", "experiment_ids", "run_id", "run_uuid", "name", "new_name", "key", "value", "tags", "metrics", "params", "filter", "filter_string",
         "order_by", "page_token", "max_results", "view_type", "run_view_type", "lifecycle_stage", "model_id", "version", "alias", "source", "status", "start_time",
         "timestamp", "step", "path", "metric_key", "datasets", "inputs", "models", "stage", "description", "user", "resource", "right", "scopes", "password",
         "expires", "model_json", "experiment_name", "artifact_location", "trace", "trace_id", "request_id", "assessment", "location", "locations", "dataset_id",
         "url", "events", "secret", "username", "permission", "is_admin", "workspace", "query", "variables", "num_parts", "upload_id", "parts",
         "secret_id", "secret_name", "secret_value", "auth_config", "provider", "model_definition_id", "model_name", "endpoint_id", "model_configs",
         "model_config", "weight", "linkage_type", "fallback_config", "fallback_order", "usage_tracking", "resource_type", "resource_id", "scorer_ids",
         "sample_rate", "serialized_scorer"]
TYPES = ["application/json", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
         "multipart/form-data", "application/x-protobuf", "application/octet-stream", "", "application/json\t", "image/png", "application/json;" + "x" * 3000]


def endpoints():
    """Method and path of each route of the server; those of the model server are another program's."""
    text = ENDPOINTS.read_text().split("## The model server")[0]
    found = re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", text, re.M)
    if len(found) < 60:
        raise Failed(f"only {len(found)} routes in {ENDPOINTS}")
    both = [(method, path.replace("/api/", "/ajax-api/", 1)) for method, path in found if path.startswith("/api/") and "/sealyard/" not in path]
    return found + both


class Generator:
    """Requests that are wrong in one way or several."""

    def __init__(self, source, known):
        self.random, self.known = source, known

    def text(self):
        kind = self.random.randrange(4)
        if kind == 0:
            return self.random.choice([value for value in self.known.values() if isinstance(value, str)])
        if kind == 1:
            return "".join(chr(self.random.choice([self.random.randrange(1, 128), self.random.randrange(128, 0xD800), self.random.randrange(0xE000, 0x10FFFF)]))
                           for _ in range(self.random.randrange(1, 40)))
        return self.random.choice(ODD_TEXTS)

    def value(self, depth=0):
        kind = self.random.randrange(9 if depth < 4 else 6)
        if kind <= 1:
            return self.text()
        if kind == 2:
            return self.random.choice(ODD_NUMBERS)
        if kind == 3:
            return self.random.choice([None, True, False, [], {}])
        if kind == 4:
            return self.random.choice(FILTERS + ORDERS + TOKENS)
        if kind == 5:
            return [self.random.choice(["", 1, None, "x"])] * self.random.choice([1, 2, 1001, 3000])
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {self.random.choice(NAMES + ODD_TEXTS[:20]): self.value(depth + 1) for _ in range(self.random.randrange(4))}

    def field(self, name):
        """Sometimes right, so that what is behind the first check is reached too."""
        if name in self.known and self.random.random() < 0.5:
            return self.known[name]
        if name in ("filter", "filter_string") and self.random.random() < 0.7:
            return self.random.choice(FILTERS)
        if name == "order_by" and self.random.random() < 0.7:
            return [self.random.choice(ORDERS)]
        if name == "page_token" and self.random.random() < 0.7:
            return self.random.choice(TOKENS)
        return self.value()

    def json(self):
        fields = {name: self.field(name) for name in self.random.sample(NAMES, self.random.randrange(1, 9))}
        text = json.dumps(fields).encode()
        kind = self.random.randrange(14)
        if kind == 0:
            return text[: self.random.randrange(len(text))]
        if kind == 1:
            return b'{"name":' + b"[" * self.random.choice([200, 20_000]) + b"]" * self.random.choice([0, 200])
        if kind == 2:
            return b'{"a":' * self.random.choice([127, 128, 129, 5000]) + b"1" + b"}" * 127
        if kind == 3:
            return text[:-1] + b"," + text[1:]  # the same fields twice
        if kind == 4:
            return bytes(self.random.randrange(256) for _ in range(self.random.randrange(200)))
        if kind == 5:
            at = self.random.randrange(len(text))
            return text[:at] + bytes([self.random.randrange(256)]) + text[at + 1:]
        if kind == 6:
            return self.random.choice([b"[]", b"null", b"1", b'"x"', b"", b"{}{}", b"{,}", b'{"a":}', b"\xef\xbb\xbf{}", b'{"a":1e999}', b'{"step":' + b"9" * 3000 + b"}",
                                       b'{"a":NaN}', b"{'a':1}", b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":"\\u0000"}', b"// x\n{}", b" " * 100_000 + b"{"])
        return text

    def multipart(self):
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + self.text().encode("utf-8", "surrogatepass") + b'"\r\n\r\n'
        return self.random.choice([b"--x", b"--x--", part, part + b"content", part * 50, part + b"content\r\n--x--\r\n", b"\r\n", b"--y\r\n\r\n--y--"])

    def otlp(self):
        """Protobuf with lengths that lie, groups, deep messages."""
        kind = self.random.randrange(5)
        if kind == 0:
            return bytes(self.random.randrange(256) for _ in range(self.random.randrange(300)))
        if kind == 1:
            return b"\x0a" + b"\xff" * 9 + b"\x01"
        if kind == 2:
            return b"\x0a\xff\xff\xff\x7f" + b"x" * 20
        if kind == 3:
            message = b""
            for _ in range(60):
                message = b"\x0a" + bytes([min(len(message), 127)]) + message[:127]
            return message
        return b"\x0b" * 1000

    def quoted(self, text):
        """Percent encoding that is right, absent, or wrong."""
        raw = str(text).encode("utf-8", "surrogatepass")[:3000]
        kind = self.random.randrange(6)
        if kind == 0:
            return b"".join(b"%%%02x" % byte for byte in raw)
        if kind == 1:
            return b"%" + raw.hex().encode()[:40]
        safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~" + (b"/%+:" if kind == 2 else b"")
        return b"".join(bytes([byte]) if byte in safe else b"%%%02X" % byte for byte in raw)

    def request(self, method, pattern):
        def fill(match):
            name = match.group(1).lstrip("*")
            if self.random.random() < 0.4:
                return "".join(chr(b) for b in self.quoted(self.known.get(name, self.known["run_id"])))
            return self.quoted(self.text()).decode("latin-1")
        target = re.sub(r"\{([^}]*)\}", fill, pattern).encode("latin-1")
        if self.random.random() < (0.9 if method == "GET" else 0.2):
            pairs = [self.quoted(name) + b"=" + self.quoted(self.field(name)) for name in self.random.sample(NAMES, self.random.randrange(1, 6))]
            if self.random.random() < 0.1:
                pairs += pairs * self.random.choice([3, 300])
            target += b"?" + b"&".join(pairs)[:60_000]
        if self.random.random() < 0.03:
            method = self.random.choice(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get"])
        body = b""
        if method not in ("GET", "HEAD"):
            body = self.random.choice([self.json, self.json, self.json, self.json, self.multipart, self.otlp])()
        kind = "application/json" if self.random.random() < 0.8 else self.random.choice(TYPES)
        if pattern == "/v1/traces" and self.random.random() < 0.8:
            kind, body = "application/x-protobuf", self.otlp()
        headers = [b"Content-Type: " + kind.encode(), b"Content-Length: %d" % len(body)]
        odd = self.random.random()
        if odd < 0.02:
            headers.append(b"X-Odd: " + b"x" * self.random.choice([9000, 70_000, 300_000]))
        elif odd < 0.03:
            headers += [b"X-%d: y" % n for n in range(self.random.choice([90, 300]))]
        elif odd < 0.04:
            headers.append(b"X-MLFLOW-WORKSPACE: " + self.quoted(self.text())[:200])
        elif odd < 0.05:
            headers.append(self.random.choice([b"Range: bytes=9-1", b"Range: bytes=-0", b"Range: bytes=" + b"0-1," * 500, b"Content-Encoding: gzip", b"Expect: x",
                                               b"Accept: " + b"*/*," * 300, b"If-None-Match: \xff", b"Content-Encoding: deflate, gzip"]))
        elif odd < 0.06:
            target += b"/" + b"a" * self.random.choice([9000, 60_000])
        return method.encode() + b" " + target, headers, body


class Connection:
    """One kept connection; made anew when the server closes it."""

    def __init__(self, server, token):
        self.server, self.token, self.socket, self.buffer = server, token, None, b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.buffer = None, b""

    def more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionResetError
        self.buffer += piece

    def ask(self, head, headers, body):
        """The answer's status and the beginning of its body; `None` for a connection that was closed without one."""
        if self.socket is None:
            self.socket = self.server.raw(timeout=60)
        lines = [head + b" HTTP/1.1", b"Host: " + self.server.host.encode(), b"Authorization: Bearer " + self.token.encode(), *headers, b"", b""]
        try:
            try:
                self.socket.sendall(b"\r\n".join(lines) + body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the answer may have come before the server had read it all
            while b"\r\n\r\n" not in self.buffer:
                self.more()
            answer, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            status = int(answer.split(b" ", 2)[1])
            lower = answer.lower()
            found = re.search(rb"\r\ncontent-length: (\d+)", lower)
            if b"transfer-encoding: chunked" in lower:
                while not (self.buffer.endswith(b"0\r\n\r\n")):
                    self.more()
                content, self.buffer = self.buffer, b""
            elif head.startswith(b"HEAD") or status in (204, 304):
                content = b""
            else:
                length = int(found.group(1)) if found else 0
                while len(self.buffer) < length:
                    self.more()
                content, self.buffer = self.buffer[:length], self.buffer[length:]
            if b"connection: close" in lower:
                self.close()
            return status, content
        except TimeoutError:
            self.close()
            raise Failed(f"no answer to {head[:200]!r}") from None
        except OSError:
            self.close()
            return None


class Sender(threading.Thread):
    def __init__(self, server, token, routes, generator, count, seen):
        super().__init__(daemon=True)
        self.connection = Connection(server, token)
        self.routes, self.generator, self.count, self.seen = routes, generator, count, seen
        self.error = None

    def run(self):
        try:
            for number in range(self.count):
                method, pattern = self.routes[number % len(self.routes)]
                # What stops the work of others is no malformed request.
                if method == "ANY":
                    method = self.generator.random.choice(["GET", "PUT", "DELETE"])
                head, headers, body = self.generator.request(method, pattern)
                found = self.connection.ask(head, headers, body)
                status = found and found[0]
                self.seen.append((method, pattern, status))
                if status and status >= 500:
                    raise Failed(f"{status} for {head[:600]!r} {[h[:80] for h in headers]} {body[:600]!r}: {found[1][:300]!r}")
                if status and b"panicked" in found[1]:
                    raise Failed(f"{head[:300]!r}: {found[1][:300]!r}")
        except BaseException as error:
            self.error = error
        finally:
            self.connection.close()


def memory(server):
    """Resident bytes of the server, at most until now."""
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) << 10


def announced(server, token, place):
    """Bodies that are announced, and sent for a while, but never whole."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")  # forget the highest mark
    before = memory(server)
    targets = [(b"POST", b"/api/2.0/mlflow/runs/log-batch"), (b"POST", b"/api/2.0/mlflow/experiments/create"), (b"POST", b"/api/2.0/mlflow/runs/log-inputs"),
               (b"PUT", b"/api/2.0/mlflow-artifacts/artifacts/" + place.encode()), (b"POST", b"/v1/traces"), (b"POST", b"/api/3.0/mlflow/traces"),
               (b"POST", b"/graphql"), (b"POST", b"/api/sealyard/v1/tokens"), (b"POST", b"/ajax-api/2.0/mlflow/upload-artifact?run_id=x&path=y")]
    open_connections = []
    for method, target in targets:
        for headers, piece in [([b"Content-Length: %d" % (1 << 50)], b"{" + b" " * 65536), ([b"Content-Length: 999999999999999999999999"], b"x"),
                               ([b"Transfer-Encoding: chunked"], b"7fffffffffffffff\r\n" + b" " * 65536), ([b"Content-Length: %d" % (900 << 20)], b"[" * 65536)]:
            for kind in (b"application/json", b"application/x-protobuf", b"multipart/form-data; boundary=x"):
                connection = server.raw(timeout=60)
                lines = [method + b" " + target + b" HTTP/1.1", b"Host: " + server.host.encode(), b"Authorization: Bearer " + token.encode(),
                         b"Content-Type: " + kind, *headers, b"", b""]
                try:
                    connection.sendall(b"\r\n".join(lines) + piece)
                except OSError:
                    pass
                open_connections.append(connection)
    time.sleep(1)
    grown = memory(server) - before
    for connection in open_connections:
        connection.close()
    if grown > MOST_GROWTH:
        raise Failed(f"the server's memory grew by {grown >> 20} MiB for {len(open_connections)} bodies that were only announced")
    print(f"ok      {len(open_connections)} announced bodies of up to a pebibyte: {grown >> 20} MiB more", flush=True)


def script():
    print(f"MALFORMED_SEED={SEED}", flush=True)
    routes = endpoints()
    with Folder() as folder, Server(folder) as server:
        server.start()
        client = server.client()
        experiment = client.mlflow("POST", "experiments/create", name="malformed")["experiment_id"]
        run = client.mlflow("POST", "runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"]
        model = client.mlflow("POST", "logged-models", experiment_id=experiment, name="model")["model"]["info"]["model_id"]
        client.mlflow("POST", "registered-models/create", name="fraud")
        place = f"{experiment}/{run}/artifacts/x"
        client.call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{place}", body=b"x")
        known = {"experiment_id": experiment, "run_id": run, "run_uuid": run, "model_id": model, "name": "fraud", "version": "1", "path": place,
                 "experiment_ids": [experiment], "key": "k", "value": "v", "metric_key": "k", "timestamp": 1, "step": 1}
        before = server.log.read_text(errors="replace").count("panicked")
        seen = []
        started = time.monotonic()
        senders = []
        for number in range(THREADS):
            # Each begins elsewhere, so that all routes are asked by all.
            source = random.Random(f"{SEED}/{number}")
            mine = routes[:]
            source.shuffle(mine)
            generator = Generator(source, known)
            senders.append(Sender(server, server.token, mine, generator, REQUESTS // THREADS, seen))
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
            if sender.error:
                raise sender.error if isinstance(sender.error, Failed) else Failed(f"{sender.error!r}\n{server.tail()}")
        seconds = time.monotonic() - started
        log = server.log.read_text(errors="replace")
        check("panics in the log", log.count("panicked") - before, 0)
        check("the server runs", server.process.poll(), None)
        kinds = {}
        for _, _, status in seen:
            kinds[status and status // 100] = kinds.get(status and status // 100, 0) + 1
        if kinds.get(4, 0) < len(seen) // 2:
            raise Failed(f"too few requests were refused to mean anything: {kinds}")
        asked = {(method, pattern) for method, pattern, _ in seen}
        check("routes that were not asked", [route for route in routes if route[0] != "ANY" and route not in asked], [])
        shown = ", ".join(f"{kind}xx {count}" if kind else f"closed {count}" for kind, count in sorted(kinds.items(), key=str))
        print(f"ok      {len(seen)} requests to {len(routes)} routes in {seconds:.0f} s: {shown}", flush=True)
        announced(server, server.token, place)
        # Everything is still there and works; the connection may have been let go meanwhile.
        client.close()
        client = server.client()
        check("the run", client.ask("GET", f"/api/2.0/mlflow/runs/get?run_id={run}").status in (200, 404), True)
        client.mlflow("POST", "experiments/create", name="after it all")
        client.close()
        server.stop()
        server.verify_ledger()


if __name__ == "__main__":
    main(script)
