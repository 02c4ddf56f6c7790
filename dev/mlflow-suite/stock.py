"""MLflow's own server, imported once and forked for each start. Started by servers.py; takes orders on standard input."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

ROOT = Path(sys.argv[1])


def template():
    """A migrated, empty store: migrating takes longer than a test."""
    path = ROOT / "template.db"
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(f"sqlite:///{path}", "mlflow-artifacts:/")
    store.engine.dispose()
    return path


def protected(auth, number):
    """The app with MLflow's own authentication."""
    permission, function, name, password = auth
    configuration = ROOT / "auth.ini"
    database = ROOT / f"auth-{number}.db"
    function = function or "mlflow.server.auth:authenticate_request_basic_auth"
    configuration.write_text(
        f"[mlflow]\ndefault_permission = {permission}\ndatabase_uri = sqlite:///{database}\nadmin_username = {name}\n"
        f"admin_password = {password}\nauthorization_function = {function}\ngrant_default_workspace_access = false\n")
    os.environ["MLFLOW_AUTH_CONFIG_PATH"] = str(configuration)
    os.environ["MLFLOW_FLASK_SERVER_SECRET_KEY"] = "a key for the suite"
    os.environ["_MLFLOW_SGI_NAME"] = "uvicorn"
    from mlflow.server.auth import create_app

    return create_app()


def serve(port, artifacts, store, auth, number):
    # MLflow reads these when it first needs a store, which nothing of the mother ever did.
    os.environ["_MLFLOW_SERVER_FILE_STORE"] = store
    os.environ["_MLFLOW_SERVER_REGISTRY_STORE"] = store
    os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = "mlflow-artifacts:/"
    os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"
    os.environ["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] = Path(artifacts).as_uri()
    import uvicorn
    from mlflow.server.fastapi_app import app

    if auth:
        app = protected(auth, number)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", ws="none")


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what MLflow prints is no answer
    import uvicorn  # noqa: F401
    from mlflow.server.fastapi_app import app  # noqa: F401

    empty, child, number = template(), None, 0
    for line in sys.stdin:
        order = json.loads(line)
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            child = None
        if order["act"] == "start":
            number += 1
            store = order["database"]
            if not store:
                copy = ROOT / f"store-{number}.db"
                (ROOT / f"store-{number - 1}.db").unlink(missing_ok=True)
                shutil.copy(empty, copy)
                store = f"sqlite:///{copy}"
            child = os.fork()
            if child == 0:
                sys.stdin.close()
                serve(order["port"], order["artifacts"], store, order["auth"], number)
                os._exit(0)
        answers.write("ok\n")
        answers.flush()


main()
