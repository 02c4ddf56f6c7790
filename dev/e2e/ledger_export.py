#!/usr/bin/env python3
"""The ledger sent on to real receivers: a file, rsyslog over TLS and over TCP, an OpenTelemetry collector (rotel), a webhook.

`SEALYARD` names the binary. Needs rsyslog with its gnutls driver (Debian: rsyslog, rsyslog-gnutls), openssl, and rotel's agent
(PyPI: rotel), which `ROTEL` names. Each receiver must get every entry, in order; while one is away, hostile or the server is
killed, nothing is lost, and requests are answered.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from harness import Failed, Folder, Server, check, entries

SECONDS = 60


def tool(name, package, variable=None):
    path = os.environ.get(variable or "") or shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        sys.exit(f"error: {name} is not installed\nhint: {package}")
    return path


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, ready):
    end = time.monotonic() + SECONDS
    while True:
        found = ready()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {SECONDS} s")
        time.sleep(0.1)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    def __init__(self, command, log, port):
        self.command, self.log, self.port = command, log, port
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        until(f"{self.command[0]} listens", lambda: answers(self.port))

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)


def certificate(folder):
    def openssl(*arguments):
        subprocess.run([tool("openssl", "apt-get install openssl"), *arguments], check=True, capture_output=True, cwd=folder)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "2", "-subj", "/CN=test authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "syslog.key", "-out", "syslog.csr",
            "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "syslog.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "syslog.pem")


def rsyslog(folder, name, port, tls):
    out = folder / f"{name}.out"
    driver = f'''global(defaultNetstreamDriverCAFile="{folder}/ca.pem" defaultNetstreamDriverCertFile="{folder}/syslog.pem"
       defaultNetstreamDriverKeyFile="{folder}/syslog.key")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")''' if tls else 'module(load="imtcp")'
    (folder / f"{name}.conf").write_text(f'''global(workDirectory="{folder}" maxMessageSize="128k")
{driver}
template(name="all" type="string" string="%pri% %app-name% %msgid% %structured-data% %msg%\\n")
input(type="imtcp" address="127.0.0.1" port="{port}")
action(type="omfile" file="{out}" template="all")
''')
    command = [tool("rsyslogd", "apt-get install rsyslog rsyslog-gnutls"), "-n", "-i", f"{folder}/{name}.pid", "-f", f"{folder}/{name}.conf"]
    return Process(command, folder / f"{name}.log", port), out


def syslog_indexes(out):
    text = out.read_text(errors="replace") if out.exists() else ""
    return [int(index) for index in re.findall(r'^\d+ sealyard \S+ \[sealyard@32473 index="(\d+)"', text, re.MULTILINE)]


def file_indexes(path):
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line)["index"] for line in lines]


def otlp_indexes(log):
    text = log.read_text(errors="replace") if log.exists() else ""
    return [int(index) for index in re.findall(r"sealyard\.ledger\.index\W+(?:\w+\W+)?(\d+)", text)]


class Hook(http.server.ThreadingHTTPServer):
    """Takes what is signed with the secret; before that it is as bad a receiver as it can be."""

    SECRET = "a secret of the webhook"

    def __init__(self):
        self.indexes, self.wrong, self.asked, self.bad = [], [], 0, True
        super().__init__(("127.0.0.1", 0), HookRequest)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class HookRequest(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        hook = self.server
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        hook.asked += 1
        if hook.bad:
            # An answer that never ends, then a way elsewhere, then an error.
            self.send_response([503, 307, 500][hook.asked % 3])
            self.send_header("Location", f"http://127.0.0.1:{hook.server_port}/elsewhere")
            self.end_headers()
            try:
                while hook.asked % 3 == 0 and hook.bad:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                pass
            return
        identity, sent = self.headers["X-MLflow-Delivery-Id"], self.headers["X-MLflow-Timestamp"]
        tag = hmac.new(hook.SECRET.encode(), f"{identity}.{sent}.{body}".encode(), hashlib.sha256).digest()
        if self.path != "/ledger" or self.headers["X-MLflow-Signature"] != "v1," + base64.b64encode(tag).decode():
            hook.wrong.append(self.path)
        if abs(time.time() - int(sent)) > 60:
            hook.wrong.append(sent)
        hook.indexes.extend(entry["index"] for entry in json.loads(body)["entries"])
        self.send_response(204)
        self.end_headers()


def whole(indexes, size):
    """At least once and in order: each index comes first after the one before it."""
    first = list(dict.fromkeys(indexes))
    return first[:size] == list(range(size))


def settings(folder, tls_port, tcp_port, otlp_port, hook_port):
    secret = folder / "hook.secret"
    secret.write_text(Hook.SECRET + "\n")
    secret.chmod(0o600)
    path = folder / "sealyard.toml"
    path.write_text(f'''
[ledger.export.file]
kind = "file"
path = "{folder}/ledger.jsonl"

[ledger.export.tls]
kind = "syslog"
address = "localhost:{tls_port}"
ca = "ca.pem"
personal = true

[ledger.export.tcp]
kind = "syslog"
address = "127.0.0.1:{tcp_port}"
tls = false

[ledger.export.otlp]
kind = "otlp"
url = "http://127.0.0.1:{otlp_port}/v1/logs"

[ledger.export.hook]
kind = "webhook"
url = "http://127.0.0.1:{hook_port}/ledger"
secret_file = "hook.secret"
''')
    return path


def main():
    with Folder() as folder:
        certificate(folder)
        tls_port, tcp_port, otlp_port = free_port(), free_port(), free_port()
        hook = Hook()
        receivers = []
        try:
            over_tls, tls_out = rsyslog(folder, "tls", tls_port, True)
            receivers.append(over_tls)
            over_tcp, tcp_out = rsyslog(folder, "tcp", tcp_port, False)
            receivers.append(over_tcp)
            rotel = [tool("rotel-agent", "pip install rotel, and ROTEL names its rotel-agent", "ROTEL"), "start",
                     "--otlp-http-endpoint", f"127.0.0.1:{otlp_port}", "--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}",
                     "--exporter", "blackhole", "--debug-log", "logs", "--debug-log-verbosity", "detailed"]
            otlp_log = folder / "rotel.log"
            receivers.append(Process(rotel, otlp_log, otlp_port))
            path = settings(folder, tls_port, tcp_port, otlp_port, hook.server_port)
            with Server(folder, arguments=["--config", str(path)]) as server:
                server.start()
                client = server.client()

                def everywhere(what, size):
                    for where, found in [
                        ("the file", lambda: file_indexes(folder / "ledger.jsonl")),
                        ("rsyslog over TLS", lambda: syslog_indexes(tls_out)),
                        ("rsyslog over TCP", lambda: syslog_indexes(tcp_out)),
                        ("the collector", lambda: otlp_indexes(otlp_log)),
                        ("the webhook", lambda: hook.indexes),
                    ]:
                        until(f"{where} has everything {what}", lambda: whole(found(), size))

                slowest = 0
                for number in range(300):
                    begun = time.monotonic()
                    client.mlflow("POST", "experiments/create", name=f"e{number}\u2028<13>1 - forged")
                    slowest = max(slowest, time.monotonic() - begun)
                until("the webhook was asked", lambda: hook.asked >= 2)
                check("nothing was taken by the bad receiver", hook.indexes, [])
                check("no request waits for a receiver", slowest < 5, True)
                hook.bad = False
                everywhere("at first", len(entries(client)))
                check("the file is its owner's", (folder / "ledger.jsonl").stat().st_mode & 0o777, 0o600)
                sources = [' source="127.0.0.1"]' in out.read_text() for out in (tls_out, tcp_out)]
                check("addresses of people are where they were asked for, and nowhere else", sources, [True, False])
                check("no message can be taken for two", "\u2028" in tls_out.read_text() + tcp_out.read_text(), False)

                for number in range(6):
                    for more in range(20):
                        client.mlflow("POST", "experiments/create", name=f"killed{number}-{more}")
                    time.sleep(number * 0.17)
                    server.kill()
                    server.start()
                    client = server.client()
                everywhere("after kills", len(entries(client)))

                over_tls.stop()
                for number in range(20):
                    client.mlflow("POST", "experiments/create", name=f"later{number}")
                server.stop()
                server.start()
                over_tls.start()
                everywhere("that came while one was away", len(entries(server.client())))
                found = file_indexes(folder / "ledger.jsonl")
                check("no entry is in the file twice", found, list(range(len(found))))
                check("every webhook was signed, and went where it should", hook.wrong, [])
                said = server.command("doctor", code=None)
                check("the doctor knows the exports", "kept elsewhere by file, hook, otlp, tcp, tls" in said, True)
                server.command("ledger", "erase", "--before", "1s")
                server.stop()
                server.verify_ledger()
        finally:
            for receiver in receivers:
                receiver.stop()
    print("ok: a file, rsyslog over TLS and TCP, an OpenTelemetry collector and a webhook got every entry, in order")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"error: {failed}")
