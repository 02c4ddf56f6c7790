"""A headless Chromium, driven over a pipe by the DevTools protocol. Standard library only.

`CHROMIUM` names the program; without it `chromium` on the path is taken. Its profile is a fresh folder each time.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

from harness import Failed

ANSWER_SECONDS = 60
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--disable-features=Translate,OptimizationHints,MediaRouter", "--no-proxy-server", "--hide-scrollbars",
         "--window-size=1280,800", "--remote-debugging-pipe",
         # The server's certificate is its own; that clients check it is what other tests show.
         "--ignore-certificate-errors"]


def program():
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise Failed("there is no chromium to test the pages with; on Debian: apt-get install chromium")
    return found


class Browser:
    """One browser with one page. Everything that the page reports is kept in `events`."""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="sealyard-chromium-")
        there, self.requests = os.pipe()
        self.answers, here = os.pipe()

        def pipes():
            # Both may be in the way of the other, so they are moved up first.
            one, two = os.dup(there), os.dup(here)
            one, two = (os.dup(one), os.dup(two)) if min(one, two) < 5 else (one, two)
            os.dup2(one, 3)
            os.dup2(two, 4)

        environment = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        self.log = open(os.path.join(self.profile, "log"), "wb")
        self.process = subprocess.Popen(
            [program(), *FLAGS, f"--user-data-dir={self.profile}/data", "about:blank"], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, preexec_fn=pipes, close_fds=False, start_new_session=True,
            env={**environment, "HOME": self.profile})
        os.close(there)
        os.close(here)
        self.number, self.waiting, self.events = 0, {}, []
        self.changed = threading.Condition()
        self.ended = False
        threading.Thread(target=self.listen, daemon=True).start()
        targets = self.call("Target.getTargets", session=None)["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", session=None, targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        os.close(self.requests)
        shutil.rmtree(self.profile, ignore_errors=True)

    def listen(self):
        with open(self.answers, "rb", buffering=0) as pipe:
            rest = b""
            while piece := pipe.read(1 << 20):
                *whole, rest = (rest + piece).split(b"\0")
                with self.changed:
                    for message in map(json.loads, whole):
                        if "id" in message:
                            self.waiting[message["id"]] = message
                        else:
                            self.events.append((message["method"], message.get("params", {})))
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def call(self, method, session="page", **parameters):
        with self.changed:
            self.number += 1
            number = self.number
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = self.session
        os.write(self.requests, json.dumps(message).encode() + b"\0")
        with self.changed:
            if not self.changed.wait_for(lambda: number in self.waiting or self.ended, ANSWER_SECONDS):
                raise Failed(f"chromium did not answer {method} within {ANSWER_SECONDS} s")
            answer = self.waiting.pop(number, {"error": "chromium ended"})
        if "error" in answer:
            raise Failed(f"chromium: {method}: {answer['error']}")
        return answer["result"]

    def evaluate(self, script):
        """The value of a script's last expression, run in the page."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise Failed(f"a script failed in the page: {script}: {done['exceptionDetails'].get('exception')}")
        return done["result"].get("value")

    def go(self, url):
        self.call("Page.navigate", url=url)

    def until(self, what, script, seconds=45):
        """Waits until a script in the page gives something true."""
        end = time.monotonic() + seconds
        while True:
            try:
                if value := self.evaluate(f"(() => {{ try {{ return {script} }} catch (e) {{ return null }} }})()"):
                    return value
            except Failed as error:
                # While a page goes, there is nothing to run a script in.
                if "context" not in str(error).lower():
                    raise
            if time.monotonic() > end:
                raise Failed(f"{what}: not within {seconds} s; the page says: {self.text()[:1500]!r}")
            time.sleep(0.1)

    def shows(self, text, seconds=45):
        """Waits until the page shows a text."""
        return self.until(f"the page shows {text!r}", f"document.body.innerText.includes({json.dumps(text)})", seconds)

    def text(self):
        return self.evaluate("document.body ? document.body.innerText : ''") or ""

    def quiet(self, seconds=1.0, most=20):
        """Waits until the page has asked for nothing for a while."""
        end = time.monotonic() + most
        while time.monotonic() < end:
            before = len(self.events)
            time.sleep(seconds)
            if len(self.events) == before:
                return

    def type(self, text):
        self.call("Input.insertText", text=text)

    def click(self, script):
        """Clicks on the element that a script finds."""
        self.until(f"there is {script}", f"!!({script})")
        self.evaluate(f"({script}).click()")

    def picture(self, path, width=1280, height=800):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        time.sleep(1)
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=False)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
