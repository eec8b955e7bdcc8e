#!/usr/bin/env bash
# Makes sure that a Chromium is installed: the browser tests drive a real one.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then
    exit 0
  fi
done

run=()
if [ "$(id -u)" -ne 0 ]; then
  run=(sudo)
fi
if ! command -v apt-get >/dev/null || { [ "${#run[@]}" -gt 0 ] && ! command -v sudo >/dev/null; }; then
  echo "The browser tests need Chromium; install it with your system's package manager and run this again." >&2
  exit 1
fi
"${run[@]}" apt-get update -q
DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -yq --no-install-recommends chromium fonts-dejavu-core
