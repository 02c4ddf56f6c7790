#!/usr/bin/env python3
"""Looks through every byte that a server, a backup and a restore wrote for what must not be there in plain.

A server is used with known texts as artifacts (whole, in parts, of a trace, refused ones), passwords, tokens, a session, a webhook's
secret and URL, a gateway's secret; keys are changed, everything is encrypted anew, backed up and restored; the server is killed and
stopped. Then each file below the working directory (data directory with its WAL, backups, logs, TMPDIR) is searched for each of them:
as it is, in hex, in base64 in its three positions, in UTF-16, and reversed keys of the vault as bytes. What is meant to be a secret's own file
(the first token, the plain key file where no master key is elsewhere, the recovery key) is named here, and nothing else is left out.

PLAINTEXT_CONTROL=1 puts one secret where none belongs, which must fail.
"""

import base64
import json
import os
import re
import secrets
import subprocess
import zlib
from pathlib import Path

from harness import Failed, Folder, Server, binary, check, environment, main


def forms(secret):
    """What a secret may look like."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    found = {"plain": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(), "utf-16": raw.decode("latin-1").encode("utf-16-le")}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        # Without the characters that what stands before and behind has a part in.
        text = text[(shift * 8 + 5) // 6:(len(raw) + shift) * 8 // 6]
        found[f"base64+{shift}"] = text
        found[f"base64url+{shift}"] = text.replace(b"+", b"-").replace(b"/", b"_")
    return found


class Secrets:
    def __init__(self):
        self.known = {}

    def add(self, name, value):
        self.known[name] = value
        return value

    def search(self, root, meant):
        """Every file below `root`; `meant` are those that a secret belongs in, with its name."""
        looked, size = 0, 0
        for path in sorted(root.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            content = path.read_bytes()
            looked, size = looked + 1, size + len(content)
            # What was packed, too.
            packed = [content]
            for start in [match.start() for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08", content)][:50]:
                try:
                    packed.append(zlib.decompressobj(47).decompress(content[start:], 1 << 22))
                except zlib.error:
                    pass
            for name, secret in self.known.items():
                if name in meant.get(path.relative_to(root).as_posix(), ()):
                    continue
                for form, wanted in forms(secret).items():
                    if any(wanted in piece for piece in packed):
                        raise Failed(f"{path.relative_to(root)} has {name} ({form})")
        return looked, size


def use(server, known, folder):
    client = server.client()
    known.add("the first token", server.token)
    experiment = client.mlflow("POST", "experiments/create", name="plain")["experiment_id"]
    run_id = client.mlflow("POST", "runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    root = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts"

    def artifact(name, size=0):
        content = known.add(name, f"CANARY-{name}-{secrets.token_hex(12)}").encode()
        return (content + b" ") * max(1, size // (len(content) + 1))

    for name, size in [("small artifact", 0), ("large artifact", 300_000), ("later deleted artifact", 90_000)]:
        check(name, client.ask("PUT", f"{root}/{name.replace(' ', '-')}.txt", body=artifact(name, size)).status, 200)
    for _ in range(2):
        check("equal", client.ask("PUT", f"{root}/equal-{secrets.token_hex(2)}.txt", body=b"CANARY-equal " * 9000).status, 200)
    known.add("equal artifact", "CANARY-equal CANARY-equal")
    client.ask("DELETE", f"{root}/later-deleted-artifact.txt")
    # One that the scanner refuses, and one that is cut off.
    pickle = b"cos\nsystem\n(S'" + artifact("refused artifact") + b"'\ntR."
    client.ask("PUT", f"{root}/evil.pkl", body=pickle)
    with server.raw() as plain:
        head = (f"PUT {root}/cut.txt HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nAuthorization: Bearer {server.token}\r\n"
                "Content-Length: 500000\r\n\r\n").encode()
        plain.sendall(head + artifact("cut artifact", 200_000))
    begun = client.ask("POST", "/api/2.0/mlflow-artifacts/mpu/create/" + root.split("/artifacts/", 1)[1],
                       {"path": "parts.bin", "num_parts": 2}).json()
    for part in begun.get("credentials", []):
        address = part["url"].split("://", 1)[1].split("/", 1)
        answer = client.ask("PUT", "/" + address[1], body=artifact(f"part {part['part_number']}", 70_000),
                            headers=part.get("headers"))
        check(f"a part ({answer})", answer.status // 100, 2)
    trace = client.ask("POST", "/api/2.0/mlflow/traces", {"experiment_id": experiment, "timestamp_ms": 1}).status
    check("a trace is begun", trace // 100 in (2, 4), True)
    # People.
    password = known.add("a password", "Canary-" + secrets.token_urlsafe(18))
    client.call("POST", "/api/sealyard/v1/users", {"name": "ada", "password": password})
    ada = server.client(basic=("ada", password))
    known.add("a token", ada.call("POST", "/api/sealyard/v1/tokens", {"scopes": ["all"]})["token"])
    wrong = known.add("a wrong password", "Wrong-" + secrets.token_urlsafe(18))
    check("a wrong password", server.client(basic=("ada", wrong)).ask("GET", "/api/sealyard/v1/whoami").status, 401)
    false_token = known.add("a false token", "sy_" + secrets.token_hex(22))
    check("a false token", server.client(token=false_token).ask("GET", "/api/sealyard/v1/whoami").status, 401)
    # Secrets that the server must know again.
    url = "https://hooks.example.org/" + known.add("a secret in a webhook's URL", "T0" + secrets.token_hex(14))
    client.mlflow("POST", "webhooks", name="hook", url=url, secret=known.add("a webhook's secret", "whsec-" + secrets.token_hex(14)),
                  events=[{"entity": "REGISTERED_MODEL", "action": "CREATED"}])
    key = known.add("a gateway secret", "sk-" + secrets.token_hex(20))
    made = client.ask("POST", "/api/3.0/mlflow/gateway/secrets/create",
                      {"secret_name": "openai", "secret_value": {"api_key": key}, "provider": "openai", "created_by": "admin"})
    check("a gateway secret", made.status, 200)
    client.close()


def vault_keys(data, known):
    path = data / "keys/master.key"
    if path.exists():
        for number, line in enumerate(line for line in path.read_text().splitlines() if line.startswith("key ")):
            known.add(f"vault key {number}", bytes.fromhex(line.split()[2]))


def session(folder, with_master_key):
    name = "wrapped" if with_master_key else "plain"
    known = Secrets()
    scratch = folder / f"{name}-tmp"
    scratch.mkdir()
    server = Server(folder, name)
    server.environment = {"TMPDIR": str(scratch), "SEALYARD_LOG": "debug"}
    if with_master_key:
        settings = folder / "master.toml"
        settings.write_text('[vault]\nprovider = "environment"\n')
        server.arguments = ["--config", str(settings)]
        key = secrets.token_bytes(32)
        server.environment["SEALYARD_MASTER_KEY"] = key.hex()
        known.add("the master key", key)
    server.start()
    use(server, known, folder)
    server.command("vault", "rotate")
    server.command("vault", "rewrap", "--wait")
    server.command("vault", "reencrypt", "--wait")
    if not (folder / "office.recovery").exists():
        subprocess.run([binary(), "keys", "recovery", "office"], cwd=folder, check=True, env=environment(HOME=str(folder)),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    secret = re.search(r"^key ([0-9a-f]{64})$", (folder / "office.recovery").read_text(), re.M).group(1)
    known.add("the recovery key", bytes.fromhex(secret))
    backup = ["backup", str(folder / f"{name}-backups"), "--data-dir", str(server.data), "--recipient", str(folder / "office.recovery.pub")]
    server.command(*backup, remote=False)
    vault_keys(server.data, known)
    meant = {"office.recovery": ["the recovery key"], f"{name}.admin.token": ["the first token"]}
    for place in (server.data.name, f"{name}-restored"):
        meant[f"{place}/keys/master.key"] = [one for one in known.known if one.startswith("vault key")]
    # While it runs: the WAL has what was written last.
    found = [known.search(folder, meant)]
    server.kill()
    found.append(known.search(folder, meant))
    server.start()
    server.stop()
    restored = folder / f"{name}-restored"
    more = ["--config", str(folder / "master.toml")] if with_master_key else []
    server.command("restore", str(folder / f"{name}-backups"), "--recovery-key", str(folder / "office.recovery"), "--data-dir", str(restored),
                   *more, remote=False)
    if os.environ.get("PLAINTEXT_CONTROL"):
        (scratch / "control").write_text(base64.b64encode(known.known["a webhook's secret"].encode()).decode())
    found.append(known.search(folder, meant))
    check("what is left of temporary files", [path.name for path in scratch.rglob("*") if path.is_file() and path.name != "control"], [])
    looked, size = found[-1]
    print(f"  {name}: {len(known.known)} secrets in none of {looked} files ({size / 1e6:.1f} MB), three times")


def test():
    with Folder() as folder:
        for with_master_key in (False, True):
            (folder / str(with_master_key)).mkdir()
            session(folder / str(with_master_key), with_master_key)
    print("plaintext: none")


if __name__ == "__main__":
    main(test)
