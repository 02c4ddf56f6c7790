#!/usr/bin/env python3
"""The ledger sent on to real receivers: a file, rsyslog over TLS and over TCP, and an OpenTelemetry collector (rotel).

`SEALYARD` names the binary. Needs rsyslog with its gnutls driver (Debian: rsyslog, rsyslog-gnutls), openssl, and rotel (PyPI),
which `ROTEL` names or PATH has. Each receiver must get every entry, in order; while one is away nothing is lost.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
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


def whole(indexes, size):
    """At least once and in order: each index comes first after the one before it."""
    first = list(dict.fromkeys(indexes))
    return first[:size] == list(range(size))


def main():
    with Folder() as folder:
        certificate(folder)
        tls_port, tcp_port, otlp_port = free_port(), free_port(), free_port()
        receivers = []
        try:
            over_tls, tls_out = rsyslog(folder, "tls", tls_port, True)
            receivers.append(over_tls)
            over_tcp, tcp_out = rsyslog(folder, "tcp", tcp_port, False)
            receivers.append(over_tcp)
            rotel = [tool("rotel", "pip install rotel", "ROTEL"), "start", "--otlp-http-endpoint", f"127.0.0.1:{otlp_port}",
                     "--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}", "--exporter", "blackhole", "--debug-log", "logs",
                     "--debug-log-verbosity", "detailed"]
            otlp_log = folder / "rotel.log"
            receivers.append(Process(rotel, otlp_log, otlp_port))
            (folder / "sealyard.toml").write_text(f'''
[ledger.export.file]
kind = "file"
path = "{folder}/ledger.jsonl"

[ledger.export.tls]
kind = "syslog"
address = "localhost:{tls_port}"
ca = "ca.pem"

[ledger.export.tcp]
kind = "syslog"
address = "127.0.0.1:{tcp_port}"
tls = false

[ledger.export.otlp]
kind = "otlp"
url = "http://127.0.0.1:{otlp_port}/v1/logs"
''')
            with Server(folder, arguments=["--config", str(folder / "sealyard.toml")]) as server:
                server.start()
                client = server.client()
                for number in range(300):
                    client.mlflow("POST", "experiments/create", name=f"e{number}")
                size = len(entries(client))
                until("the file has everything", lambda: whole(file_indexes(folder / "ledger.jsonl"), size))
                until("rsyslog over TLS has everything", lambda: whole(syslog_indexes(tls_out), size))
                until("rsyslog over TCP has everything", lambda: whole(syslog_indexes(tcp_out), size))
                until("the collector has everything", lambda: whole(otlp_indexes(otlp_log), size))
                check("no entry is in the file twice", len(file_indexes(folder / "ledger.jsonl")) >= size, True)

                over_tls.stop()
                for number in range(20):
                    client.mlflow("POST", "experiments/create", name=f"later{number}")
                server.stop()
                server.start()
                over_tls.start()
                size = len(entries(server.client()))
                until("what came while it was away", lambda: whole(syslog_indexes(tls_out), size))
                until("the file goes on", lambda: whole(file_indexes(folder / "ledger.jsonl"), size))
                found = file_indexes(folder / "ledger.jsonl")
                check("no entry is in the file twice", found, list(range(len(found))))
                server.stop()
                server.verify_ledger()
        finally:
            for receiver in receivers:
                receiver.stop()
    print("ok: a file, rsyslog over TLS and TCP, and an OpenTelemetry collector got every entry, in order")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"error: {failed}")
