"""Which server MLflow talks to, and which certificate it trusts.

MLflow hands a CA file to `requests` from one place only, the environment variable `MLFLOW_TRACKING_SERVER_CERT_PATH`; an
auth provider can't say it. So it is set here, and only for who asked for this plugin.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path

from sealyard_mlflow.errors import SealyardError
from sealyard_mlflow.login import NAME, Login
from sealyard_mlflow.private import read_private, write_private

AUTH = "MLFLOW_TRACKING_AUTH"
SERVER = "MLFLOW_TRACKING_URI"
CERTIFICATE = "MLFLOW_TRACKING_SERVER_CERT_PATH"
INSECURE = "MLFLOW_TRACKING_INSECURE_TLS"


def connect() -> Login:
    """Has MLflow use the server, token and certificate that `sealyard login` remembers, in this process and its children."""
    import mlflow

    login = Login.load()
    os.environ[AUTH] = NAME
    os.environ[SERVER] = login.url
    os.environ.pop(INSECURE, None)
    if login.certificate:
        os.environ[CERTIFICATE] = str(certificate_file(login.certificate))
    else:
        os.environ.pop(CERTIFICATE, None)
    mlflow.set_tracking_uri(login.url)
    mlflow.set_registry_uri(login.url)
    return login


def trust() -> None:
    """Names the server's certificate to MLflow, if this plugin was asked for and nobody has said what to trust.

    Called when MLflow loads the plugin, so it must not fail: what is wrong is said, and said again when a request is made.
    """
    if os.environ.get(AUTH) != NAME or CERTIFICATE in os.environ or INSECURE in os.environ:
        return
    try:
        login = Login.load()
        server = os.environ.get(SERVER)
        if login.certificate and (not server or login.is_for(server)):
            os.environ[CERTIFICATE] = str(certificate_file(login.certificate))
    except (SealyardError, OSError) as error:
        warnings.warn(f"sealyard-mlflow: {error}", stacklevel=2)


def certificate_file(pem: str) -> Path:
    """A file with this certificate, below `$XDG_CACHE_HOME/sealyard`; its name is of its content, and it is checked."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(cache):
        home = os.environ.get("HOME", "")
        if not os.path.isabs(home):
            raise SealyardError("neither XDG_CACHE_HOME nor HOME says where to put the server's certificate")
        cache = os.path.join(home, ".cache")
    path = Path(cache, "sealyard", f"ca-{hashlib.sha256(pem.encode()).hexdigest()[:32]}.pem")
    try:
        same = read_private(path, "certificate") == pem
    except SealyardError:
        same = False
    if not same:
        write_private(path, pem)
    return path
