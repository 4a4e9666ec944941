#!/bin/sh
# The shells that `relay completion` writes for, besides bash.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="zsh fish"
# shellcheck disable=SC2086
install_packages $packages
