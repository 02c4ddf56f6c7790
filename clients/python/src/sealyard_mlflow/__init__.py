"""MLflow clients of a Sealyard server.

Once the package is installed, `MLFLOW_TRACKING_AUTH=sealyard` has MLflow use the token and the certificate that
`sealyard login` remembers, and every run gets tags that say where it comes from. `connect` does the same from a program.
"""

from sealyard_mlflow.connection import connect
from sealyard_mlflow.context import name_data
from sealyard_mlflow.errors import SealyardError
from sealyard_mlflow.login import Login

__version__ = "0.1.0"
__all__ = ["Login", "SealyardError", "connect", "name_data"]
