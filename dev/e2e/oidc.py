#!/usr/bin/env python3
"""Logs in at a real OpenID provider (npm's `oidc-provider`) and out again, as a browser does it; lets a machine in with a token of its
client-credentials grant, by a stock MLflow client; and tries to get in without.

`OIDC_PROVIDER` names a folder in which `npm ci` made it (`make oidc` does). Node is needed.
"""

import base64
import hashlib
import hmac
import html
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from harness import Failed, Folder, Server, binary, check, entries, environment, main, run_client

HERE = Path(__file__).resolve().parent
AUDIENCE = "https://ml.example.org"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Browser:
    """Follows redirects and keeps cookies for each origin, as far as these two servers need it."""

    def __init__(self, tls):
        self.tls = tls
        self.jars = {}
        self.set = {}

    def ask(self, method, url, form=None, site="none"):
        parts = urllib.parse.urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        more = {"context": self.tls} if parts.scheme == "https" else {}
        connection = kind(parts.hostname, parts.port, timeout=60, **more)
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        jar = self.jars.setdefault(origin, {})
        # What is `SameSite=Strict` stays here when another site's page sends the browser.
        sent = {name: value for name, (value, strict) in jar.items() if not (strict and site == "cross-site")}
        if sent:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in sent.items())
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = origin
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body=body, headers=headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        answer.url = url
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.set[name] = cookie
            gone = "max-age=0" in cookie.lower() or "expires=thu, 01 jan 1970" in cookie.lower()
            if gone:
                jar.pop(name, None)
            else:
                jar[name] = (value, "samesite=strict" in cookie.lower())
        connection.close()
        return answer

    def follow(self, answer, most=10):
        """Goes where redirects lead, to the last answer."""
        while answer.status in (302, 303, 307) and most:
            most -= 1
            target = urllib.parse.urljoin(answer.url, answer.headers["Location"])
            same = urllib.parse.urlsplit(target).netloc == urllib.parse.urlsplit(answer.url).netloc
            answer = self.ask("GET", target, site="same-origin" if same else "cross-site")
        return answer

    def submit(self, page, **values):
        """Sends the page's form."""
        form = re.search(r"<form[^>]*action=\"([^\"]*)\"[^>]*>(.*?)</form>", page.text, re.S)
        if not form:
            raise Failed(f"{page.url} has no form: {page.status} {page.text[:500]}")
        fields = {}
        for tag in re.findall(r"<(?:input|button)[^>]*>", form.group(2)):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name:
                fields[name.group(1)] = html.unescape(value.group(1)) if value else ""
        target = urllib.parse.urljoin(page.url, html.unescape(form.group(1)))
        return self.ask("POST", target, {**fields, **values}, site="same-origin")


class Idp:
    """The provider."""

    def __init__(self, folder, port, server, certificate):
        self.issuer = f"http://127.0.0.1:{port}"
        modules = Path(os.environ.get("OIDC_PROVIDER", "")).resolve()
        if not (modules / "node_modules/oidc-provider").is_dir() or not shutil.which("node"):
            sys.exit("error: OIDC_PROVIDER names no folder with oidc-provider in it, or Node is missing\nhint: make oidc")
        shutil.copy(HERE / "oidc/provider.mjs", modules / "provider.mjs")
        self.log = folder / "idp.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["node", "provider.mjs", str(port), server], cwd=modules, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment(NODE_EXTRA_CA_CERTS=str(certificate), HOME=str(folder)))
        end = time.monotonic() + 60
        while "ready" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed(f"the provider did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def machine_token(self, client, secret, resource=AUDIENCE):
        parts = urllib.parse.urlsplit(self.issuer)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        form = {"grant_type": "client_credentials", "resource": resource, "scope": "api"}
        basic = base64.b64encode(f"{client}:{urllib.parse.quote(secret)}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/token", urllib.parse.urlencode(form), headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        check("client credentials", (answer.status, said.get("error_description")), (200, None))
        return said["access_token"]


def to_provider(server, browser, next="/"):
    """The browser at the provider's log-in form."""
    page = browser.ask("GET", f"{server.url}/login")
    if "Log in with Example Corp" not in page.text:
        raise Failed(f"the log-in page has no link: {page.text}")
    begin = f"{server.url}/auth/oidc/corp/login?next={urllib.parse.quote(next, safe='')}"
    begun = browser.ask("GET", begin, site="same-origin")
    deadline = time.monotonic() + 30
    while begun.status == 503 and time.monotonic() < deadline:
        # It was away when the server started, and is not asked all the time.
        time.sleep(0.5)
        begun = browser.ask("GET", begin, site="same-origin")
    check("sent to the provider", begun.status, 303)
    return browser.follow(begun)


def consent(browser, page, name):
    """Through the provider's pages to the redirect back, which is not followed."""
    answer = browser.submit(page, login=name, password="any")
    for _ in range(6):
        while answer.status in (302, 303):
            target = urllib.parse.urljoin(answer.url, answer.headers["Location"])
            if "/auth/oidc/corp/callback" in target:
                return target
            answer = browser.ask("GET", target, site="same-origin")
        answer = browser.submit(answer)
    raise Failed(f"the provider did not send the browser back: {answer.status} {answer.text[:300]}")


def log_in(server, browser, name, next="/"):
    back = consent(browser, to_provider(server, browser, next), name)
    return back, browser.ask("GET", back, site="cross-site")


def forged(token, algorithm, key):
    header, claims, _ = token.split(".")
    plain = json.loads(base64.urlsafe_b64decode(header + "=="))
    header = base64.urlsafe_b64encode(json.dumps({**plain, "alg": algorithm}).encode()).decode().rstrip("=")
    signed = f"{header}.{claims}"
    tag = hmac.new(key, signed.encode(), hashlib.sha256).digest() if key else b""
    return f"{signed}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"


def settings(folder, server_port, idp_port):
    (folder / "corp.secret").write_text("a secret of the test\n")
    (folder / "corp.secret").chmod(0o600)
    file = folder / "sealyard.toml"
    file.write_text(f"""
[identity.oidc.corp]
display = "Example Corp"
issuer = "http://127.0.0.1:{idp_port}"
client_id = "sealyard"
client_secret_file = "corp.secret"
redirect_base = "https://127.0.0.1:{server_port}"
scopes = ["profile"]
groups_claim = "groups"
administrators = ["ml-admins"]
roles = {{ ml = ["trainers"] }}

[identity.oidc.corp-machines]
kind = "machines"
issuer = "http://127.0.0.1:{idp_port}"
audiences = ["{AUDIENCE}"]

[[identity.oidc.corp-machines.machine]]
account = "pipeline"
claims = {{ client_id = "ci" }}
""")
    return file


def people(server, experiment, idp):
    root = server.url
    get = f"{root}/ajax-api/2.0/mlflow/experiments/get?experiment_id={experiment}"
    ada = Browser(server.tls)
    back, answer = log_in(server, ada, "ada", "/?a=b")
    check("ada is let in", (answer.status, answer.headers["Refresh"]), (200, "0; url=/?a=b"))
    check("no redirect", answer.headers["Location"], None)
    binding = ada.set["__Host-sealyard-oidc"]
    check("the cookie is gone", "Max-Age=0" in binding, True)
    first = ada.jars[root]["__Host-sealyard-session"]
    check("ada sees the pages", ada.ask("GET", f"{root}/?a=b", site="same-origin").status, 200)
    check("ada may, by a role of her group", ada.ask("GET", get, site="same-origin").status, 200)
    print("ok      somebody logs in by code and PKCE; their group's role gives them what it gives")
    replay = ada.ask("GET", back, site="cross-site")
    check("the same again", replay.status, 403)
    thief = Browser(server.tls)
    check("in another browser", thief.ask("GET", back, site="cross-site").status, 403)
    check("has no session", "__Host-sealyard-session" in thief.jars.get(root, {}), False)
    odd = Browser(server.tls)
    _, answer = log_in(server, odd, "bob", "//evil.example/")
    check("an address elsewhere is not gone to", answer.headers["Refresh"], "0; url=/")
    check("bob may not", odd.ask("GET", get, site="same-origin").status, 403)
    print("ok      what came back is good once and in that browser only; nobody is sent elsewhere; another group gives nothing")
    # A cookie that somebody planted before is not the one that is logged in.
    fixed = Browser(server.tls)
    fixed.jars[root] = {"__Host-sealyard-session": ("x" * 43, False)}
    log_in(server, fixed, "ada")
    second = fixed.jars[root]["__Host-sealyard-session"]
    check("a new session id", second[0] not in ("x" * 43, first[0]), True)
    boss = Browser(server.tls)
    log_in(server, boss, "root")
    ledger = boss.ask("GET", f"{root}/api/sealyard/v1/ledger/entries?from=0", site="same-origin")
    check("a group makes an administrator", ledger.status, 200)
    print("ok      each log-in has a new session; a group makes an administrator")
    return ada, fixed, odd, get


def command_line(server, folder):
    """`sealyard login --oidc`: a browser logs in at the provider, allows it, and goes to the command line with a code."""
    home = folder / "command-line"
    home.mkdir()
    variables = environment(HOME=str(home), XDG_CONFIG_HOME=str(home / "config"))
    command = [binary(), "login", server.url, "--ca", str(server.certificate), "--oidc", "corp"]
    process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = process.stderr.readline()
        shown = re.search(r"type ([0-9a-f]{4}-[0-9a-f]{4}) where", said)
        address = process.stderr.readline().strip()
        if not shown or not address.startswith(f"{server.url}/auth/oidc/corp/login?next="):
            raise Failed(f"no address was told: {said} {address}")
        browser = Browser(server.tls)
        begun = browser.ask("GET", address, site="none")
        check("sent to the provider", begun.status, 303)
        back = consent(browser, browser.follow(begun), "ada")
        answer = browser.ask("GET", back, site="cross-site")
        check("let in", answer.status, 200)
        page = browser.ask("GET", server.url + answer.headers["Refresh"].removeprefix("0; url="), site="same-origin")
        check("the page asks, and does not show it", (page.status, shown.group(1) in page.text), (200, False))
        check("a click alone allows nothing", browser.submit(page, shown="0000-0000").status, 400)
        allowed = browser.submit(page, shown=shown.group(1))
        to = (allowed.headers["Refresh"] or "").removeprefix("0; url=")
        local = re.fullmatch(r"http://127\.0\.0\.1:\d+/\?state=([0-9a-f]{64})&code=([0-9a-f]+)", to)
        if not local:
            raise Failed(f"the browser is not sent to the command line: {allowed.status} {to}")
        # What is not from our page does not end it, and a code is worth nothing to who only has the code.
        try:
            urllib.request.urlopen(to.replace(local.group(1), "0" * 64))
            raise Failed("another page's state was taken")
        except urllib.error.HTTPError as refused:
            check("another state", refused.code, 404)
        body = json.dumps({"code": local.group(2), "verifier": "0" * 64})
        connection = http.client.HTTPSConnection(urllib.parse.urlsplit(server.url).netloc, context=server.tls)
        connection.request("POST", "/api/sealyard/v1/account/command-line", body, {"Content-Type": "application/json"})
        check("a stolen code", connection.getresponse().status, 401)
        connection.close()
        with urllib.request.urlopen(to) as answer:
            check("the command line took it", answer.status, 200)
        check("it ended well", process.wait(60), 0)
    finally:
        process.kill()
        process.wait()
    token = home / "config/sealyard/token"
    check("the token is private", (token.stat().st_mode & 0o777, token.read_text().startswith("sy_")), (0o600, True))
    run = lambda *words: subprocess.run([binary(), *words, "--format", "json"], env=variables, capture_output=True, text=True)
    who = run("whoami")
    check("whoami", (who.returncode, json.loads(who.stdout)["name"]), (0, "ada"))
    tokens = json.loads(run("tokens", "list").stdout)
    tokens = tokens["tokens"] if isinstance(tokens, dict) else tokens
    lives = [one["expires"] for one in tokens if not one["revoked"]]
    check("it ends within half a day", len(lives) == 1 and lives[0] is not None, True)
    text = token.read_text()
    check("log out", run("logout").returncode, 0)
    check("the token after the log out", server.client(text).ask("GET", "/api/sealyard/v1/whoami").status, 401)
    print("ok      a command line logs in by a browser at the provider; a stolen code and another page's state are worth nothing")
    return text


def log_out(server, browsers, idp):
    ada, fixed, bob, get = browsers
    # At this server: its session ends, and the browser goes on to the provider.
    out = bob.submit(bob.ask("GET", f"{server.url}/logout", site="same-origin"))
    where = out.headers["Refresh"] or ""
    check("on to the provider", where.startswith(f"0; url={idp.issuer}/session/end?"), True)
    check("bob is out", bob.ask("GET", get, site="same-origin").status, 401)
    print("ok      a log-out here ends the session and goes on to the provider")
    # At the provider, which tells this server: ada's session in that browser ends, not the one in the other.
    asked = ada.follow(ada.ask("GET", f"{idp.issuer}/session/end?client_id=sealyard", site="cross-site"))
    ended = ada.submit(asked, logout="yes")
    check("ended at the provider", ended.status in (200, 302, 303), True)
    deadline = time.monotonic() + 20
    while ada.ask("GET", get, site="same-origin").status != 401:
        if time.monotonic() > deadline:
            raise Failed(f"the session did not end:\n{idp.log.read_text()}\n{server.tail()}")
        time.sleep(0.1)
    check("the other browser's session", fixed.ask("GET", get, site="same-origin").status, 200)
    print("ok      a log-out at the provider ends the session that began with it, by the back channel")
    for token in ["", "x", "e30.e30.e30"]:
        answer = Browser(server.tls).ask("POST", f"{server.url}/auth/oidc/corp/backchannel", {"logout_token": token})
        check("not a log-out token", answer.status, 400)


def machines(server, idp, experiment):
    token = idp.machine_token("ci", "another one")
    run_client(server, "oidc_client.py", str(experiment), MLFLOW_TRACKING_TOKEN=token)
    print("ok      a stock MLflow client works with a token of the client-credentials grant")
    path = f"/api/2.0/mlflow/experiments/get?experiment_id={experiment}"
    status = lambda token: server.client(token).ask("GET", path).status
    check("the same token", status(token), 200)
    with urllib.request.urlopen(f"{idp.issuer}/jwks") as answer:
        public = answer.read()
    tampered = token[:-8] + ("A" if token[-8] != "A" else "B") + token[-7:]
    attacks = {
        "no rule means this machine": idp.machine_token("stranger", "a third"),
        "a token for others": idp.machine_token("ci", "another one", "https://other.example.org"),
        "a changed signature": tampered,
        "algorithm none": forged(token, "none", b""),
        "the public key as a secret": forged(token, "HS256", public),
        "junk": "eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
    }
    for name, attack in attacks.items():
        check(name, status(attack), 401)
    print(f"ok      {len(attacks)} tokens that are not right are refused: {', '.join(attacks)}")


def script():
    with Folder() as folder:
        server_port, idp_port = free_port(), free_port()
        pages = folder / "ui"
        (pages / "static").mkdir(parents=True)
        (pages / "index.html").write_text("<!doctype html>the UI")
        file = settings(folder, server_port, idp_port)
        with Server(folder, arguments=["--config", str(file), "--ui", str(pages)]) as server:
            # The provider is away at first, which a server has to live with.
            server.launch(f"127.0.0.1:{server_port}")
            server.wait()
            with Idp(folder, idp_port, server.url, server.certificate) as idp:
                admin = server.client()
                server.command("users", "create", "pipeline", "--service")
                experiment = admin.mlflow("POST", "experiments/create", name="fraud")["experiment_id"]
                server.command("grants", "set", "pipeline", "EDIT", f"experiment:{experiment}")
                roles = admin.call("GET", "/api/3.0/mlflow/roles/list?workspace=default")["roles"]
                role = next(role["id"] for role in roles if role["name"] == "trainers")
                admin.call("POST", "/api/3.0/mlflow/roles/permissions/add",
                           {"role_id": role, "resource_type": "experiment", "resource_pattern": experiment, "permission": "READ"})
                admin.close()
                browsers = people(server, experiment, idp)
                machines(server, idp, experiment)
                token = command_line(server, folder)
                log_out(server, browsers, idp)
                found = [entry["event"] for entry in entries(admin)]
                admin.close()
            methods = {event["method"] for event in found if event["act"] == "logged-in"}
            check("log-ins in the ledger", {"oidc:corp", "oidc:corp-machines"} <= methods, True)
            reasons = {event["reason"] for event in found if event["act"] == "login-failed"}
            for rule in ["oidc.state", "oidc.machine", "oidc.audience", "oidc.signature", "oidc.algorithm"]:
                check(f"{rule} in the ledger", any(rule in reason for reason in reasons), True)
            server.stop()
            server.verify_ledger()
            log = server.log.read_text()
            for secret in ["a secret of the test", "eyJ", token]:
                check(f"{secret!r} in the log", secret in log, False)
            print("ok      the ledger tells who came and what was refused; no secret and no token is in the log")


if __name__ == "__main__":
    main(script)
