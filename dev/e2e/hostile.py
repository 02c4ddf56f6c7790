#!/usr/bin/env python3
"""Attacks a server from outside, byte by byte over TLS, and checks which rule refused what.

Each case is one line of a table below. No answer may be a 5xx, hold a path of the server's or the content of a file that
is not an artifact, and at the end nothing may have changed that the attacks aimed at.
"""

import base64
import hashlib
import json
import os
import re
import socket
import threading
import time
from pathlib import Path
from urllib.parse import quote

from harness import Failed, Folder, Server, check, main

SOURCES = Path(__file__).resolve().parents[2] / "crates" / "api" / "src"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
MLFLOW = "/api/2.0/mlflow"
# A server gives a client 15 s for its headers; a bit more on a busy machine.
DROPPED_SECONDS = 40

# Each is put below the proxy, and behind a run's artifacts.
TRAVERSALS = [
    "../x", "../../../../../../etc/passwd", "a/../../x", "..", "a/..", "./x", ".", "a/./b",
    "%2e%2e/x", "%2E%2E/x", ".%2e/x", "%2e./x", "%2e%2e%2fx", "..%2fx", "..%2f..%2f..%2f..%2fetc%2fpasswd", "a%2f..%2f..%2fx",
    "%252e%252e/x", "%252e%252e%252fx", "..%252fx", "%25252e%25252e%25252fx", "a%252fb", "a%255cb",
    "x%00", "x%00.txt", "%00", "..%00/x", "x%2500",
    "..%5cx", "..%5c..%5cx", "a%5cb", "%5cetc%5cpasswd", "C:%5cx",
    "/etc/passwd", "%2fetc/passwd", "%2fetc%2fpasswd", "//etc/passwd", "a//b",
    "%c0%ae%c0%ae/x", "%e0%80%ae%e0%80%ae/x", "%ff", "x%0d%0aSet-Cookie:a", "x%0a", "%zz", "%", "%2",
]
# Not even a request target, for most servers.
RAW_TARGETS = ["..\\..\\x", "\\etc\\passwd", "x\x00y", "x y", "x\ty", "\xff\xfe"]
# Decoded, in a parameter.
PARAMETERS = ["..", "../x", "a/../../x", "/etc/passwd", "//etc", ".", "./x", "a//b", "..\\x", "a\\b", "x\0", "x\n",
              "%2e%2e/x", "..%2fx", "%252e%252e", "x%00"]
SOURCES_ELSEWHERE = [
    "file:///etc/passwd", "file:/etc", "file://localhost/etc", "/etc/passwd", "/etc", "etc/passwd", "../../etc", "FILE:///etc/passwd",
    "s3://bucket/x", "http://169.254.169.254/latest/meta-data", "https://127.0.0.1/x", "ftp://h/x", "dbfs:/x", "data:,x",
    "mlflow-artifacts://evil.example/1/r/artifacts/x", "mlflow-artifacts:/..", "mlflow-artifacts:/1/../../etc",
    "runs:/", "models:/", "models:/m-1/../../x", "models:/other/1", "\\\\evil.example\\share", "file:///etc/passwd#x", "file:///etc/passwd?x",
]
SAME_IDS = ["01", "+1", " 1", "1 ", "1.0", "0x1", "1e0", "-1", "１", "1\0", "1/", "1%", "", "1,2"]


class Attacker:
    def __init__(self, server, token):
        self.server, self.token = server, token
        self.asked = 0

    def ask(self, method, target, body=b"", headers=(), token=True, host=None):
        """One request, its bytes as given; the answer's status, headers and body, or `None` for a closed connection."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"Host: {host or self.server.host}"] if host != "" else []
        lines += [f"Authorization: Bearer {self.token if token is True else token}"] if token else []
        names = {line.split(":")[0].lower() for line in headers}
        lines += [f"Content-Length: {len(body)}"] if not names & {"content-length", "transfer-encoding"} else []
        lines += [*headers, "Connection: close", "", ""]
        self.asked += 1
        try:
            found = self.send("\r\n".join(lines).encode("latin-1"), body)
        except TimeoutError:
            raise Failed(f"{method} {target[:100]!r} {[line[:60] for line in headers][:3]}: no answer, and the connection is kept open") from None
        if found is None:
            return None
        status, head, content = found
        shown = f"{method} {target[:100]!r}"
        if status >= 500:
            raise Failed(f"{shown}: {status} {content[:300]!r}\n{self.server.tail()}")
        if str(self.server.folder).encode() in content or b"root:x:0" in content:
            raise Failed(f"{shown}: the answer tells what it should not: {content[:300]!r}")
        return status, head, content

    def send(self, head, body):
        connection = self.server.raw()
        try:
            try:
                connection.sendall(head)
                connection.sendall(body)
            except OSError:
                pass  # the answer may come before the server has read it all
            received = b""
            try:
                while piece := connection.recv(65536):
                    received += piece
            except TimeoutError:
                raise
            except OSError:
                pass
        finally:
            connection.close()
        if not received.startswith(b"HTTP/1.1 "):
            return None
        head, _, content = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return int(lines[0].split()[1]), headers, content

    def refused(self, what, method, target, body=b"", rule=None, statuses=range(400, 500), **more):
        """The request is refused, and by `rule` if one is named."""
        found = self.ask(method, target, body, **more)
        if found is None:
            if rule:
                raise Failed(f"{what}: {method} {target[:200]!r}: the connection was closed; expected rule {rule}")
            return
        status, _, content = found
        if status not in statuses:
            raise Failed(f"{what}: {method} {target[:200]!r}: {status} {content[:300]!r}")
        if rule and rule not in rules(content):
            raise Failed(f"{what}: {method} {target[:200]!r}: refused, but not by {rule}: {status} {content[:300]!r}")

    def call(self, method, path, value):
        status, _, content = self.ask(method, f"{MLFLOW}/{path}", value, headers=["Content-Type: application/json"])
        if status != 200:
            raise Failed(f"{method} {path}: {status} {content[:300]!r}")
        return json.loads(content)


def rules(content):
    try:
        return json.loads(content).get("rules", [])
    except (ValueError, AttributeError):
        return []


def unchanged(server):
    """What no attack may touch: the files beside the data directory, its keys, and the stored objects."""
    found = {}
    for root, _, names in os.walk(server.folder):
        for name in names:
            path = Path(root, name)
            if not name.startswith(("catalog.sqlite", "ledger.checkpoint", "rows.sealed")) and path != server.log:
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def traversal(attacker, place):
    for variant in TRAVERSALS:
        for target in [f"{PROXY}/{variant}", f"{PROXY}/{place}/{variant}", f"/ajax-api/2.0/mlflow-artifacts/artifacts/{place}/{variant}"]:
            for method, body in [("GET", b""), ("PUT", b"attack"), ("DELETE", b"")]:
                attacker.refused("traversal", method, target, body, rule="artifact.path")
        # Through another route, and out of the proxy's.
        attacker.refused("traversal", "GET", f"/api/sealyard/v1/models/m/versions/1/files/{variant}")
        attacker.refused("traversal", "GET", f"/api/2.0/mlflow-artifacts/{variant}")
        attacker.refused("traversal", "GET", f"/{variant}")
    for variant in RAW_TARGETS:
        for method in ["GET", "PUT", "DELETE"]:
            attacker.refused("no request target", method, f"{PROXY}/{place}/{variant}")
    run = place.split("/")[1]
    for variant in PARAMETERS:
        attacker.refused("traversal in a parameter", "GET", f"{PROXY}?path={quote(variant, safe='')}", rule="artifact.path")
        attacker.refused("traversal in a parameter", "GET", f"{PROXY}?path={quote(f'{place}/{variant}', safe='')}", rule="artifact.path")
        attacker.refused("traversal in a parameter", "GET", f"{MLFLOW}/artifacts/list?run_id={run}&path={quote(variant, safe='')}",
                         rule="artifact.path")


def emptying(attacker, place):
    run = place.rsplit("/", 1)[0]
    for target in ["", "/", "/.", "/./", "//", "/%2e", f"/{place}/.", f"/{place}//", f"/{place}/%2e", f"/{place}/..", f"/{run}", f"/{run}/",
                   f"/{place}", f"/{place}/"]:
        attacker.refused("emptying", "DELETE", PROXY + target)
    status, _, content = attacker.ask("GET", f"{PROXY}/{place}/known.txt")
    check("the artifact after attempts to empty everything", (status, content), (200, b"known"))


def same_ids(attacker, experiment, run):
    check("the experiment's id", experiment, "1")
    for other in SAME_IDS:
        shown = quote(other, safe="")
        attacker.refused("an id that is not quite it", "GET", f"{MLFLOW}/experiments/get?experiment_id={shown}")
        if other:  # none at all is the default experiment, as with MLflow
            attacker.refused("an id that is not quite it", "POST", f"{MLFLOW}/runs/create", {"experiment_id": other, "start_time": 1})
        attacker.refused("an id that is not quite it", "POST", f"{MLFLOW}/experiments/delete", {"experiment_id": other})
        attacker.refused("an id that is not quite it", "GET", f"{PROXY}/{shown}/{run}/artifacts/known.txt")
        attacker.refused("an id that is not quite it", "GET", f"{MLFLOW}/model-versions/get?name=m&version={shown}")
    for other in [run.upper(), run + "%20", run[:-1], "%20" + run, run + "/", "*", "%25"]:
        attacker.refused("a run's id that is not quite it", "GET", f"{MLFLOW}/runs/get?run_id={other}")


def names(attacker):
    health = "/api/2.0/mlflow/experiments/search?max_results=1"
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "evil.example:443", "[::2]", "127.0.0.1@evil.example", "0"]:
        attacker.refused("another host's name", "GET", health, host=host, statuses=(400, 403))
        attacker.refused("another host's name", "GET", "/health", host=host, statuses=(400, 403))
    attacker.refused("another host's name", "GET", health, host="evil.example", rule="http.host")
    attacker.refused("another host's name", "GET", "/health", host="evil.example", rule="http.host", token=None)
    attacker.refused("no host", "GET", health, host="", statuses=(400, 403))
    attacker.refused("two hosts", "GET", health, headers=["Host: evil.example"], statuses=(400, 403))
    attacker.refused("another host in the target", "GET", "https://evil.example" + health, statuses=(400, 403))
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1.evil.example", "file://"]:
        for method in ["POST", "PUT", "PATCH", "DELETE"]:
            attacker.refused("another origin", method, f"{MLFLOW}/runs/create", {"experiment_id": "1"}, headers=[f"Origin: {origin}"],
                             rule="http.origin")
    attacker.refused("another site", "POST", f"{MLFLOW}/runs/create", {"experiment_id": "1"}, headers=["Sec-Fetch-Site: cross-site"],
                     rule="http.origin")


def sizes(attacker, place):
    create = f"{MLFLOW}/experiments/create"
    attacker.refused("a large header", "GET", "/health", headers=["X-Large: " + "x" * 200_000], statuses=(400, 431))
    attacker.refused("many headers", "GET", "/health", headers=[f"X-{n}: x" for n in range(5000)], statuses=(400, 431))
    attacker.refused("a long target", "GET", "/health?" + "x" * 200_000, statuses=(400, 414, 431))
    attacker.refused("a large body", "POST", create, b'{"name":"' + b"x" * (40 << 20) + b'"}')
    attacker.refused("a deep body", "POST", create, b'{"name":' + b"[" * 1_000_000)
    attacker.refused("a deep unknown field", "POST", create, b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"name":"deep"}')
    attacker.refused("a compressed body", "POST", create, base64.b64decode("H4sIAAAAAAAA/6tWykvMTVWyUsqtVKoFAEbbRMIPAAAA"),
                     headers=["Content-Encoding: gzip"])
    attacker.refused("a large announced artifact", "PUT", f"{PROXY}/{place}/large", b"x", headers=[f"Content-Length: {1 << 50}"])
    attacker.refused("many parameters", "GET", f"{MLFLOW}/experiments/search?" + "&".join(f"a{n}=1" for n in range(5000)))
    for name in ["x" * 100_000, "a\0b", ""]:
        attacker.refused("an odd name", "POST", create, {"name": name})
    for location in ["file:///etc", "/etc", "s3://bucket/x", "http://127.0.0.1/", "mlflow-artifacts:/../x"]:
        found = attacker.ask("POST", create, {"name": f"at {location}", "artifact_location": location})
        if found[0] == 200:
            made = json.loads(found[2])["experiment_id"]
            said = attacker.call("GET", f"experiments/get?experiment_id={made}", b"")["experiment"]["artifact_location"]
            if not said.startswith("mlflow-artifacts:/") or ".." in said:
                raise Failed(f"an experiment lies at {said!r}")
    for headers, body in [(["Content-Length: -1"], b""), (["Content-Length: +5"], b"hello"), (["Content-Length: 2", "Content-Length: 5"], b"{}abc"),
                          (["Transfer-Encoding: chunked", "Content-Length: 3"], b"zz\r\n"), (["Transfer-Encoding: xchunked"], b"{}"),
                          (["Transfer-Encoding: chunked"], b"ffffffffffffffffff\r\nx")]:
        attacker.refused("an ambiguous length", "POST", create, body, headers=headers)


def routes():
    """Every path that the sources of the API name, below every root it could be mounted at."""
    found = set()
    for path in SOURCES.rglob("*.rs"):
        if "inference" in path.parts or path.name == "open.rs":
            continue
        found |= set(re.findall(r"\.route\(\s*\"([^\"]+)\"", path.read_text()))
    if len(found) < 50:
        raise Failed(f"only {len(found)} routes were found in {SOURCES}")
    filled = {re.sub(r"\{[^}]*\}", "1", path) for path in found}
    roots = ["/api/2.0/mlflow", "/ajax-api/2.0/mlflow", "/api/3.0/mlflow", "/api/sealyard/v1"]
    proxied = [f"/{root}/2.0/mlflow-artifacts/artifacts{path}" for root in ["api", "ajax-api"] for path in ["", "/", "/1/1/artifacts/x"]]
    upstream = ["/", "/graphql", "/get-artifact", "/model-versions/get-artifact", "/v1/traces", "/metrics", "/static-files/x", "/signup", "/ajax-api/2.0/mlflow/upload-artifact",
                "/api/2.0/mlflow-artifacts/mpu/create/1/1/artifacts/x", "/api/2.0/mlflow-artifacts/presigned/1/1/artifacts/x", "/api/2.0/mlflow/users/create",
                "/api/2.0/mlflow/webhooks", "/api/3.0/mlflow/traces", "/api/3.0/jobs/"]
    return [root + path for root in roots for path in sorted(filled)] + proxied + upstream


def anonymous(server):
    """Nobody gets further than 401 on any route, by any method; a kept connection is no credential either."""
    client = server.client(basic=("", ""))
    client.headers = {}
    asked = 0
    for path in routes():
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]:
            answer = client.ask(method, path, {} if method in ("POST", "PUT", "PATCH") else None)
            asked += 1
            client.close()  # a server may end a connection whose body it did not read
            # A log-in of a command line brings its code here, and has nothing else to show.
            log_in = path.endswith("/account/command-line") and answer.status in (400, 403, 404, 405)
            if answer.status != 401 and not log_in:
                raise Failed(f"anonymous {method} {path}: {answer}")
    client.close()
    return asked


def credentials(attacker):
    path = f"{MLFLOW}/experiments/search?max_results=1"
    basic = lambda text: "Authorization: Basic " + base64.b64encode(text.encode()).decode()
    token = attacker.token
    for line in ["Authorization: Bearer", "Authorization: Bearer ", f"Authorization: Bearer {token[:-1]}", f"Authorization: Bearer {token}x",
                 f"Authorization: Bearer {token.swapcase()}", f"Authorization: Token {token}", f"Authorization: {token}", "Authorization: Basic",
                 "Authorization: Basic !!!", basic("admin"), basic("admin:"), basic(":"), basic("admin:password"), basic("admin:password1234"),
                 basic(f"admin:{token}"), basic("admin\0:x"), "Authorization: Digest x", "Cookie: session=admin", "X-Forwarded-User: admin",
                 "X-MLFLOW-WORKSPACE: default", "Authorization: Bearer " + "x" * 20_000]:
        attacker.refused("a credential", "GET", path, headers=[line], token=None, statuses=(401, 429))
    attacker.refused("two credentials", "GET", path, headers=[f"Authorization: Bearer {token}"], statuses=(401,))
    attacker.refused("a token in the query", "GET", f"{path}&access_token={token}&token={token}", token=None, statuses=(401,))
    status = None
    for _ in range(40):
        status = attacker.ask("GET", path, headers=[basic("guessed:wrong")], token=None)[0]
        if status == 429:
            break
    check("status after many wrong passwords", status, 429)
    check("status of the token meanwhile", attacker.ask("GET", path)[0], 200)


def sources(attacker, other, place):
    """`attacker` may make versions of a model, and may not read the run at `place`."""
    run = place.split("/")[1]
    attacker.call("POST", "registered-models/create", {"name": "mallory-model"})
    create = f"{MLFLOW}/model-versions/create"
    for source in SOURCES_ELSEWHERE:
        for tags in [[], [{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "x"}]]:
            attacker.refused("a source elsewhere", "POST", create, {"name": "mallory-model", "source": source, "tags": tags})
    for source in ["file:///etc/passwd", "/etc/passwd", "s3://bucket/x", "http://169.254.169.254/latest/meta-data"]:
        attacker.refused("a source elsewhere", "POST", create, {"name": "mallory-model", "source": source}, rule="version.source")
    for source in [f"runs:/{run}/known.txt", f"runs:/{run}", f"mlflow-artifacts:/{place}", f"mlflow-artifacts:/{place}/known.txt"]:
        for more in [{}, {"run_id": run}]:
            attacker.refused("another user's run", "POST", create, {"name": "mallory-model", "source": source, **more}, statuses=(403, 404))
    for target in [f"{PROXY}/{place}/known.txt", f"{PROXY}?path={place}", f"{MLFLOW}/artifacts/list?run_id={run}", f"{MLFLOW}/runs/get?run_id={run}"]:
        attacker.refused("another user's run", "GET", target, statuses=(403, 404))
    attacker.refused("another user's run", "PUT", f"{PROXY}/{place}/known.txt", b"attack", statuses=(403, 404))
    attacker.refused("another user's run", "DELETE", f"{PROXY}/{place}/known.txt", statuses=(403, 404))
    seen = [attacker.ask("GET", f"{MLFLOW}/runs/get?run_id={id}")[0] for id in (run, "0" * 32)]
    check("status for another's run and for none", *seen)
    check("the other user's artifact", other.ask("GET", f"{PROXY}/{place}/known.txt")[2], b"known")


def pages(attacker, place):
    """What a browser would make of an artifact: nothing."""
    page = b"<script>alert(1)</script>"
    check("upload of a page", attacker.ask("PUT", f"{PROXY}/{place}/page.html", page, headers=["Content-Type: text/html"])[0], 200)
    _, headers, content = attacker.ask("GET", f"{PROXY}/{place}/page.html")
    check("the page's content", content, page)
    check("the page's type", headers["content-type"], "application/octet-stream")
    check("nosniff", headers.get("x-content-type-options"), "nosniff")
    check("attachment", headers["content-disposition"].startswith("attachment"), True)
    _, headers, content = attacker.ask("GET", "/api/2.0/mlflow/runs/get?run_id=" + quote("<script>alert(1)</script>"))
    check("type of an error", headers["content-type"].startswith("application/json"), True)


def wait_for_end(connection, began):
    """Seconds until the server closes the connection, or `None`."""
    connection.settimeout(1)
    while time.monotonic() - began < DROPPED_SECONDS:
        try:
            if not connection.recv(65536):
                return time.monotonic() - began
        except TimeoutError:
            pass
        except OSError:
            return time.monotonic() - began
    return None


def slow(server, token):
    """Clients that keep a connection and do nothing with it are dropped, and disturb nobody."""
    head = f"POST {MLFLOW}/experiments/create HTTP/1.1\r\nHost: {server.host}\r\nAuthorization: Bearer {token}\r\n".encode()
    starts = {"no handshake": None, "no request": b"", "one letter": b"P", "half a request": head, "half a body": head + b"Content-Length: 100\r\n\r\n{"}
    ends = {}

    def one(name, begin):
        plain = socket.create_connection((server.host, server.port), timeout=10)
        connection = plain if begin is None else server.tls.wrap_socket(plain, server_hostname=server.host)
        began = time.monotonic()
        if begin:
            connection.sendall(begin)
        ends[name] = wait_for_end(connection, began)
        connection.close()

    def dripping():
        connection = server.raw()
        began = time.monotonic()
        connection.sendall(head)
        end = None
        while end is None and time.monotonic() - began < DROPPED_SECONDS:
            try:
                connection.sendall(b"X")
                connection.settimeout(0.5)
                if not connection.recv(1000):
                    end = time.monotonic() - began
            except TimeoutError:
                pass
            except OSError:
                end = time.monotonic() - began
        ends["a header in drops"] = end
        connection.close()

    threads = [threading.Thread(target=one, args=item, daemon=True) for item in starts.items()]
    threads.append(threading.Thread(target=dripping, daemon=True))
    threads += [threading.Thread(target=one, args=(f"crowd {n}", head), daemon=True) for n in range(100)]
    for thread in threads:
        thread.start()
    time.sleep(3)
    client = server.client()
    began = time.monotonic()
    check("health while others are slow", client.ask("GET", "/health").status, 200)
    client.close()
    if time.monotonic() - began > 5:
        raise Failed("slow clients make the server slow for others")
    for thread in threads:
        thread.join(DROPPED_SECONDS + 20)
    kept = [name for name in ["a header in drops", *starts] if ends.get(name) is None]
    if kept:
        raise Failed(f"not dropped within {DROPPED_SECONDS} s: {', '.join(kept)}")


def script():
    with Folder() as folder, Server(folder) as server:
        server.start()
        (folder / "x").write_text("outside")
        _, token = server.user("ann", ("MANAGE", "experiment:*"), ("MANAGE", "registered-model:*"))
        _, poor = server.user("mallory", ("MANAGE", "registered-model:mallory-*"))
        ann, admin, mallory = Attacker(server, token), Attacker(server, server.token), Attacker(server, poor)
        experiment = ann.call("POST", "experiments/create", {"name": "target"})["experiment_id"]
        run = ann.call("POST", "runs/create", {"experiment_id": experiment, "start_time": 1})["run"]["info"]["run_id"]
        place = f"{experiment}/{run}/artifacts"
        check("an upload", ann.ask("PUT", f"{PROXY}/{place}/known.txt", b"known")[0], 200)
        before = unchanged(server)
        for name, act in [
            ("traversal", lambda: (traversal(ann, place), traversal(admin, place))),
            ("emptying", lambda: (emptying(ann, place), emptying(admin, place))),
            ("ids", lambda: (same_ids(ann, experiment, run), same_ids(admin, experiment, run))),
            ("names and origins", lambda: names(ann)),
            ("sources", lambda: sources(mallory, ann, place)),
            ("sizes", lambda: sizes(ann, place)),
            ("anonymous", lambda: anonymous(server)),
            ("credentials", lambda: credentials(ann)),
        ]:
            began = time.monotonic()
            act()
            check(f"files after {name}", unchanged(server), before)
            print(f"ok      {name} ({time.monotonic() - began:.1f} s)", flush=True)
        pages(ann, place)
        slow(server, token)
        print("ok      pages, slow clients")
        check("the artifact at the end", ann.ask("GET", f"{PROXY}/{place}/known.txt")[2], b"known")
        server.stop()
        print(f"ok      ledger of {server.verify_ledger()} entries; {ann.asked + admin.asked + mallory.asked} hostile requests")


if __name__ == "__main__":
    main(script)
