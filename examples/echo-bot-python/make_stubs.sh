#!/usr/bin/env bash
# Makes the Python stubs of relay.v1 beside the bot. Needs protoc with grpc_python_plugin (Debian: protobuf-compiler,
# protobuf-compiler-grpc), or else the package grpcio-tools.
#   make_stubs.sh [DIRECTORY]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
protos=$here/../../protos
out=${1:-$here}
python=${PYTHON:-python3}
mkdir -p "$out"
if command -v protoc >/dev/null && plugin=$(command -v grpc_python_plugin); then
  protoc -I"$protos" --python_out="$out" --grpc_python_out="$out" --plugin=protoc-gen-grpc_python="$plugin" "$protos"/relay/v1/*.proto
else
  "$python" -m grpc_tools.protoc -I"$protos" --python_out="$out" --grpc_python_out="$out" "$protos"/relay/v1/*.proto
fi
