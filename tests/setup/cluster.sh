#!/bin/sh
# What the cluster's tests need: PostgreSQL, a pooler that Relay must refuse, and what a network partition is made with.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="postgresql pgbouncer iproute2 iptables openssl"
# shellcheck disable=SC2086
install_packages $packages
