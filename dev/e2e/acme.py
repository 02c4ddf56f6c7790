"""Certificates from a real ACME directory: pebble (Debian: apt-get install pebble), which checks each proof over the network.

`tls-alpn-01`: the server starts while the directory is away and serves with its own certificate; then it gets one, and another at two
thirds of its life, while a connection stays open. `http-01`: gets one through the plain listener, which does nothing else, and after a
restart without the directory serves what it has. A directory that can't reach the server gives nothing, and the server serves on.

SEALYARD names the binary.
"""

import http.client
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import time

from harness import Failed, Folder, Server, check, main

DOMAIN = "ml.example.org"
SECONDS = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, found, seconds=SECONDS):
    """What `found` gives once it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.2)
    raise Failed(f"{what}: not within {seconds} s")


class Directory:
    """A pebble, and the name server that tells it that every name is this machine."""

    def __init__(self, folder, tls_port, http_port, life=None):
        self.folder, self.ports = folder, (tls_port, http_port)
        self.port, self.management, self.dns = free_port(), free_port(), free_port()
        self.life, self.processes = life, []
        self.certificate = folder / "pebble.crt"
        if not self.certificate.exists():
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                 "-keyout", folder / "pebble.key", "-out", self.certificate, "-subj", "/CN=pebble",
                 "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
                check=True, capture_output=True)

    def start(self):
        configuration = {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.certificate), "privateKey": str(self.folder / "pebble.key"),
            "tlsPort": self.ports[0], "httpPort": self.ports[1], "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
        }
        if self.life:
            configuration["certificateValidityPeriod"] = self.life
        file = self.folder / f"pebble-{self.port}.json"
        file.write_text(json.dumps({"pebble": configuration}))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PEBBLE")}
        log = open(self.folder / "pebble.log", "ab")
        names = ["pebble-challtestsrv", "-defaultIPv6", "", "-dns01", f"127.0.0.1:{self.dns}", "-http01", "", "-https01", "",
                 "-tlsalpn01", "", "-management", f"127.0.0.1:{free_port()}"]
        pebble = ["pebble", "-config", str(file), "-dnsserver", f"127.0.0.1:{self.dns}"]
        for command in (names, pebble):
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, env={**kept, "PEBBLE_VA_NOSLEEP": "1"}))
        until("the directory answers", self.answers)
        return self

    def answers(self):
        if any(process.poll() is not None for process in self.processes):
            raise Failed(f"pebble ended:\n{(self.folder / 'pebble.log').read_text()[-2000:]}")
        try:
            return self.get(self.port, "/dir")
        except OSError:
            return None

    def get(self, port, path):
        context = ssl.create_default_context(cafile=self.certificate)
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=10)
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def root(self):
        """Who signs what it gives out."""
        return self.get(self.management, "/roots/0")

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def settings(folder, name, directory, challenge, http_port):
    """A file of settings, and the arguments that name it."""
    lines = [
        "[tls]", 'mode = "acme"', "[tls.acme]", f'directory = "https://localhost:{directory.port}/dir"',
        f'ca_file = "{directory.certificate}"', f'domains = ["{DOMAIN}"]', 'contact = ["mailto:ops@example.org"]',
        f'challenge = "{challenge}"', "retry_seconds = 1",
    ]
    if challenge == "http-01":
        lines.append(f'http_address = "127.0.0.1:{http_port}"')
    file = folder / f"{name}.toml"
    file.write_text("\n".join(lines) + "\n")
    return ["--config", str(file)]


def launch(server, port):
    server.launch(f"127.0.0.1:{port}")
    until("the server starts", lambda: server.process.poll() is not None or server.ready.exists())
    if server.process.poll() is not None:
        raise Failed(f"the server did not start:\n{server.tail()}")


def connect(port, context):
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    return context.wrap_socket(plain, server_hostname=DOMAIN)


def trusting(root):
    return ssl.create_default_context(cadata=root)


def anybody():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def served(port):
    """The certificate that is served, unchecked."""
    with connect(port, anybody()) as stream:
        return stream.getpeercert(binary_form=True)


def good(port, root):
    """What is served, if it is the directory's and for the name."""
    try:
        with connect(port, trusting(root)) as stream:
            return stream.getpeercert(binary_form=True)
    except ssl.SSLCertVerificationError:
        return None


def health(stream):
    stream.sendall(f"GET /health HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\nOK" not in head:
        piece = stream.recv(4096)
        if not piece:
            raise Failed("the connection was closed")
        head += piece
    check("health", head.split(b" ")[1], b"200")


def private(server, *names):
    for name in names:
        mode = stat.S_IMODE((server.data / "keys" / name).stat().st_mode)
        check(f"mode of {name}", oct(mode), oct(0o600))


def tls_alpn(folder):
    port = free_port()
    directory = Directory(folder, port, free_port(), life=36)
    with directory, Server(folder, "alpn", settings(folder, "alpn", directory, "tls-alpn-01", None)) as server:
        # The directory is not there yet.
        launch(server, port)
        own = served(port)
        until("the failure is in the log", lambda: "no certificate was got" in server.log.read_text())
        check("served meanwhile", served(port), own)
        directory.start()
        root = directory.root()
        first = until("a certificate", lambda: good(port, root))
        print("ok: tls-alpn-01 gives a certificate in place of the self-signed one")
        private(server, "acme.pem", "acme-account.json")
        with connect(port, trusting(root)) as stream:
            health(stream)

            def renewed():
                # A connection that is used stays open.
                health(stream)
                now = good(port, root)
                return now if now not in (None, first) else None
            until("another one before the first has ended", renewed)
            health(stream)
        print("ok: it is renewed at two thirds of its life, and an open connection goes on")
        # Who asks for the proof of a name that is not being proved gets none.
        context = anybody()
        context.set_alpn_protocols(["acme-tls/1"])
        try:
            with connect(port, context) as stream:
                if stream.selected_alpn_protocol() == "acme-tls/1":
                    raise Failed("a proof was given that nobody is waiting for")
        except (ssl.SSLError, OSError):
            pass
        text = server.log.read_text()
        for secret in ("PRIVATE KEY", "key_pkcs8"):
            if secret in text:
                raise Failed(f"the log holds {secret}")
        server.stop()


def http_01(folder):
    port, http_port = free_port(), free_port()
    directory = Directory(folder, free_port(), http_port)
    with directory, Server(folder, "http", settings(folder, "http", directory, "http-01", http_port)) as server:
        directory.start()
        root = directory.root()
        launch(server, port)
        first = until("a certificate", lambda: good(port, root))
        print("ok: http-01 gives a certificate")
        for host, path, status in ((DOMAIN, "/login?a=b", 308), ("evil.example", "/", 404),
                                   (DOMAIN, "/.well-known/acme-challenge/none", 404)):
            plain = http.client.HTTPConnection("127.0.0.1", http_port, timeout=10)
            plain.request("GET", path, headers={"Host": host})
            answer = plain.getresponse()
            check(f"plain {host}{path}", answer.status, status)
            if status == 308:
                check("where it leads", answer.headers["Location"], f"https://{DOMAIN}:{port}{path}")
        server.stop()
        directory.stop()
        launch(server, port)
        check("served after a restart without the directory", good(port, root), first)
        print("ok: what was got is used again after a restart without the directory")
        server.stop()


def out_of_reach(folder):
    """The directory looks at a port where nobody proves anything."""
    port = free_port()
    with Directory(folder, free_port(), free_port()) as directory:
        directory.start()
        with Server(folder, "away", settings(folder, "away", directory, "tls-alpn-01", None)) as server:
            launch(server, port)
            own = served(port)
            until("the refusal is in the log", lambda: "no certificate was got" in server.log.read_text())
            time.sleep(2)
            check("served on", served(port), own)
            if (server.data / "keys/acme.pem").exists():
                raise Failed("a certificate was given without a proof")
            print("ok: without a proof there is no certificate, and the server serves on")
            server.stop()


def act():
    for program in ("pebble", "pebble-challtestsrv", "openssl"):
        if not shutil.which(program):
            raise Failed(f"{program} is missing; on Debian: apt-get install pebble openssl")
    with Folder() as folder:
        tls_alpn(folder)
        http_01(folder)
        out_of_reach(folder)


main(act)
