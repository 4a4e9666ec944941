#!/bin/sh
# What the tests of the IRC bridge need: two IRC servers, and clients with OTR.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="ngircd inspircd irssi irssi-plugin-otr weechat-curses weechat-python weechat-scripts python3-potr tmux"
# shellcheck disable=SC2086
install_packages $packages
