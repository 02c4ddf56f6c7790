"""MLflow's own pages in a headless Chromium, after a log in: experiments, a run with its charts, the registry, artifacts.

Fails on anything that the content security policy stopped, on an error in a page, on a request to another server, and on an
answer of 400 or more that is not in the list below. Then tries what a page of somebody else could.

SEALYARD names the binary; VENV has an `mlflow` with its UI. With a file's name as argument it writes a picture there.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import struct
import sys
import threading
import time
import zlib

import chromium
from harness import Failed, Folder, Server, check, main

# What the pages ask for and this server does not have; they do without. Method, path, status.
ABSENT = [
    # The assistant and what asks language models are services of their own.
    ("GET", r"/ajax-api/3\.0/mlflow/assistant/config", 404),
    ("GET", r"/ajax-api/3\.0/mlflow/gateway/(budgets|guardrails)/.*", 404),
    ("GET", r"/ajax-api/2\.0/mlflow/gateway-proxy", 404),
    # Jobs and issues of MLflow's own evaluation service.
    ("(GET|POST)", r"/ajax-api/3\.0/mlflow/(jobs|issues|demo)\b.*", 404),
]
WATCH = """
document.addEventListener('securitypolicyviolation', event =>
  console.error('POLICY ' + event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sourceFile));
"""


class Pages:
    """A browser with a list of what went wrong so far."""

    def __init__(self, browser, server):
        self.browser, self.server, self.seen, self.asked = browser, server, 0, {}
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def wrong(self):
        """What went wrong since the last time."""
        new, self.seen = self.browser.events[self.seen:], len(self.browser.events)
        found = []
        for method, event in new:
            if method == "Network.requestWillBeSent":
                self.asked[event["requestId"]] = event["request"]["method"]
                url = event["request"]["url"]
                if url.startswith(("http:", "https:", "ws:", "wss:")) and not url.startswith(self.server.url + "/"):
                    found.append(f"a request to another server: {url}")
            elif method == "Network.responseReceived" and event["response"]["status"] >= 400:
                response = event["response"]
                path = response["url"].removeprefix(self.server.url)
                verb = self.asked.get(event["requestId"], "?")
                absent = any(re.fullmatch(one, verb) and re.fullmatch(other + r"(\?.*)?", path) and response["status"] == status
                             for one, other, status in ABSENT)
                if not absent:
                    found.append(f"{verb} {path}: {response['status']}")
            elif method == "Network.loadingFailed" and event.get("blockedReason"):
                found.append(f"blocked: {event['blockedReason']}")
            elif method == "Runtime.exceptionThrown":
                found.append(f"an error in the page: {json.dumps(event['exceptionDetails'])[:500]}")
            elif method == "Runtime.consoleAPICalled" and event["type"] == "error":
                text = " ".join(str(argument.get("value", argument.get("description", ""))) for argument in event["args"])
                if text.startswith("POLICY "):
                    found.append(f"stopped by the policy: {text}")
            elif method == "Log.entryAdded" and event["entry"]["source"] == "security":
                found.append(f"security: {event['entry']['text'][:500]}")
        return found

    def open(self, path, *texts):
        """Opens a page anew and waits until it shows the texts."""
        self.browser.go("about:blank")
        self.browser.go(self.server.url + path)
        for text in texts:
            self.browser.shows(text)
        self.browser.quiet(0.5, 10)
        if wrong := self.wrong():
            raise Failed(f"{path}: " + "\n  ".join(wrong))
        print(f"ok: {path}")


def picture():
    """A PNG of 2 by 2 pixels."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"\0\xff\0\0\0\xff\0" * 2
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def fill(client):
    """Something to look at; gives the ids."""
    experiment = client.mlflow("POST", "experiments/create", name="diabetes")["experiment_id"]
    runs = []
    for number, name in enumerate(("elastic-net", "ridge", "lasso")):
        run = client.mlflow("POST", "runs/create", experiment_id=experiment, run_name=name,
                            start_time=int(time.time() * 1000))["run"]["info"]["run_id"]
        metrics = [{"key": key, "value": base / (step + 1) ** (0.5 + number / 10) + number / 20, "timestamp":
                    1_790_000_000_000 + step * 1000, "step": step}
                   for step in range(60) for key, base in (("rmse", 80.0), ("mae", 60.0))]
        client.mlflow("POST", "runs/log-batch", run_id=run, metrics=metrics, params=[
            {"key": "alpha", "value": str(0.1 * (number + 1))}, {"key": "solver", "value": "auto"}],
            tags=[{"key": "sealyard.git.commit", "value": "f" * 40}])
        client.mlflow("POST", "runs/update", run_id=run, status="FINISHED", end_time=int(time.time() * 1000))
        runs.append(run)
    for name, body in (("notes.txt", b"hello from a note"), ("page.html", b"<h1>hi</h1><script>window.top.owned = 1</script>"),
                       ("values.json", b'{"a": 1}'), ("dots.png", picture()), ("table.csv", b"a,b\n1,2\n")):
        client.call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{runs[0]}/artifacts/{name}", body=body)
    made = client.mlflow("POST", "logged-models", experiment_id=experiment, name="model", source_run_id=runs[0])
    model = made["model"]["info"]["model_id"]
    client.call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/models/{model}/artifacts/MLmodel", body=b"flavors: {}\n")
    client.mlflow("PATCH", f"logged-models/{model}", model_id=model, status="LOGGED_MODEL_READY")
    client.mlflow("POST", "registered-models/create", name="diabetes-model")
    client.mlflow("POST", "model-versions/create", name="diabetes-model", source=f"models:/{model}", run_id=runs[0])
    client.mlflow("POST", "registered-models/alias", name="diabetes-model", alias="candidate", version="1")
    root = "/api/3.0/mlflow/gateway"
    secret = client.call("POST", f"{root}/secrets/create", {"secret_name": "team-key", "provider": "openai",
                                                           "secret_value": {"api_key": "sk-never-shown-5678"}})["secret"]["secret_id"]
    definition = client.call("POST", f"{root}/model-definitions/create", {"name": "definition", "secret_id": secret, "provider": "openai",
                                                                          "model_name": "gpt-4"})["model_definition"]["model_definition_id"]
    client.call("POST", f"{root}/endpoints/create", {"name": "front-door", "model_configs": [{"model_definition_id": definition}]})
    return experiment, runs, model


def log_in(browser, password):
    browser.shows("User name")
    for name, text in (("name", "admin"), ("password", password)):
        browser.evaluate(f"document.getElementById('{name}').focus()")
        browser.type(text)
    browser.click("document.querySelector('button')")


class Foreign:
    """A server of somebody else on this machine: for a browser the same site, but another origin."""

    def __init__(self, page):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def forge(browser, server, client):
    """A page of another origin, with the user logged in here, changes nothing and reads nothing."""
    create = f"{server.url}/ajax-api/2.0/mlflow/experiments/create"
    page = f"""<!doctype html><title>wait</title><iframe id=f src="{server.url}/"></iframe>
<form id=x method=post enctype=text/plain action="{create}"><input name='{{"name":"forged-form","x":"' value='"}}'></form>
<script>
const send = (body) => fetch({json.dumps(create)}, {{method: 'POST', mode: 'no-cors', credentials: 'include', body}});
const read = fetch('{server.url}/ajax-api/2.0/mlflow/experiments/get?experiment_id=0', {{credentials: 'include'}})
  .then(answer => answer.text()).catch(() => 'unreadable');
Promise.allSettled([send('{{"name":"forged"}}'), read]).then(done => {{
  window.read = done[1].value;
  document.title = 'done';
}});
</script>"""
    with Foreign(page) as foreign:
        browser.go(foreign.url)
        browser.until("the other page is done", "document.title === 'done'")
        check("what another page reads", browser.evaluate("window.read"), "unreadable")
        framed = browser.evaluate("(() => { try { return document.getElementById('f').contentDocument.title } catch { return null } })()")
        # Nothing, or the empty page that was there before.
        check("what another page sees in a frame", framed or "", "")
        browser.evaluate("document.getElementById('x').submit()")
        browser.until("the form is answered", f"location.href.startsWith({json.dumps(server.url)})")
        browser.shows("http.origin")
    names = {found["name"] for found in client.call("GET", "/api/2.0/mlflow/experiments/search?max_results=100")["experiments"]}
    check("experiments made by another page", sorted(name for name in names if name.startswith("forged")), [])
    print("ok: a page of another origin changes and reads nothing")


def now_code(secret):
    """What an authenticator app shows for this secret (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place:place + 4])[0] & 0x7fffffff) % 1000000:06}"


def fill_in(browser, name, text, button):
    browser.evaluate(f"document.getElementById('{name}').select()")
    browser.type(text)
    browser.click(f"[...document.querySelectorAll('button')].find(one => one.textContent === '{button}')")


def own_account(browser, pages, server, password):
    """A token, the list of browsers and a second factor, all by the pages."""
    pages.open("/account", "Second factor: off")
    pages.open("/account/tokens", "Make a token")
    fill_in(browser, "scopes", "ledger:read", "Make a token")
    browser.shows("shown this once")
    token = browser.evaluate("document.getElementById('made').textContent")
    check("a token of the page", server.client(token).ask("GET", "/api/sealyard/v1/whoami").status, 200)
    pages.open("/account/tokens", "ledger:read")
    check("the list has no token", token in browser.evaluate("document.documentElement.outerHTML"), False)
    browser.click("[...document.querySelectorAll('tr')].find(row => row.textContent.includes('ledger:read')).querySelector('button')")
    browser.until("the token is gone", "document.readyState === 'complete' && !document.body.textContent.includes('ledger:read')")
    check("it is revoked", server.client(token).ask("GET", "/api/sealyard/v1/whoami").status, 401)
    pages.open("/account/sessions", "Log out everywhere")
    pages.open("/account/second-factor", "Set it up")
    fill_in(browser, "password", password, "Set it up")
    browser.shows("authenticator app")
    browser.until("the code to scan", "document.querySelector('svg') !== null")
    drawn = browser.evaluate("(() => { const box = document.querySelector('svg').getBoundingClientRect(); return [box.width, box.height] })()")
    check("the QR code is drawn", drawn, [240, 240])
    fill_in(browser, "code", now_code(browser.evaluate("document.getElementById('secret').textContent")), "Turn it on")
    browser.shows("Log in again")
    codes = browser.evaluate("[...document.querySelectorAll('#codes code')].map(one => one.textContent)")
    check("codes to recover with", len(set(codes)), 10)
    if wrong := pages.wrong():
        raise Failed("the account's pages: " + "\n  ".join(wrong))
    browser.go(server.url + "/login")
    log_in(browser, password)
    browser.shows("Code of your authenticator app")
    pages.wrong()
    for name, text in (("name", "admin"), ("password", password)):
        browser.evaluate(f"document.getElementById('{name}').select()")
        browser.type(text)
    fill_in(browser, "code", codes[0], "Log in")
    browser.shows("Welcome to MLflow")
    pages.open("/account/second-factor", "Turn it off")
    fill_in(browser, "code", codes[1], "Turn it off")
    browser.shows("The second factor is off.")
    print("ok: a token, the browsers and a second factor of one's own, by the pages")


def artifacts_are_harmless(browser, server, experiment, run):
    """An HTML file from a run, opened by itself, runs nothing in this origin."""
    path = f"/ajax-api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/page.html"
    found = browser.evaluate(f"""fetch({json.dumps(path)}).then(answer => [answer.status, answer.headers.get('content-disposition'),
        answer.headers.get('content-security-policy'), answer.headers.get('x-content-type-options')])""")
    status, disposition, policy, sniff = found
    check("status of an artifact", status, 200)
    check("an artifact is offered for download", (disposition or "").startswith("attachment"), True)
    check("an artifact has no rights", "sandbox" in (policy or "") and "allow-scripts" not in policy, True)
    check("an artifact's type is not guessed", sniff, "nosniff")
    print("ok: an HTML artifact is for download and has no rights")


def ledger(browser, pages, server, client):
    """The page of the ledger searches, proves in the browser, and sees a log that is no continuation of what it saw."""
    pages.open("/ledger", "checked by this browser", "this is the first one with this key", "session-started")
    for field, text in (("subject", "registered-model:diabetes-model"), ("actor", "admin"), ("act", "registered-model-created")):
        browser.evaluate(f"document.querySelector('[name={field}]').value = {json.dumps(text)}")
    browser.click("document.querySelector('#form button')")
    browser.until("one entry is found", "document.querySelectorAll('#entries tr').length === 1")
    check("what is found", "registered-model-created" in browser.evaluate("document.getElementById('entries').innerText"), True)
    browser.click("document.querySelector('#entries button')")
    browser.shows("proven by this browser")
    check("the entry that is proven", json.loads(browser.evaluate("document.getElementById('event').textContent"))["name"], "diabetes-model")
    fresh = server.client()  # the other one's connection was left alone for too long
    for number in range(60):
        fresh.mlflow("POST", "registered-models/create", name=f"another-{number}")
    fresh.close()
    # Pages: the first fifty, then older ones, each once.
    browser.evaluate("document.getElementById('form').reset()")
    browser.click("document.querySelector('#form button')")
    browser.until("the first page", "document.querySelectorAll('#entries tr').length === 50")
    browser.click("document.getElementById('older')")
    browser.until("the second page", "document.querySelectorAll('#entries tr').length > 50")
    numbers = browser.evaluate("[...document.querySelectorAll('#entries button')].map(button => +button.textContent)")
    check("no entry twice", len(numbers), len(set(numbers)))
    future = "document.querySelector('[name=since]').value = '2099-01-01T00:00:00'"
    browser.evaluate(future)
    browser.click("document.querySelector('#form button')")
    browser.until("nothing is found in times to come", "document.querySelectorAll('#entries tr').length === 0")
    # What the checks of the page say of proofs that do not hold: of every size, with anything changed.
    wrong = browser.evaluate("""(async () => {
      const {verifierKey, verifyProof, openCheckpoint, verifyConsistency} = await import('/ledger/proof.js');
      const get = async (path) => (await fetch('/api/sealyard/v1/ledger/' + path)).json();
      const status = await get('checkpoint');
      const key = await verifierKey(status.verifier_key);
      const newest = await openCheckpoint(status.checkpoint, key);
      const fails = async (work) => { try { await work(); return false } catch { return true } };
      const wrong = [];
      for (let index = 0; index < newest.size; index += 7) {
        const proof = await get('proof?index=' + index);
        await verifyProof(proof, key);
        const changes = {
          index: (p) => p.index += 1, entry: (p) => p.entry = btoa(atob(p.entry) + ' '), short: (p) => p.inclusion.pop(),
          long: (p) => p.inclusion.push(p.inclusion[0]), swapped: (p) => p.inclusion.reverse(),
          size: (p) => p.checkpoint = p.checkpoint.replace(/\\n[0-9]+\\n/, '\\n' + (newest.size + 1) + '\\n'),
        };
        for (const [name, change] of Object.entries(changes)) {
          const other = structuredClone(proof);
          change(other);
          if (!await fails(() => verifyProof(other, key))) wrong.push(name + ' of ' + index);
        }
      }
      const checkpoints = [];
      for (let from = 1; from <= newest.size; from += 5) {
        const {consistency, checkpoint} = await get('consistency?from=' + from);
        const newer = await openCheckpoint(checkpoint, key);
        const back = await fetch('/api/sealyard/v1/ledger/consistency?from=1&to=' + from);
        if (back.status !== 200) continue;
        const older = await openCheckpoint((await back.json()).checkpoint, key);
        await verifyConsistency(older, newer, consistency);
        checkpoints.push(from);
        const forged = {...older, root: older.root.map((byte) => byte ^ 1)};
        if (!await fails(() => verifyConsistency(forged, newer, consistency))) wrong.push('another past of ' + from);
        if (consistency.length && !await fails(() => verifyConsistency(older, newer, consistency.slice(1)))) wrong.push('short ' + from);
      }
      if (checkpoints.length === 0) wrong.push('no checkpoint was compared');
      return wrong;
    })()""")
    check("false proofs that the page believes", wrong, [])
    # There is no signed checkpoint of most sizes, which the check above asked for.
    expected = "/api/sealyard/v1/ledger/consistency?from=1&to="
    if wrong := [one for one in pages.wrong() if expected not in one]:
        raise Failed("the page of the ledger: " + "\n  ".join(wrong))
    # It remembers: a log that goes on is well, one that is said to have been longer or other is not.
    pages.open("/ledger", "are unchanged")
    for change, said in (("{...kept, size: kept.size + 1000}", "fewer entries"),
                         ("{...kept, root: btoa('x'.repeat(32))}", "NOT a continuation")):
        browser.evaluate(f"""(() => {{ const name = Object.keys(localStorage).find(name => name.startsWith('sealyard-ledger'));
            window.name = window.name || localStorage[name]; const kept = JSON.parse(window.name);
            localStorage[name] = JSON.stringify({change}) }})()""")
        pages.open("/ledger", said)
    # Another key is not the log's.
    browser.evaluate("document.getElementById('key').value = 'x+00000000+AAAA'; document.getElementById('key').dispatchEvent(new Event('change'))")
    browser.shows("no public key of a ledger")
    if wrong := pages.wrong():
        raise Failed("the page of the ledger: " + "\n  ".join(wrong))
    print("ok: the ledger is searched and proven in the browser")


def act():
    target = sys.argv[1] if len(sys.argv) > 1 else None
    os.environ["VIRTUAL_ENV"] = os.path.abspath(os.environ.get("VENV") or sys.prefix)
    password = "Marl-Siskin-Threnody-73"
    with Folder() as folder, Server(folder, arguments=["--ui", "mlflow", "--admin-password-file", "password"]) as server:
        (folder / "password").write_text(password)
        (folder / "password").chmod(0o600)
        server.start()
        client = server.client()
        experiment, runs, model = fill(client)
        with chromium.Browser() as browser:
            pages = Pages(browser, server)
            # Who is not logged in sees the log-in page, and afterwards the page they had asked for.
            browser.go(f"{server.url}/#/experiments/{experiment}/runs")
            browser.shows("User name")
            check("what nobody is shown", "mlflow" in browser.evaluate("document.documentElement.outerHTML").lower(), False)
            log_in(browser, "wrong")
            browser.shows("wrong")
            check("a wrong password", "name or password is wrong" in browser.text(), True)
            pages.wrong()
            log_in(browser, password)
            browser.shows("elastic-net")
            check("where one is after the log in", browser.evaluate("location.hash").split("?")[0], f"#/experiments/{experiment}/runs")
            check("what scripts see of the cookies", browser.evaluate("document.cookie"), "")
            browser.quiet(0.5, 10)
            if wrong := pages.wrong():
                raise Failed("after the log in: " + "\n  ".join(wrong))
            print("ok: log in")
            base = f"/#/experiments/{experiment}"
            pages.open("/#/", "Welcome to MLflow")
            pages.open("/#/experiments", "diabetes")
            pages.open(f"{base}/runs", "elastic-net", "ridge", "lasso")
            pages.open(f"{base}/runs/{runs[0]}", "elastic-net", "alpha", "rmse", "diabetes-model")
            pages.open(f"{base}/runs/{runs[0]}/model-metrics", "rmse")
            browser.until("a chart is drawn", "document.querySelectorAll('.js-plotly-plot .scatterlayer path.js-line').length > 0")
            if target:
                browser.picture(target)
            pages.open(f"{base}/runs/{runs[0]}/artifacts", "notes.txt", "page.html", "dots.png")
            pages.open(f"{base}/runs/{runs[0]}/artifacts/notes.txt", "hello from a note")
            pages.open(f"{base}/runs/{runs[0]}/artifacts/table.csv", "table.csv")
            pages.open(f"{base}/runs/{runs[0]}/artifacts/dots.png", "dots.png")
            pages.open(f"{base}/runs/{runs[0]}/artifacts/page.html", "page.html")
            check("what an HTML artifact did to the page", browser.evaluate("window.owned === undefined"), True)
            pages.open(f"{base}/models", "model")
            pages.open(f"{base}/models/{model}", "model")
            pages.open(f"{base}/traces", "Traces")
            pages.open("/#/compare-runs?runs=" + json.dumps(runs[:2]).replace('"', "%22") + f"&experiments=[%22{experiment}%22]",
                       "elastic-net", "ridge")
            pages.open("/#/models", "diabetes-model")
            pages.open("/#/models/diabetes-model", "diabetes-model", "Version 1")
            pages.open("/#/models/diabetes-model/versions/1", "Version 1")
            pages.open("/#/prompts", "Prompts")
            pages.open("/#/gateway", "front-door")
            pages.open("/#/gateway/api-keys", "team-key", "OpenAI")
            check("what the pages have of a key", "never-shown" in browser.evaluate("document.documentElement.outerHTML"), False)
            pages.open("/#/gateway/endpoints/create", "Create endpoint")
            ledger(browser, pages, server, client)
            artifacts_are_harmless(browser, server, experiment, runs[0])
            forge(browser, server, server.client())
            pages.wrong()
            own_account(browser, pages, server, password)
            browser.go(server.url + "/logout")
            browser.click("document.querySelector('button')")
            browser.shows("User name")
            browser.go(f"{server.url}/#/experiments")
            browser.shows("User name")
            print("ok: log out")
        said = {entry["event"]["act"] for entry in server.client().call("GET", "/api/sealyard/v1/ledger/entries?limit=1000")["entries"]}
        check("the ledger's view of it", {"session-started", "session-ended", "login-failed"} <= said, True)


if __name__ == "__main__":
    main(act)
