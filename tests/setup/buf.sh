#!/bin/sh
# What checks the style of the API's definitions: Buf, from npm.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="nodejs npm"
# A Node.js that is not Debian's serves as well.
# shellcheck disable=SC2086
command -v node >/dev/null && command -v npm >/dev/null || install_packages $packages

cd "$(dirname "$0")/../Architecture.Tests/buf"
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --ignore-scripts
fi
