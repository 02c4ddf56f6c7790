#!/usr/bin/env bash
# Generated files are what their generators write now.
set -euo pipefail
cd "$(dirname "$0")/../.."
before=$(git status --porcelain)
make --no-print-directory generate
after=$(git status --porcelain)
if [ "$before" != "$after" ]; then
  echo "generated files are out of date; run make generate and commit:" >&2
  git diff --stat >&2
  exit 1
fi
