#!/bin/sh
# What the tests of the packages for Python and Node.js need: what builds and runs them, and what checks their types.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="python3 python3-grpcio python3-protobuf python3-pip python3-setuptools python3-wheel mypy protobuf-compiler protobuf-compiler-grpc libprotobuf-dev"
# shellcheck disable=SC2086
install_packages $packages
# A Node.js that is not Debian's serves as well.
command -v node >/dev/null && command -v npm >/dev/null || install_packages nodejs npm

cd "$(dirname "$0")/../../sdk/node"
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --ignore-scripts
fi
