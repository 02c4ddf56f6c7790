"""Points MLflow's own integration tests at a server in another process. Loaded by run.sh with `-p plugin`.

It holds none of MLflow's tests. In each test module it replaces the helpers that start a server (`ServerThread`,
`_init_server`, `_launch_server`) by ones that start ours, empty, for each use. A test runs if it asks a server and asks
it nothing but requests; what is left out is in left-out.toml, with its reason, or reaches into the server's process.
"""

import configparser
import contextlib
import inspect
import json
import os
import re
import signal
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parent))
import servers  # noqa: E402

LAUNCHERS = re.compile(r"\b(ServerThread|_init_server|_launch_server)\(")
# What a test does to the server's insides; it can't to those of another process.
INSIDES = re.compile(
    r"patch\(\s*[\"']mlflow\.(server|store|telemetry\.track)|patch\.object\(SqlAlchemyStore|\bhandlers\.|SqlAlchemyStore\(|_get_tracking_store|_get_model_registry_store|"
    r"test_client\(|test_request_context|initialize_backend_stores|ServerThread|subprocess\.Popen|_init_server\(")
# Settings of a test's own server that change nothing of its answers.
NEUTRAL = {"MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_AUTH_CONFIG_PATH", "_MLFLOW_SGI_NAME", "PYTHONPATH"}
LEFT_OUT = tomllib.loads((Path(__file__).parent / "left-out.toml").read_text())["test"]

SERVER = servers.from_environment()


class Thread:
    """In place of MLflow's `ServerThread`."""

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        import mlflow

        SERVER.start()
        mlflow.set_tracking_uri(SERVER.url)  # where the server is a thread, the tests' default store is the server's
        return SERVER.url

    def __exit__(self, *_):
        SERVER.stop()


@contextlib.contextmanager
def init_server(*_, extra_env=None, app=None, **__):
    import mlflow

    extra_env = extra_env or {}
    if odd := sorted(set(extra_env) - NEUTRAL):
        pytest.skip(f"needs a server with settings of its own: {', '.join(odd)}")
    permission = None
    if app and "auth" in app:
        settings = configparser.ConfigParser()
        settings.read(extra_env.get("MLFLOW_AUTH_CONFIG_PATH") or Path(mlflow.server.__file__).parent / "auth/basic_auth.ini")
        permission = settings["mlflow"]["default_permission"]
        if "basic_auth" not in settings["mlflow"]["authorization_function"]:
            pytest.skip("needs a server with a plugin that authenticates")
    mlflow.set_tracking_uri(None)
    SERVER.start(permission)
    try:
        yield SERVER.url
    finally:
        SERVER.stop()


def welcoming(create_user):
    """In place of the tests' `create_user`: the same, and the user has what MLflow's default permission gives."""

    def create(*arguments, **named):
        found = create_user(*arguments, **named)
        SERVER.welcome(found[0])
        return found

    return create


def known_password(session_request):
    """Some tests write the administrator's password out."""

    def request(self, *arguments, auth=None, **named):
        if auth == ("admin", "password1234"):
            auth = servers.ADMINISTRATOR
        return session_request(self, *arguments, auth=auth, **named)

    return request


requests.Session.request = known_password(requests.Session.request)

@contextlib.contextmanager
def launch_server(*_, **__):
    class Process:
        pid = -1

    SERVER.start()
    try:
        yield Process()
    finally:
        SERVER.stop()


class Temporary:
    """`tempfile` for a fixture that takes the folder above the server's artifacts for its own."""

    def __getattr__(self, name):
        import tempfile

        return getattr(tempfile, name)

    @contextlib.contextmanager
    def TemporaryDirectory(self, *_, **__):  # noqa: N802
        yield str(SERVER.artifacts.parent if SERVER.artifacts else SERVER.root)


class NoStore:
    """A store of the tests' own process would be another than the server's."""

    def __init__(self, *_, **__):
        self.engine = self

    def dispose(self):
        pass


def repoint(module):
    if getattr(module, "_repointed", False):
        return
    module._repointed = True
    for name, ours in [("ServerThread", Thread), ("_init_server", init_server),
                       ("initialize_backend_stores", lambda *_, **__: None)]:
        if hasattr(module, name):
            setattr(module, name, ours)
    if hasattr(module, "ADMIN_PASSWORD"):
        module.ADMIN_PASSWORD = servers.ADMINISTRATOR[1]
        sys.modules["tests.server.auth.auth_test_utils"].ADMIN_PASSWORD = servers.ADMINISTRATOR[1]
        if hasattr(module, "create_user"):
            module.create_user = welcoming(module.create_user)
    if hasattr(module, "_launch_server"):
        module._launch_server = launch_server
        module.get_safe_port = lambda: SERVER.port
        module.LOCALHOST = servers.HOST
        module.tempfile = Temporary()
        module.SqlAlchemyStore = NoStore


def source(function):
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


def starts_a_server(item):
    fixtures = [each.func for found in item._fixtureinfo.name2fixturedefs.values() for each in found]
    return any(LAUNCHERS.search(source(function)) for function in [item.function, *fixtures])


def named(name, nodeid):
    return nodeid.endswith(name[:-1]) if name.endswith("$") else name in nodeid


def why_not(item):
    if not starts_a_server(item):
        return "asks no server"
    if "[file" in item.name:
        return "file store, which MLflow gave up"
    if INSIDES.search(source(item.function)):
        return "reaches into the server's process"
    for entry in LEFT_OUT:
        if entry["server"] in ("any", SERVER.name) and any(named(name, item.nodeid) for name in entry["names"]):
            return entry["reason"]
    return None


def pytest_collection_modifyitems(config, items):
    kept, dropped, why = [], [], {}
    for item in items:
        if reason := why_not(item):
            dropped.append(item)
            why[item.nodeid] = reason
        else:
            kept.append(item)
            repoint(item.module)
    items[:] = kept
    config.hook.pytest_deselected(items=dropped)
    config._suite = {"server": SERVER.name, "left_out": why, "outcomes": {}}


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        outcome = report.outcome if report.when == "call" or report.skipped else "error"
        OUTCOMES[report.nodeid] = [outcome, str(report.longrepr[2]) if report.skipped and isinstance(report.longrepr, tuple) else ""]


OUTCOMES = {}


def pytest_terminal_summary(terminalreporter, config):
    found = getattr(config, "_suite", None)
    if not found:
        return
    found["outcomes"] = OUTCOMES
    counts = Counter(outcome for outcome, _ in OUTCOMES.values())
    terminalreporter.write_line(f"against {SERVER.name}: {dict(counts)}")
    for reason, count in Counter(found["left_out"].values()).most_common():
        terminalreporter.write_line(f"  left out {count:4}: {reason}")
    if path := os.environ.get("SUITE_REPORT"):
        Path(path).write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


# A run that is told to end takes its server with it.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def pytest_unconfigure(config):
    SERVER.close()
