#!/usr/bin/env python3
"""Sign-in with passwords that a real directory checks: Debian's slapd, over LDAPS and over StartTLS.

  - people sign in with HTTP Basic, as MLflow's clients do, and at the page; they get the rights of their groups, nested ones
    too, although the groups go in a circle;
  - a wrong, empty or foreign password, an unknown name, a filter in place of a name, a name that two have, a locked and a
    deleted person let nobody in; so does a server whose certificate another CA signed;
  - an account of this server with the same name keeps to itself;
  - no password is in a log, nor on the disk.
"""

import re
import subprocess
import time
from urllib.parse import urlencode

from directory import BASE, Directory
from harness import Client, Failed, Folder, Server, binary, check, environment, main

WHOAMI = "/api/sealyard/v1/whoami"


def settings(directory, url, more=""):
    password = directory.folder / "service.password"
    password.write_text(directory.passwords["service"] + "\n")
    password.chmod(0o600)
    return f"""[identity.ldap.corp]
url = {url}
ca_file = "slapd/ca.pem"
bind_dn = "{directory.dn('service')}"
bind_password_file = "slapd/service.password"
user_base = "ou=people,{BASE}"
user_filter = "(&(objectClass=inetOrgPerson)(|(uid={{name}})(mail={{name}})))"
group_base = "ou=groups,{BASE}"
administrators = ["CN=admins, ou=groups, {BASE}"]
{more}
[identity.ldap.corp.roles]
"cn=all,ou=groups,{BASE}" = ["trainers"]
"""


def start(folder, name, text):
    path = folder / f"{name}.toml"
    path.write_text(text)
    pages = folder / "pages"
    pages.mkdir(exist_ok=True)
    (pages / "index.html").write_text("<!doctype html><title>x</title>")
    return Server(folder, name, ["--config", str(path), "--ui", str(pages)])


def whoami(server, name, password):
    client = Client(server, basic=(name, password))
    try:
        return client.ask("GET", WHOAMI)
    finally:
        client.close()


def let_in(server, name, password, admin=False):
    answer = whoami(server, name, password)
    check(f"{name} at {WHOAMI}", answer.status, 200)
    check(f"{name}'s rank", answer.json()["admin"], admin)
    return answer.json()["name"]


def refused(server, name, password, status=401):
    check(f"{name!r} with a bad password", whoami(server, name, password).status, status)


def at_the_page(server, name, password):
    """Logs in at the page; gives who the session's cookie is, or None."""
    client = Client(server)
    page = client.ask("GET", "/login")
    token = re.search(r'name="token" value="([0-9a-f]+)"', page.body.decode()).group(1)
    cookie = page.headers["Set-Cookie"].split(";")[0]
    body = urlencode({"name": name, "password": password, "token": token}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "Origin": server.url}
    answer = client.ask("POST", "/login", body=body, headers=form)
    if answer.status != 303:
        check("the page's answer to a bad password", answer.status, 401)
        return None
    session = next(value.split(";")[0] for value in answer.headers.get_all("Set-Cookie") if "session" in value.lower())
    who = client.ask("GET", WHOAMI, headers={"Cookie": session})
    check("whoami with the session's cookie", who.status, 200)
    client.close()
    return who.json()["name"]


def people(server, directory):
    secret = directory.passwords
    check("ada's name", let_in(server, "ada", secret["ada"]), "ada")
    check("ada by address", let_in(server, "ada@example.org", secret["ada"]), "ada")
    check("ADA", let_in(server, "ADA", secret["ada"]), "ada")
    let_in(server, "bob", secret["bob"], admin=True)
    check("ada at the page", at_the_page(server, "ada", secret["ada"]), "ada")
    check("ada at the page, wrong", at_the_page(server, "ada", "wrong"), None)


def attacks(server, directory):
    secret = directory.passwords
    for name, password in [
        ("eve", ""), ("eve", "wrong"), ("eve", secret["ada"]), ("nobody", secret["ada"]), ("*", secret["ada"]),
        ("ada)(uid=*", secret["ada"]), ("*)(|(uid=*", secret["ada"]), (f"uid=ada,ou=people,{BASE}", secret["ada"]),
        ("", secret["ada"]), ("", ""), ("service", secret["service"]), ("locked", secret["locked"]),
        ("twin@example.org", secret["twin1"]), ("twin@example.org", secret["twin2"]),
    ]:
        refused(server, name, password)
    # The directory has an admin too. Ours is the one of this server, and the directory's password is not theirs.
    refused(server, "admin", secret["admin"])
    refused(server, "admin@example.org", secret["admin"], status=400)


def roles(server):
    admin = server.client()
    role = next(role for role in admin.call("GET", "/api/3.0/mlflow/roles/list")["roles"] if role["name"] == "trainers")
    admin.call("POST", "/api/3.0/mlflow/roles/permissions/add", {
        "role_id": role["id"], "resource_type": "experiment", "resource_pattern": "*", "permission": "EDIT"})
    experiment = admin.mlflow("POST", "experiments/create", name="shared")["experiment_id"]
    return experiment


def may_edit(server, name, password, experiment):
    client = Client(server, basic=(name, password))
    answer = client.ask("POST", "/api/2.0/mlflow/runs/create", {"experiment_id": experiment})
    client.close()
    return answer.status


def throttled(server, directory):
    for _ in range(5):
        refused(server, "carol", "wrong")
    refused(server, "CAROL", directory.passwords["carol"], status=429)


def nothing_readable(folder, directory):
    """No password is in what the server wrote."""
    for name in ("data", "starttls"):
        for path in [folder / f"{name}.log", *(folder / name).rglob("*")]:
            if not path.is_file():
                continue
            content = path.read_bytes()
            for who, password in directory.passwords.items():
                if password.encode() in content:
                    raise Failed(f"the password of {who} is in {path}")


def does_not_start(folder, text, wanted):
    path = folder / "bad.toml"
    path.write_text(text)
    done = subprocess.run([binary(), "up", "--data-dir", str(folder / "bad"), "--listen", "127.0.0.1:0", "--config", str(path)],
                          capture_output=True, text=True, timeout=60, cwd=folder, env=environment(), stdin=subprocess.DEVNULL)
    check("exit code of bad settings", done.returncode, 2)
    if wanted not in done.stderr:
        raise Failed(f"expected {wanted!r} in:\n{done.stderr}")


def act():
    with Folder() as folder, Directory(folder) as directory:
        secure, plain = f"ldaps://127.0.0.1:{directory.secure}", f"ldap://127.0.0.1:{directory.plain}"
        with start(folder, "data", settings(directory, f'["ldaps://127.0.0.1:1", "{secure}"]')).start() as server:
            let_in(server, "eve", directory.passwords["eve"])
            directory.delete("eve")
            deleted = time.monotonic()
            people(server, directory)
            experiment = roles(server)
            check("ada, in a group of a group", may_edit(server, "ada", directory.passwords["ada"], experiment), 200)
            check("carol, in none", may_edit(server, "carol", directory.passwords["carol"], experiment), 403)
            attacks(server, directory)
            throttled(server, directory)
            print("LDAPS: people sign in with the rights of their nested groups, attacks are refused")

            with start(folder, "starttls", settings(directory, f'"{plain}"', "starttls = true")).start() as other:
                people(other, directory)
                refused(other, "ada", "wrong")
                other.stop()
            print("StartTLS: people sign in")

            wrong = settings(directory, f'"{secure}"').replace("slapd/ca.pem", "slapd/other.pem")
            with start(folder, "wrong", wrong).start() as other:
                refused(other, "ada", directory.passwords["ada"], status=503)
            plain_text = settings(directory, f'"{plain}"')
            does_not_start(folder, plain_text, "starttls")
            with start(folder, "plain", settings(directory, f'"{plain}"', "insecure = true")).start() as other:
                # slapd itself wants binds to be secret.
                refused(other, "ada", directory.passwords["ada"], status=503)
            print("A server with another CA's certificate, and plain LDAP, are refused")

            # What the directory said holds for half a minute.
            time.sleep(max(0, 31 - (time.monotonic() - deleted)))
            refused(server, "eve", directory.passwords["eve"])
            server.stop()
            server.verify_ledger()
            nothing_readable(folder, directory)
            print("Who is deleted is out; no password is on the disk or in a log")


if __name__ == "__main__":
    main(act)
