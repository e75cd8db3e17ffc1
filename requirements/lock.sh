#!/usr/bin/env bash
# Writes the lock files anew from pyproject.toml: hashes, no index, no download address. Needs uv.
set -eu
cd "$(dirname "$0")/.."
common=(--generate-hashes --no-header --universal --python-version 3.11 --quiet)
uv pip compile pyproject.toml "${common[@]}" -o requirements/base.txt "$@"
uv pip compile pyproject.toml --group dev "${common[@]}" -c requirements/base.txt -o requirements/dev.txt "$@"
uv pip compile pyproject.toml --group bench "${common[@]}" -c requirements/base.txt -c requirements/dev.txt -o requirements/bench.txt "$@"
uv pip compile requirements/build.in "${common[@]}" -c requirements/dev.txt -o requirements/build.txt "$@"
