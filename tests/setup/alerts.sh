#!/bin/sh
# What checks the alerts: promtool, which is in Debian's package of Prometheus.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="prometheus"
# shellcheck disable=SC2086
install_packages $packages
