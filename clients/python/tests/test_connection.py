from __future__ import annotations

import os
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PEM
from sealyard_mlflow import connect, connection

LogIn = Callable[..., Path]
CERTIFICATE = "MLFLOW_TRACKING_SERVER_CERT_PATH"


def test_the_certificate_is_named_to_who_asked_for_the_plugin(log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in()
    connection.trust()
    assert CERTIFICATE not in os.environ
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "sealyard")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://sealyard.example:5000/")
    connection.trust()
    path = Path(os.environ.pop(CERTIFICATE))
    assert path.read_text() == PEM
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_TRACKING_URI", "https://other.example"),
        ("MLFLOW_TRACKING_INSECURE_TLS", "true"),
        ("MLFLOW_TRACKING_AUTH", "other"),
    ],
)
def test_what_the_user_says_stands(log_in: LogIn, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    log_in()
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "sealyard")
    monkeypatch.setenv(name, value)
    connection.trust()
    assert CERTIFICATE not in os.environ


def test_a_named_certificate_stands(log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in()
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "sealyard")
    monkeypatch.setenv(CERTIFICATE, "/mine.pem")
    connection.trust()
    assert os.environ[CERTIFICATE] == "/mine.pem"


def test_an_exchanged_certificate_is_written_anew(log_in: LogIn) -> None:
    path = connection.certificate_file(PEM)
    path.write_text("another")
    assert connection.certificate_file(PEM).read_text() == PEM
    path.chmod(0o666)
    assert stat.S_IMODE(connection.certificate_file(PEM).stat().st_mode) == 0o600


def test_a_bad_log_in_does_not_break_the_import(log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    (log_in() / "login.json").chmod(0o644)
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "sealyard")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        connection.trust()
    assert any("chmod 600" in str(warning.message) for warning in said)


def test_connect_says_all_of_it(log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    log_in()
    for name in ("MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", CERTIFICATE):
        monkeypatch.setenv(name, "before")
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    login = connect()
    assert mlflow.get_tracking_uri() == mlflow.get_registry_uri() == login.url == os.environ["MLFLOW_TRACKING_URI"]
    assert os.environ["MLFLOW_TRACKING_AUTH"] == "sealyard"
    assert Path(os.environ[CERTIFICATE]).read_text() == PEM
    assert "MLFLOW_TRACKING_INSECURE_TLS" not in os.environ


@pytest.mark.parametrize("first", ["import mlflow", "import sealyard_mlflow", "from sealyard_mlflow import context"])
def test_either_may_be_imported_first(log_in: LogIn, first: str) -> None:
    log_in()
    program = f"""
import warnings
warnings.simplefilter("error", UserWarning)
{first}
import mlflow, os
from mlflow.tracking.context.registry import _run_context_provider_registry as providers
from sealyard_mlflow.context import SealyardRunContext
assert sum(isinstance(provider, SealyardRunContext) for provider in providers) == 1
print(os.environ["{CERTIFICATE}"])
"""
    environment = {**os.environ, "MLFLOW_TRACKING_AUTH": "sealyard"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_text() == PEM
