#!/bin/sh
# What the tests of the IRC bridge need: an IRC server.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="ngircd"
# shellcheck disable=SC2086
install_packages $packages
