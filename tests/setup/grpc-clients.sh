#!/bin/sh
# The clients of other gRPC implementations that tests/Interop.Tests runs against the gateway: grpcio, and grpc-js from npm.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="python3 python3-grpcio python3-protobuf"
# shellcheck disable=SC2086
install_packages $packages
# A Node.js that is not Debian's serves as well.
command -v node >/dev/null && command -v npm >/dev/null || install_packages nodejs npm

cd "$(dirname "$0")/../Interop.Tests/Gateway/clients/js"
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --ignore-scripts
fi
