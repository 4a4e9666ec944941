#!/bin/sh
# Installs what the tests of the example bots need: grpcio for Python, and protoc with its Python plug-in.
# Idempotent; needs root and a Debian-like system. Without it those tests are skipped, saying what is missing.
set -eu

packages="python3 python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc"

missing=""
for package in $packages; do
    case "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" in
        installed) ;;
        *) missing="$missing $package" ;;
    esac
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "bots.sh: not root; install by hand:$missing" >&2
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# A package list may be missing or stale on a fresh machine; refresh it only then.
# shellcheck disable=SC2086
apt-get install -y --no-install-recommends $missing || { apt-get update && apt-get install -y --no-install-recommends $missing; }
