#!/usr/bin/env python3
"""An unmodified MLflow client whose token is one of an identity provider; run by oidc.py."""

import sys

import mlflow

experiment = sys.argv[1]
with mlflow.start_run(experiment_id=experiment) as run:
    mlflow.log_param("who", "a machine")
    mlflow.log_metric("loss", 0.25)
    mlflow.log_text("evidence", "note.txt")
found = mlflow.get_run(run.info.run_id)
assert found.data.metrics == {"loss": 0.25}, found.data.metrics
assert found.info.user_id, "a run has somebody"
