"""A stock MLflow client that proves who it is by a client certificate, and by nothing else.

SEALYARD names the binary; VENV has an `mlflow`.
"""

import subprocess
import sys

from harness import Failed, Folder, Server, check, environment, entries, main

SETTINGS = """
[tls]
client_ca_file = "clients.crt"
client_crl_file = "clients.crl"
client_auth = "require"
reload_seconds = 1

[[identity.certificates.rules]]
field = "email"
prefix = "trainer@"
user = "trainer"
"""

CLIENT = """
import mlflow
mlflow.set_experiment("theirs")
with mlflow.start_run() as run:
    mlflow.log_metric("m", 1.0)
    mlflow.log_text("hello", "a.txt")
print(mlflow.artifacts.load_text(run.info.artifact_uri + "/a.txt"))
"""


def openssl(folder, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"openssl {' '.join(arguments)}:\n{done.stderr}")


def authority(folder):
    """An authority with a list of what it revoked, and certificates that it gave out."""
    (folder / "index.txt").write_text("")
    (folder / "ca.conf").write_text(
        "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\ndefault_md = sha256\ndefault_crl_days = 1\n"
        "crl_extensions = crl\nnew_certs_dir = .\nserial = serial\npolicy = any\n[any]\ncommonName = supplied\n[crl]\n"
        "authorityKeyIdentifier = keyid\n")
    (folder / "serial").write_text("1000\n")
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-keyout", "ca.key", "-out", "clients.crt", "-subj", "/CN=clients",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl(folder, "ca", "-config", "ca.conf", "-gencrl", "-keyfile", "ca.key", "-cert", "clients.crt", "-out", "clients.crl")


def client(folder, name, email, purpose="clientAuth"):
    """One file with certificate and key, as MLflow's clients take it."""
    (folder / f"{name}.ext").write_text(f"subjectAltName=email:{email}\nextendedKeyUsage={purpose}\n")
    openssl(folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    openssl(folder, "ca", "-batch", "-config", "ca.conf", "-keyfile", "ca.key", "-cert", "clients.crt", "-in", f"{name}.csr",
            "-out", f"{name}.crt", "-days", "1", "-extfile", f"{name}.ext", "-notext")
    both = folder / f"{name}.pem"
    both.write_text((folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text())
    both.chmod(0o600)
    return both


def run(server, certificate):
    settings = environment(
        HOME=str(server.folder), MLFLOW_TRACKING_URI=server.url, MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true",
        MLFLOW_TRACKING_SERVER_CERT_PATH=str(server.certificate), PYTHONWARNINGS="ignore", MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
        **({"MLFLOW_TRACKING_CLIENT_CERT_PATH": str(certificate)} if certificate else {}))
    return subprocess.run([sys.executable, "-c", CLIENT], env=settings, cwd=server.folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)


def act():
    with Folder() as folder:
        authority(folder)
        trainer = client(folder, "trainer", "trainer@corp.example")
        wrong = [client(folder, "other", "other@corp.example"), client(folder, "web", "trainer@corp.example", "serverAuth"), None]
        operator = client(folder, "operator", "operator@corp.example")
        (folder / "sealyard.toml").write_text(SETTINGS)
        with Server(folder, arguments=["--config", str(folder / "sealyard.toml")]) as server:
            server.start()
            # The administrator's own requests need a certificate too, and a token besides, as there is no rule for this one.
            server.tls.load_cert_chain(operator)
            server.client().call("POST", "/api/sealyard/v1/users", {"name": "trainer", "password": "a password of good length"})
            server.client().call("POST", "/api/sealyard/v1/grants",
                                 {"user": "trainer", "resource": "experiment:*", "right": "EDIT"})
            done = run(server, trainer)
            check(f"the client with a certificate\n{done.stderr[-2000:]}", (done.returncode, done.stdout.strip()[-5:]), (0, "hello"))
            print("ok: a stock MLflow client is somebody by its certificate")
            for certificate in wrong:
                if run(server, certificate).returncode == 0:
                    raise Failed(f"a client got in with {certificate}")
            print("ok: without a rule, for servers, or without one at all it is nobody")
            openssl(folder, "ca", "-config", "ca.conf", "-keyfile", "ca.key", "-cert", "clients.crt", "-revoke", "trainer.crt")
            openssl(folder, "ca", "-config", "ca.conf", "-gencrl", "-keyfile", "ca.key", "-cert", "clients.crt", "-out", "new.crl")
            (folder / "new.crl").rename(folder / "clients.crl")
            import time
            time.sleep(3)
            if run(server, trainer).returncode == 0:
                raise Failed("a revoked certificate is taken")
            print("ok: a revoked certificate is refused without a restart")
            acts = [entry["event"]["act"] for entry in entries(server.client())]
            check("experiment in the ledger", "experiment-created" in acts, True)
            server.stop()


main(act)
