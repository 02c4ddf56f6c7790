from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from sealyard_mlflow import SealyardError, context, git, name_data
from sealyard_mlflow.context import SealyardRunContext


def in_git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *names, "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    in_git(folder, "init", "-b", "trunk")
    (folder / "train.py").write_text("print(1)\n")
    in_git(folder, "add", ".")
    in_git(folder, "commit", "-m", "x")
    in_git(folder, "remote", "add", "origin", "https://user:secret@git.example.org:8443/team/repo.git?token=secret")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(context, "program_folder", lambda: folder)
    return folder


def tags() -> dict[str, str]:
    provider = SealyardRunContext()
    assert provider.in_context()
    return provider.tags()


def test_git_facts(repository: Path) -> None:
    found = tags()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True).stdout.strip()
    assert found == {
        "sealyard.git.commit": commit,
        "sealyard.git.dirty": "false",
        "sealyard.git.branch": "trunk",
        "sealyard.git.remote": "https://git.example.org:8443/team/repo.git",
    }
    (repository / "train.py").write_text("print(2)\n")
    assert tags()["sealyard.git.dirty"] == "true"
    in_git(repository, "checkout", "--", "train.py")
    (repository / "new.py").write_text("")
    assert tags()["sealyard.git.dirty"] == "true"


def test_nothing_that_the_repository_configures_is_run(repository: Path, tmp_path: Path) -> None:
    witness = tmp_path / "run"
    for name in ("core.fsmonitor", "filter.x.clean", "core.sshCommand", "core.pager", "diff.external"):
        in_git(repository, "config", name, f"touch {witness}; cat")
    (repository / ".gitattributes").write_text("* filter=x diff=x\n")
    (repository / "train.py").write_text("print(3)\n")
    found = tags()
    assert not witness.exists()
    assert "sealyard.git.commit" in found and "sealyard.git.dirty" not in found


def test_outside_of_a_repository_there_are_no_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(context, "program_folder", lambda: tmp_path)
    assert tags() == {}


@pytest.mark.parametrize(
    ("remote", "clean"),
    [
        ("https://user:secret@git.example/x.git", "https://git.example/x.git"),
        ("https://secret@git.example/x.git?private_token=secret#secret", "https://git.example/x.git"),
        ("ssh://git:secret@git.example:2222/x", "ssh://git.example:2222/x"),
        ("git@git.example:team/x.git", "git.example:team/x.git"),
        ("secret@git.example:x", "git.example:x"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("/home/me/x", None),
        ("../x", None),
        ("file:///home/me/x", None),
        ("https://git.example:port/x", None),
        ("https://git.example/x\nsecret", None),
    ],
)
def test_remotes_lose_their_credentials(remote: str, clean: str | None) -> None:
    assert git.without_credentials(remote) == clean


def test_the_lock(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "requirements.txt").write_text("numpy\n")
    assert not any(name.startswith("sealyard.lock") for name in tags())
    (repository / "requirements.txt").write_text("numpy==2 --hash=sha256:00\n")
    found = tags()
    digest = hashlib.sha256(b"numpy==2 --hash=sha256:00\n").hexdigest()
    assert (found["sealyard.lock.file"], found["sealyard.lock.digest"]) == ("requirements.txt", f"sha256:{digest}")
    (repository / "uv.lock").write_text("x")
    assert tags()["sealyard.lock.file"] == "uv.lock"
    (repository / "mine.lock").write_text("y")
    monkeypatch.setenv("SEALYARD_LOCK", "mine.lock")
    assert tags()["sealyard.lock.digest"] == "sha256:" + hashlib.sha256(b"y").hexdigest()
    monkeypatch.setenv("SEALYARD_LOCK", "none.lock")
    with pytest.warns(UserWarning, match="none.lock"):
        assert "sealyard.lock.digest" not in tags()


def test_data_sets(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    (data / "folder").mkdir(parents=True)
    (data / "a.csv").write_text("1,2\n")
    (data / "folder" / "run").write_text("x")
    (data / "folder" / "run").chmod(0o755)
    monkeypatch.setenv("SEALYARD_DATA", f"train={data / 'a.csv'}, all={data}")
    found = tags()
    file, run = hashlib.sha256(b"1,2\n").hexdigest(), hashlib.sha256(b"x").hexdigest()
    assert (found["sealyard.data.train"], found["sealyard.data.train.kind"]) == (f"sha256:{file}", "file")
    listing = f"sealyard-file-tree-v1\n{file} 4 - 5 a.csv\n{run} 1 x 10 folder/run\n"
    assert found["sealyard.data.all"] == "sha256:" + hashlib.sha256(listing.encode()).hexdigest()
    assert name_data("test", data / "a.csv") == f"sha256:{file}"
    (data / "a.csv").write_text("3,4,5\n")
    assert tags()["sealyard.data.test"] == "sha256:" + hashlib.sha256(b"3,4,5\n").hexdigest()


@pytest.mark.parametrize("value", ["x", "=x", "a b=x", "../a=x", "a=", "a=/nothing/there", "-a=x"])
def test_odd_data_is_said_and_costs_only_its_tags(repository: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SEALYARD_DATA", value)
    with pytest.warns(UserWarning, match="sealyard-mlflow"):
        found = tags()
    assert "sealyard.git.commit" in found and not any(name.startswith("sealyard.data") for name in found)


def test_links_are_no_data(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to("/etc/passwd")
    with pytest.raises(SealyardError, match="link"):
        name_data("x", tmp_path / "data")


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALYARD_RUN_CONTEXT", "off")
    assert not SealyardRunContext().in_context()
