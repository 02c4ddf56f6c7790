"""Ridge regression on the diabetes data, logged with the MLflow client."""

import argparse
import os
import warnings
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
# The row of the request in README.md.
EXAMPLE_ROW = [
    0.0199132142, 0.0506801187, 0.1048086895, 0.0700725447, -0.0359677813,
    -0.0266789028, -0.0249926566, -0.002592262, 0.0037117382, 0.0403433716,
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alpha", type=float, default=0.03)
    parser.add_argument("--test-size", type=float, default=0.2)
    arguments = parser.parse_args()

    # MLflow knows local files under two names and says so.
    warnings.filterwarnings("ignore", message="The specified dataset source can be interpreted in multiple ways")
    path = os.environ.get("SEALYARD_DATA_DIABETES", HERE / "data" / "diabetes.csv")
    frame = pd.read_csv(path, float_precision="round_trip")
    # Plain arrays, so that the model takes rows without column names.
    x, y = frame.drop(columns="target").to_numpy(), frame["target"].to_numpy()
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=arguments.test_size, random_state=0)

    with mlflow.start_run() as run:
        print(f"run ID: {run.info.run_id}", flush=True)
        mlflow.log_params({"alpha": arguments.alpha, "test_size": arguments.test_size, "random_state": 0})
        mlflow.log_input(mlflow.data.from_pandas(frame, source=Path(path).resolve().as_uri(), targets="target", name="diabetes"), "training")

        model = Ridge(alpha=arguments.alpha, random_state=0).fit(x_train, y_train)
        predicted = model.predict(x_test)
        mlflow.log_metrics(
            {
                "rmse": root_mean_squared_error(y_test, predicted),
                "mae": mean_absolute_error(y_test, predicted),
                "r2": r2_score(y_test, predicted),
                # What scikit-learn itself answers; whoever serves the model can compare.
                "example_prediction": model.predict([EXAMPLE_ROW])[0],
            }
        )
        # The requirements are given, so that MLflow does not load the model in another process to guess them.
        mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(x_train[:10], model.predict(x_train[:10])),
            input_example=np.ascontiguousarray(x_train[:10]),
            # Data, not code: the model can be read without running anything of it.
            serialization_format="skops",
            pip_requirements=str(HERE / "requirements.txt"),
        )
        print(f"model logged, r2 {r2_score(y_test, predicted):.4f}")


if __name__ == "__main__":
    main()
