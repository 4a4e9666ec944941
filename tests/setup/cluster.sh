#!/bin/sh
# What the cluster's tests need: PostgreSQL, a pooler that Relay must refuse, RabbitMQ, and what a network partition is made with.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="postgresql pgbouncer rabbitmq-server iproute2 iptables openssl"
# shellcheck disable=SC2086
install_packages $packages
