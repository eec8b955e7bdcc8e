#!/usr/bin/env bash
# Makes sure that Chromium, Firefox and WebKit are installed: the browser tests drive real ones.
# WebKitGTK's small browser needs a screen, which Xvfb stands for.
set -euo pipefail

has() {
  for name in "$@"; do
    if command -v "$name" >/dev/null; then
      return 0
    fi
  done
  return 1
}

missing=()
has chromium chromium-browser google-chrome || missing+=(chromium fonts-dejavu-core)
has firefox-esr firefox || missing+=(firefox-esr)
has WebKitWebDriver && compgen -G "/usr/lib/*/webkit2gtk-4.1/MiniBrowser" >/dev/null || missing+=(webkit2gtk-driver libwebkit2gtk-4.1-0)
has Xvfb || missing+=(xvfb)
if [ "${#missing[@]}" -eq 0 ]; then
  exit 0
fi

run=()
if [ "$(id -u)" -ne 0 ]; then
  run=(sudo)
fi
if ! command -v apt-get >/dev/null || { [ "${#run[@]}" -gt 0 ] && ! command -v sudo >/dev/null; }; then
  echo "The browser tests need ${missing[*]}; install them with your system's package manager and run this again." >&2
  exit 1
fi
"${run[@]}" apt-get update -q
DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -yq --no-install-recommends "${missing[@]}"
