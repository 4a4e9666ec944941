#!/usr/bin/env bash
# Makes the stubs of relay.v1 inside the packages for Python and Node.js, after a change of the protos:
#   sdk/make-stubs.sh [DIRECTORY]      DIRECTORY: where `python` and `node` are, instead of this one
# For Python it needs protoc with grpc_python_plugin (Debian: protobuf-compiler, protobuf-compiler-grpc, and libprotobuf-dev, which has
# the definitions of google.protobuf and is only recommended by them); for Node.js the packages that
# sdk/node/package-lock.json names (npm ci).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(cd "${1:-$here}" && pwd)
plain=$(mktemp -d)
trap 'rm -rf "$plain"' EXIT

# The HTTP routes mean nothing to gRPC stubs, and would need a package that defines them.
mkdir -p "$plain/relay/v1"
for file in "$here"/../protos/relay/v1/*.proto; do
  sed -e '/^import "google\/api\/annotations.proto";$/d' -e '/option (google.api.http) = {.*};$/d' \
    -e '/option (google.api.http) = {$/,/^    };$/d' "$file" > "$plain/relay/v1/$(basename "$file")"
done
cp "$here"/protos/relay/sdk/v1/status.proto "$plain/relay/v1/status.proto"

python=$out/python/src/relay_otr/v1
rm -rf "$python"
mkdir -p "$python"
generated=$(mktemp -d -p "$plain")
protoc -I"$plain" --python_out="$generated" --pyi_out="$generated" --grpc_python_out="$generated" \
  --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" "$plain"/relay/v1/*.proto
for file in "$generated"/relay/v1/*; do
  # The modules are in this package, not in one that is called relay.
  sed -e 's/^from relay\.v1 import /from relay_otr.v1 import /' "$file" > "$python/$(basename "$file")"
done
# A file of messages only has no stubs.
rm -f "$python/status_pb2_grpc.py"
echo '"""The messages and stubs of relay.v1, made by sdk/make-stubs.sh."""' > "$python/__init__.py"

node=$out/node/protos
rm -rf "$node"
mkdir -p "$node"
cp -R "$plain/relay" "$node/"
NODE_PATH=$here/node/node_modules node "$here/node/scripts/make-types.mjs" "$node" > "$out/node/src/relay.v1.d.ts"
