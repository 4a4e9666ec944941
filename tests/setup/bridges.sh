#!/bin/sh
# What the tests of the bridges against real servers need.
set -eu
. "$(dirname "$0")/shared/apt.sh"

packages="prosody prosody-modules ejabberd mcabber profanity tmux bitlbee bitlbee-plugin-otr pidgin pidgin-otr xvfb xdotool dbus"
# shellcheck disable=SC2086
install_packages $packages
