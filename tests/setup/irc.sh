#!/bin/sh
# What the tests of the IRC bridge need: two IRC servers.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="ngircd inspircd"
# shellcheck disable=SC2086
install_packages $packages
