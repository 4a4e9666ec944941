# For the scripts beside this folder, which source it: installs the Debian packages that are missing. Idempotent; needs
# root and apt-get. Without them the tests that need a package are skipped and say which.
# shellcheck shell=sh

install_packages() {
    missing=""
    for package in "$@"; do
        case "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" in
            installed) ;;
            *) missing="$missing $package" ;;
        esac
    done
    [ -z "$missing" ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "$(basename "$0"): not root; install by hand:$missing" >&2
        return 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    # The tests start the servers that they need themselves: no package may start one on its public port.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    # The package lists may be missing or stale on a fresh machine; they are refreshed only then.
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $missing || { apt-get update && apt-get install -y --no-install-recommends $missing; }
}
