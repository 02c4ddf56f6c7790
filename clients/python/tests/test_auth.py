from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from conftest import TOKEN
from sealyard_mlflow import SealyardError
from sealyard_mlflow.auth import SealyardAuthProvider

LogIn = Callable[..., Path]


def prepared(url: str) -> requests.PreparedRequest:
    auth = SealyardAuthProvider().get_auth()
    return requests.Request("GET", url, auth=auth).prepare()


def test_mlflow_knows_it_by_its_name() -> None:
    from mlflow.tracking.request_auth.registry import _request_auth_provider_registry

    names = [provider.get_name() for provider in _request_auth_provider_registry]
    assert names.count("sealyard") == 1


def test_requests_to_the_server_carry_the_token(log_in: LogIn) -> None:
    log_in()
    for url in ("https://sealyard.example:5000/api/2.0/mlflow/runs/get?x=1", "https://SEALYARD.example:5000/"):
        assert prepared(url).headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example:5000/",
        "https://sealyard.example/",
        "https://sealyard.example:5001/",
        "http://sealyard.example:5000/",
        "https://sealyard.example.evil.example:5000/",
        "https://sealyard.example:5000@evil.example/",
        "https://evil.example/sealyard.example:5000",
    ],
)
def test_no_other_request_does(log_in: LogIn, url: str) -> None:
    log_in()
    with pytest.raises(SealyardError) as caught:
        prepared(url)
    assert TOKEN not in str(caught.value)


def test_a_new_token_is_used_at_once(log_in: LogIn) -> None:
    folder = log_in()
    auth = SealyardAuthProvider().get_auth()
    (folder / "token").write_text("sy_new")
    request = requests.Request("GET", "https://sealyard.example:5000/", auth=auth).prepare()
    assert request.headers["Authorization"] == "Bearer sy_new"
