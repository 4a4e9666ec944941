#!/bin/sh
# What checks the Debian package and its unit: dpkg-deb, and systemd-analyze, which is in Debian's package of systemd.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="dpkg systemd"
# shellcheck disable=SC2086
install_packages $packages
