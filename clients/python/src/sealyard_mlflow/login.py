"""What `sealyard login` remembers, and the environment in place of it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from sealyard_mlflow.errors import SealyardError
from sealyard_mlflow.private import read_private

#: What `MLFLOW_TRACKING_AUTH` says to have this plugin asked.
NAME = "sealyard"
_PORTS = {"https": 443, "http": 80}
_HINT = "log in with: sealyard login URL --user NAME --password-file FILE"


def configuration_directory() -> Path:
    """Where the commands remember things: `$XDG_CONFIG_HOME/sealyard`, else `~/.config/sealyard`."""
    for name, below in (("XDG_CONFIG_HOME", ""), ("HOME", ".config")):
        value = os.environ.get(name, "")
        if os.path.isabs(value):
            return Path(value, below, "sealyard")
    raise SealyardError("neither XDG_CONFIG_HOME nor HOME says where `sealyard login` remembers things")


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL; raises `ValueError` for one that has none."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or "\\" in url:
        raise ValueError("expected such as https://sealyard.example.org:5000")
    return parts.scheme, parts.hostname.lower(), parts.port or _PORTS[parts.scheme]


@dataclass(frozen=True)
class Login:
    """A server, what to trust it by, and where the token is."""

    url: str
    token_file: Path
    #: PEM of the certificate to trust; `None` is the system's store.
    certificate: str | None = field(default=None, repr=False)

    @classmethod
    def load(cls) -> Login:
        """From `SEALYARD_SERVER`, `SEALYARD_TOKEN_FILE` and `SEALYARD_CA`, and what `sealyard login` remembers for the
        rest. What is remembered of one server is never used for another.
        """
        url = os.environ.get("SEALYARD_SERVER", "").rstrip("/")
        token_file = os.environ.get("SEALYARD_TOKEN_FILE", "")
        authority = os.environ.get("SEALYARD_CA", "")
        remembered = None if url and token_file and authority else _remembered()
        if remembered and url and remembered.url != url:
            remembered = None
        url = url or (remembered.url if remembered else "")
        if not url:
            raise SealyardError(f"no Sealyard server is known; {_HINT}")
        _check(url)
        if not token_file and not remembered:
            raise SealyardError(f"nothing is remembered of {url}; {_HINT}")
        certificate = _certificate(Path(authority)) if authority else (remembered.certificate if remembered else None)
        return cls(url, Path(token_file) if token_file or not remembered else remembered.token_file, certificate)

    def is_for(self, url: str) -> bool:
        """Whether a request to `url` goes to this server."""
        try:
            return origin(url) == origin(self.url)
        except ValueError:
            return False

    def token(self) -> str:
        """The token, read anew: it may have been exchanged since."""
        text = read_private(self.token_file, "token file")
        if text is None:
            raise SealyardError(f"there is no token file {self.token_file}; {_HINT}")
        token = text.rstrip("\r\n")
        if not token or not all("!" <= character <= "~" for character in token):
            raise SealyardError(f"{self.token_file} holds no token: a token is one word of ASCII letters and digits")
        return token


def _remembered() -> Login | None:
    path = configuration_directory() / "login.json"
    text = read_private(path, "log in")
    if text is None:
        return None
    damaged = SealyardError(f"could not understand {path}; forget it with `sealyard logout` and log in again")
    try:
        found = json.loads(text)
    except ValueError:
        raise damaged from None
    if not isinstance(found, dict):
        raise damaged
    url, token_file, certificate = found.get("url"), found.get("token_file"), found.get("ca")
    if not isinstance(url, str) or not isinstance(token_file, str) or not isinstance(certificate, (str, type(None))):
        raise damaged
    return Login(url.rstrip("/"), Path(token_file), certificate)


def _certificate(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise SealyardError(f"could not read the certificate {path}") from None
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise SealyardError(f"{path} holds no certificate")
    return text


def _check(url: str) -> None:
    """A token must not cross a network for everybody to read."""
    try:
        scheme, host, _ = origin(url)
    except ValueError as error:
        raise SealyardError(f"{url!r} can't be used as a server: {error}") from None
    if scheme == "http" and not _is_loopback(host):
        raise SealyardError(f"{url!r} can't be used as a server: a token would cross the network in the clear; use https://")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
