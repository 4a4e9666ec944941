#!/bin/sh
# What the tests of the example bots need: grpcio for Python, and protoc with its Python plug-in.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="python3 python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc libprotobuf-dev"
# shellcheck disable=SC2086
install_packages $packages
