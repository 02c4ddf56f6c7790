from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PEM, TOKEN
from sealyard_mlflow import Login, SealyardError

LogIn = Callable[..., Path]


def test_what_the_command_remembers_is_read(log_in: LogIn) -> None:
    log_in()
    login = Login.load()
    assert (login.url, login.certificate, login.token()) == ("https://sealyard.example:5000", PEM, TOKEN)
    assert TOKEN not in repr(login)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620])
@pytest.mark.parametrize("name", ["login.json", "token"])
def test_files_that_others_may_read_or_write_are_refused(log_in: LogIn, name: str, mode: int) -> None:
    (log_in() / name).chmod(mode)
    with pytest.raises(SealyardError, match="chmod 600") as caught:
        Login.load().token()
    assert TOKEN not in str(caught.value)


def test_what_is_no_plain_file_is_refused(log_in: LogIn) -> None:
    folder = log_in()
    (folder / "token").unlink()
    os.mkfifo(folder / "token", 0o600)
    with pytest.raises(SealyardError, match="not a plain file"):
        Login.load().token()


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"url": 1, "token_file": "x"}', '{"url": "https://a"}', "{" * 100_000])
def test_a_damaged_log_in_says_what_to_do(log_in: LogIn, text: str) -> None:
    (log_in() / "login.json").write_text(text)
    with pytest.raises(SealyardError, match="sealyard logout"):
        Login.load()


@pytest.mark.parametrize("token", ["", "two words", "ä", "line\nline"])
def test_what_is_no_token_is_refused(log_in: LogIn, token: str) -> None:
    log_in(token=token)
    with pytest.raises(SealyardError, match="holds no token"):
        Login.load().token()


def test_nothing_remembered_says_what_to_do() -> None:
    with pytest.raises(SealyardError, match="sealyard login"):
        Login.load()


def test_the_environment_comes_first(log_in: LogIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in()
    token = tmp_path / "other"
    token.write_text("sy_other\n")
    token.chmod(0o600)
    monkeypatch.setenv("SEALYARD_TOKEN_FILE", str(token))
    login = Login.load()
    assert (login.token(), login.certificate) == ("sy_other", PEM)
    monkeypatch.setenv("SEALYARD_SERVER", "https://other.example/")
    login = Login.load()
    assert (login.url, login.certificate) == ("https://other.example", None)
    authority = tmp_path / "ca.pem"
    authority.write_text(PEM)
    monkeypatch.setenv("SEALYARD_CA", str(authority))
    assert Login.load().certificate == PEM
    authority.write_text("no certificate")
    with pytest.raises(SealyardError, match="no certificate"):
        Login.load()


def test_a_token_of_one_server_is_not_used_for_another(log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in()
    monkeypatch.setenv("SEALYARD_SERVER", "https://other.example")
    with pytest.raises(SealyardError, match="nothing is remembered"):
        Login.load()


@pytest.mark.parametrize(
    "url",
    ["http://sealyard.example", "http://10.0.0.1:5000", "ftp://a", "sealyard.example", "https://u:p@a.example", "http://localhost.evil.example"],
)
def test_a_token_does_not_cross_a_network_in_the_clear(log_in: LogIn, url: str) -> None:
    log_in(url=url)
    with pytest.raises(SealyardError, match="can't be used as a server"):
        Login.load()


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "http://localhost:5000", "http://[::1]:5000", "https://a.example"])
def test_loopback_may_be_plain(log_in: LogIn, url: str) -> None:
    log_in(url=url, ca=None)
    assert Login.load().url == url
