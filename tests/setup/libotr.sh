#!/bin/sh
# What the tests against libotr and potr need: libotr to build against, and the two peers' run-time packages.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="libotr5-dev libgcrypt20-dev gcc libc6-dev python3 python3-cryptography python3-potr"
# shellcheck disable=SC2086
install_packages $packages
