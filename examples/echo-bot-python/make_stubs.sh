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
# The HTTP routes mean nothing to gRPC stubs, and the module that defines them is not packaged with Debian's protobuf.
plain=$(mktemp -d)
trap 'rm -rf "$plain"' EXIT
mkdir -p "$plain/relay/v1"
for file in "$protos"/relay/v1/*.proto; do
  sed -e '/^import "google\/api\/annotations.proto";$/d' -e '/option (google.api.http) = {.*};$/d' \
    -e '/option (google.api.http) = {$/,/^    };$/d' "$file" > "$plain/relay/v1/$(basename "$file")"
done
protos=$plain
if command -v protoc >/dev/null && plugin=$(command -v grpc_python_plugin); then
  protoc -I"$protos" --python_out="$out" --grpc_python_out="$out" --plugin=protoc-gen-grpc_python="$plugin" "$protos"/relay/v1/*.proto
else
  "$python" -m grpc_tools.protoc -I"$protos" --python_out="$out" --grpc_python_out="$out" "$protos"/relay/v1/*.proto
fi
