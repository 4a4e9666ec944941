#!/bin/sh
# What the cluster's tests need: PostgreSQL, RabbitMQ, and what a network partition is made with.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="postgresql rabbitmq-server iproute2 iptables openssl"
# shellcheck disable=SC2086
install_packages $packages
