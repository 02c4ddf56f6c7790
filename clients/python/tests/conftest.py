"""Every test has a home of its own, and an environment without anything that points somewhere else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sealyard_mlflow import context

TOKEN = "sy_" + "a" * 49
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("SEALYARD", "MLFLOW", "XDG", "GIT")):
            monkeypatch.delenv(name)
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setattr(context, "_named", {})
    return place


@pytest.fixture
def log_in(home: Path) -> Callable[..., Path]:
    """Remembers a log in as the command does; gives the folder."""

    def write(url: str = "https://sealyard.example:5000", ca: str | None = PEM, token: str = TOKEN) -> Path:
        folder = home / ".config" / "sealyard"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in (
            ("token", token + "\n"),
            ("login.json", json.dumps({"url": url, "ca": ca, "token_file": str(folder / "token"), "token_id": "t1"})),
        ):
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        return folder

    return write
