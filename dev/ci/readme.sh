#!/usr/bin/env bash
# Runs every ```sh block of README.md in order, in one shell, in a scratch folder, and stops at the first command that fails.
#
# Not run: blocks marked ```console (what a reader does once to their own machine), and the two lines `make demo` and
# `make test`, which continuous integration runs by themselves. A README without these two lines fails.
#
#   SEALYARD  the binary [default: the release build]
#   VENV      a Python environment with mlflow, scikit-learn, pandas and skops [default: the one that dev/test/venv.sh makes]
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
target=${CARGO_TARGET_DIR:-target}
binary=$(realpath -- "${SEALYARD:-$target/release/sealyard}")
export VENV=${VENV:-$target/venv}
[ -x "$binary" ] || { echo "error: there is no $binary; run make build" >&2; exit 2; }
[ -x "$VENV/bin/python" ] || dev/test/venv.sh
VENV=$(realpath -- "$VENV")

# The ports that the README names; better one clear line than a loop that waits for a server.
for port in 5000 5001; do
  if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "error: port $port, which README.md uses, is taken by another program" >&2
    exit 2
  fi
done

scratch=$(mktemp -d)
cleanup() {
  set +e
  # What the blocks left running is in the process group of the shell that ran them.
  if [ -n "${shell:-}" ]; then
    kill -TERM -- "-$shell" 2>/dev/null
    for _ in $(seq 50); do
      kill -0 -- "-$shell" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL -- "-$shell" 2>/dev/null
  fi
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

mkdir "$scratch/bin" "$scratch/checkout"
ln -s "$binary" "$scratch/bin/sealyard"
cp -r examples "$scratch/checkout/"

python3 - README.md "$scratch/commands.sh" <<'PYTHON'
import pathlib
import re
import sys

source, target = map(pathlib.Path, sys.argv[1:])
text = source.read_text()
elsewhere = {"make demo", "make test"}
commands, skipped = ["set -euo pipefail"], set()
for match in re.finditer(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
    line = text.count("\n", 0, match.start()) + 2
    commands.append(f"# README.md:{line}")
    for command in match.group(1).splitlines():
        if command in elsewhere:
            skipped.add(command)
            commands.append(f"# run elsewhere: {command}")
        else:
            commands.append(command)
if skipped != elsewhere:
    sys.exit(f"README.md no longer says: {', '.join(sorted(elsewhere - skipped))}")
target.write_text("\n".join(commands) + "\n")
PYTHON

# Keys and the log in go to a folder of their own; the cache of wheels is the user's.
cd "$scratch/checkout"
unset SEALYARD_SERVER SEALYARD_TOKEN_FILE SEALYARD_CA SEALYARD_POLICY SEALYARD_DATA_DIR SEALYARD_LISTEN
unset MLFLOW_TRACKING_URI MLFLOW_TRACKING_TOKEN MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD MLFLOW_EXPERIMENT_NAME
# `-v` shows commands as they are written; `-x` would show the token. A loop that waits for a server which did not start would never end; setsid makes the process group that is ended.
PATH="$scratch/bin:$VENV/bin:$PATH" XDG_CONFIG_HOME="$scratch/config" \
  setsid timeout --foreground 900 bash -v "$scratch/commands.sh" > "$scratch/output" &
shell=$!
status=0
wait "$shell" || status=$?
cat "$scratch/output"
if [ "$status" -ne 0 ]; then
  echo "a command of README.md failed (exit code $status)" >&2
  exit 1
fi
# The number that the README promises. Processors differ in its last digits, since training does.
promised=$(grep -oE '\{"predictions":\[[0-9.]+\]\}' "$root/README.md" | head -n 1)
printed=$(grep -oE '\{"predictions":\[[0-9.]+\]\}' "$scratch/output" | head -n 1)
"$VENV/bin/python" - "$promised" "$printed" <<'PYTHON' || exit 1
import json, math, sys
promised, printed = (json.loads(text)["predictions"][0] if text else math.nan for text in sys.argv[1:])
if not math.isclose(promised, printed, rel_tol=1e-9):
    sys.exit(f"the prediction is not the one in README.md: {printed} and not {promised}")
PYTHON
