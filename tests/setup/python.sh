#!/bin/sh
# What the independent checks of Otr.Core need: Python with pycryptodome.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="python3 python3-pycryptodome"
# shellcheck disable=SC2086
install_packages $packages
