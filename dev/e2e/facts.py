"""What clients wrote, and whether a server still has it.

A fact is a key and the value that was acknowledged last, and values whose write was under way. Each key has one writer.
"""

import hashlib
import threading

from harness import Failed


class Facts:
    def __init__(self):
        self.lock = threading.Lock()
        self.known = {}  # key -> acknowledged value
        self.pending = {}  # key -> values that were under way
        self.recent = set()  # keys that were touched since the last look
        self.expected = []  # what the ledger must have
        self.acknowledged = 0

    def begin(self, key, value):
        with self.lock:
            self.pending.setdefault(key, []).append(value)
            self.recent.add(key)

    def acknowledge(self, key, value, expected=()):
        with self.lock:
            self.known[key] = value
            self.pending.pop(key, None)
            self.recent.add(key)
            self.expected.extend(expected)
            self.acknowledged += 1

    def expected_by_kind(self):
        kinds = {}
        for event in self.expected:
            kinds.setdefault(event["act"], []).append(event)
        return kinds

    def verify(self, client, everything=False, put_off=()):
        """Reads what was touched since the last look, or all. Files that `put_off` is raised for are looked at the next time."""
        keys = list(self.known.keys() | self.pending.keys()) if everything else list(self.recent)
        reader = Reader(client)
        later = set()
        for key in keys:
            allowed = [self.known.get(key), *self.pending.get(key, [])]
            try:
                found = reader.read(key)
            except put_off:
                if key[0] != "artifact":
                    raise Failed(f"{key}: what needs no entry in the ledger was put off") from None
                later.add(key)
                continue
            if found not in allowed:
                raise Failed(f"{key}: acknowledged was {short(allowed[0])}, under way {[short(v) for v in allowed[1:]]}; "
                             f"found {short(found)}")
            self.pending.pop(key, None)
            if found is not None:
                self.known[key] = found
        self.recent = later
        return len(later)


def short(value):
    text = repr(value)
    return text if len(text) < 160 else text[:160] + "…"


class Reader:
    """What a server says about a key now; `None` is nothing."""

    def __init__(self, client):
        self.client = client
        self.runs = {}

    def read(self, key):
        return getattr(self, key[0])(*key[1:])

    def ask(self, path):
        answer = self.client.ask("GET", path)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise Failed(f"GET {path}: {answer}")
        return answer

    def of_run(self, run):
        if run not in self.runs:
            answer = self.ask(f"/api/2.0/mlflow/runs/get?run_id={run}")
            self.runs[run] = answer and answer.json()["run"]
        return self.runs[run]

    def run(self, run):
        found = self.of_run(run)
        return found and found["info"]["status"]

    def batch(self, run, name):
        """Metrics, a parameter and a tag that one request wrote: all of them, or none."""
        data = self.of_run(run)["data"]
        parameter = next((p["value"] for p in data.get("params", []) if p["key"] == name), None)
        tag = next((t["value"] for t in data.get("tags", []) if t["key"] == name), None)
        history = self.ask(f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key={name}&max_results=1000")
        metrics = history.json().get("metrics", []) if history else []
        if parameter is None and tag is None and not metrics:
            return None
        if parameter != tag:
            return ("half of a batch", parameter, tag)
        return (tuple(m["value"] for m in sorted(metrics, key=lambda m: int(m.get("step", 0)))), parameter)

    def artifact(self, path):
        answer = self.ask(path)
        return answer and hashlib.sha256(answer.body).hexdigest()

    def model(self, model):
        answer = self.ask(f"/api/2.0/mlflow/logged-models/{model}")
        return answer and answer.json()["model"]["info"]["status"]

    def version(self, name, number):
        answer = self.ask(f"/api/2.0/mlflow/model-versions/get?name={name}&version={number}")
        return answer and answer.json()["model_version"]["source"]

    def alias(self, name):
        answer = self.client.ask("GET", f"/api/2.0/mlflow/registered-models/alias?name={name}&alias=newest")
        return int(answer.json()["model_version"]["version"]) if answer.status == 200 else None
