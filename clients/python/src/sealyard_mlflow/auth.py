"""The request-auth provider: `MLFLOW_TRACKING_AUTH=sealyard`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests.auth import AuthBase

from sealyard_mlflow.errors import SealyardError
from sealyard_mlflow.login import NAME, Login

if TYPE_CHECKING:
    from requests import PreparedRequest


class SealyardAuth(AuthBase):
    """Adds the token to requests to the server that it is of, and refuses to send any other."""

    def __init__(self, login: Login) -> None:
        self._login = login

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if not self._login.is_for(request.url or ""):
            raise SealyardError(
                f"the log in is for {self._login.url}, but MLflow asks another server; set MLFLOW_TRACKING_URI to it, or "
                "log in there with `sealyard login URL`"
            )
        request.headers["Authorization"] = f"Bearer {self._login.token()}"
        return request


class SealyardAuthProvider:
    """What MLflow asks for the credentials of a request: its `RequestAuthProvider`, by shape and not by name, because MLflow
    loads plugins while it is itself being imported."""

    def get_name(self) -> str:
        return NAME

    def get_auth(self) -> SealyardAuth:
        return SealyardAuth(Login.load())
