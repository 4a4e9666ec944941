#!/bin/sh
# Installs the clients of other gRPC implementations that tests/Relay.Grpc.Tests talks to. Run as root; may run again.
set -eu
clients=$(CDPATH= cd -- "$(dirname -- "$0")/../Relay.Grpc.Tests/Clients" && pwd)

packages=
/usr/bin/python3 -c 'import grpc, google.protobuf' 2>/dev/null || packages="python3-grpcio python3-protobuf"
command -v node >/dev/null || packages="$packages nodejs"
command -v npm >/dev/null || packages="$packages npm"
if [ -n "$packages" ]; then
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages
fi

cd "$clients/js"
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --ignore-scripts
fi
