#!/bin/sh
# What the tests of the operators' console need: a browser, the font of its pictures, and what drives and judges the pages.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="chromium fonts-inter"
# shellcheck disable=SC2086
install_packages $packages
# A Node.js that is not Debian's serves as well.
command -v node >/dev/null && command -v npm >/dev/null || install_packages nodejs npm

cd "$(dirname "$0")/../console-browser"
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --ignore-scripts
fi
