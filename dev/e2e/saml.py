#!/usr/bin/env python3
"""A log-in at a real SAML 2.0 identity provider (PyPI `nanoidp`, which signs with lxml and signxml), and attacks with what it
signed: replayed, in another browser, altered, cut by a comment, unsigned, wrapped, for another log-in.

`IDP` names the provider's program; `make saml` makes it in an environment of its own.
"""

import base64
import html
import http.client
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from directory import free_port
from harness import Client, Failed, Folder, Server, check, environment, main

WHOAMI = "/api/sealyard/v1/whoami"
PASSWORD = "Heron-Schist-Palimpsest-64"
PEOPLE = {"ada": ["ml"], "bob": ["ml-admins"], "admin": []}


class IdentityProvider:
    def __init__(self, folder):
        self.folder = folder / "idp"
        self.folder.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        program = os.environ.get("IDP")
        if not program or not Path(program).exists():
            raise Failed("IDP names no program\nhint: make saml")
        (self.folder / "settings.yaml").write_text(f"""config_version: 1
server:
  host: "127.0.0.1"
  port: {self.port}
oauth:
  issuer: "{self.url}"
  audience: "x"
  clients: []
saml:
  default_acs_url: "http://127.0.0.1:1/none"
  export_groups: true
  groups_attr_name: "groups"
""")
        people = "".join(
            f"  {name}:\n    password: \"{PASSWORD}\"\n    email: \"{name}@example.org\"\n    roles: [\"USER\"]\n"
            f"    groups: {groups!r}\n    tenant: \"default\"\n    attributes:\n      uid: \"{name}\"\n" for name, groups in PEOPLE.items())
        (self.folder / "users.yaml").write_text(f"config_version: 1\nusers:\n{people}")
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([program, "--config", ".", "--port", str(self.port)], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment(),
                                        start_new_session=True)
        end = time.monotonic() + 60
        while True:
            try:
                self.metadata = self.ask("GET", "/saml/metadata")[2]
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise Failed(f"the identity provider did not start:\n{(self.folder / 'log').read_text()}") from None
                time.sleep(0.1)

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(20)
        self.log.close()

    def ask(self, method, path, fields=None, cookie=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": cookie} if cookie else {}
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()

    def sign_in(self, address, name, password=PASSWORD):
        """What a browser does at the provider; gives the form that its page sends on."""
        parts = urlsplit(address)
        path = f"{parts.path}?{parts.query}"
        _, headers, page = self.ask("GET", path)
        cookies = "; ".join(value.split(";")[0] for value in headers.get_all("Set-Cookie") or [])
        fields = dict(inputs(page))
        fields.update(username=name, password=password)
        status, _, page = self.ask("POST", path, fields, cookies)
        check("the provider's answer", status, 200)
        found = dict(inputs(page))
        if "SAMLResponse" not in found:
            raise Failed(f"the provider signed nothing:\n{page[:2000]}")
        return found


def inputs(page):
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = (re.search(rf'{what}="([^"]*)"', tag) for what in ("name", "value"))
        if name and value:
            yield html.unescape(name.group(1)), html.unescape(value.group(1))


class Browser:
    """Keeps the cookies of one server."""

    def __init__(self, server, idp):
        self.client = Client(server)
        self.idp = idp
        self.cookies = {}

    def ask(self, method, path, fields=None):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if fields is not None:
            # As from the provider's page.
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.idp.url, "Sec-Fetch-Site": "cross-site"}
            body = urlencode(fields).encode()
        answer = self.client.ask(method, path, body=body, headers=headers)
        for value in answer.headers.get_all("Set-Cookie") or []:
            name, value = value.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer

    def begin(self, next="/"):
        answer = self.ask("GET", f"/auth/saml/corp/login?next={quote(next, safe='')}")
        check("the begin of a log-in", answer.status, 303)
        cookie = next_cookie(answer)
        for part in ("SameSite=None", "Secure", "HttpOnly", "Max-Age=600"):
            if part not in cookie:
                raise Failed(f"the cookie of a log-in lacks {part}")
        return answer.headers["Location"]

    def finish(self, form):
        return self.ask("POST", "/auth/saml/corp/acs", form)

    def whoami(self):
        return self.ask("GET", WHOAMI)

    def log_in(self, name, next="/"):
        return self.finish(self.idp.sign_in(self.begin(next), name))


def next_cookie(answer):
    return next(value for value in answer.headers.get_all("Set-Cookie") if "saml" in value)


def refuses(what, answer, rule):
    check(what, answer.status, 403)
    if rule not in answer.body.decode():
        raise Failed(f"{what}: expected {rule} in {answer.body.decode()[-1500:]}")
    if any("session" in value for value in answer.headers.get_all("Set-Cookie") or []):
        raise Failed(f"{what}: began a session")


def changed(form, change):
    xml = base64.b64decode(form["SAMLResponse"]).decode()
    other = change(xml)
    if other == xml:
        raise Failed("an attack changed nothing")
    return {**form, "SAMLResponse": base64.b64encode(other.encode()).decode()}


def wrapped(xml):
    """Puts an unsigned assertion about the provider's admin before the signed one."""
    signed = re.search(r"<saml2:Assertion.*</saml2:Assertion>", xml, re.S).group(0)
    evil = re.sub(r"<ds:Signature.*</ds:Signature>", "", signed, flags=re.S)
    evil = re.sub(r' ID="[^"]*"', ' ID="_evil"', evil, count=1).replace(">ada<", ">admin<")
    return xml.replace(signed, evil + signed)


def attacks(server, idp):
    def fresh(name="ada"):
        browser = Browser(server, idp)
        return browser, idp.sign_in(browser.begin(), name)

    browser, form = fresh()
    kept = dict(browser.cookies)
    check("the first time", browser.finish(form).status, 200)
    browser.cookies = kept
    refuses("the same response again", browser.finish(form), "saml.replay")
    browser, form = fresh()
    refuses("in a browser that began nothing", Browser(server, idp).finish(form), "saml.state")
    other = Browser(server, idp)
    other.begin()
    refuses("in a browser that began another log-in", other.finish(form), "saml.state")
    refuses("with another RelayState", browser.finish({**form, "RelayState": "/"}), "saml.state")
    refuses("without a RelayState", browser.finish({"SAMLResponse": form["SAMLResponse"]}), "saml.state")
    for what, change, rule in [
        ("another name", lambda xml: xml.replace(">ada<", ">admin<"), "saml.signature"),
        ("without a signature", lambda xml: re.sub(r"<ds:Signature.*</ds:Signature>", "", xml, flags=re.S), "saml.signature"),
        ("another algorithm", lambda xml: xml.replace("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256"), "saml.signature"),
        ("a wrapped assertion", wrapped, "saml.document"),
        ("a DTD", lambda xml: xml.replace("?>", '?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', 1), "saml.document"),
        ("another destination", lambda xml: xml.replace('Destination="http', 'Destination="x'), "saml.document"),
        ("no XML", lambda xml: "x", "saml.document"),
    ]:
        refuses(what, browser.finish(changed(form, change)), rule)
    # A comment in the name changes nothing of what is signed, and nothing of what is read.
    check("a comment in the name", browser.finish(changed(form, lambda xml: xml.replace(">ada<", ">a<!-- x -->da<"))).status, 200)
    check("who that is", browser.whoami().json()["name"], "ada")
    # The identity provider has an admin too, who is not the one of this server.
    browser, form = fresh("admin")
    refuses("somebody with the name of an account of this server", browser.finish(form), "identity.name-taken")


def act():
    with Folder() as folder, IdentityProvider(folder) as idp:
        (folder / "idp.xml").write_text(idp.metadata)
        port = free_port()
        settings = folder / "sealyard.toml"
        settings.write_text(f"""[identity.saml.corp]
metadata_file = "idp.xml"
entity_id = "https://sealyard.example.org/saml"
acs_url = "https://127.0.0.1:{port}/auth/saml/corp/acs"
name_attribute = "uid"
groups_attribute = "groups"
administrators = ["ml-admins"]
roles = {{ ml = ["trainers"] }}
""")
        pages = folder / "pages"
        pages.mkdir()
        (pages / "index.html").write_text("<!doctype html><title>x</title>")
        with Server(folder, "data", ["--config", str(settings), "--ui", str(pages)]) as server:
            server.launch(f"127.0.0.1:{port}")
            server.wait()
            metadata = server.client().ask("GET", "/auth/saml/corp/metadata").body.decode()
            for said in (f"https://127.0.0.1:{port}/auth/saml/corp/acs", 'entityID="https://sealyard.example.org/saml"'):
                if said not in metadata:
                    raise Failed(f"our metadata lacks {said}:\n{metadata}")
            page = Client(server).ask("GET", "/login").body.decode()
            if "/auth/saml/corp/login" not in page:
                raise Failed("the log-in page has no link to the provider")
            for name, admin in (("ada", False), ("bob", True)):
                browser = Browser(server, idp)
                answer = browser.log_in(name, "/#/models")
                check(f"{name}'s log-in", answer.status, 200)
                check("where it goes", answer.headers["Refresh"], "0; url=/#/models")
                who = browser.whoami()
                check(f"{name} by the session's cookie", (who.status, who.json()["name"], who.json()["admin"]), (200, name, admin))
            check("an address of another server as next", Browser(server, idp).log_in("ada", "//evil.example").headers["Refresh"], "0; url=/")
            print("SAML: people log in at a real identity provider, with their groups")
            attacks(server, idp)
            server.stop()
            server.verify_ledger()
            print("SAML: attacks with what it signed are refused")


if __name__ == "__main__":
    main(act)
