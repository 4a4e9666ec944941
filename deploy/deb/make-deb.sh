#!/bin/sh
# Makes the Debian package: deploy/deb/make-deb.sh OUT.deb publishes a self-contained program for linux-x64, and packs it.
# deploy/deb/make-deb.sh --from DIR OUT.deb packs what has been published already.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
from=
if [ "${1:-}" = --from ]; then
    from=$2
    shift 2
fi
[ $# -eq 1 ] || { echo "usage: make-deb.sh [--from DIR] OUT.deb" >&2; exit 2; }
out=$1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "$from" ]; then
    from=$work/published
    # From a copy without the lock files, which name no runtime; the versions are central and pinned all the same. One file, and SQLite's
    # library beside it: a service has nowhere to unpack it to.
    mkdir "$work/source"
    tar -C "$root" -c --exclude=bin --exclude=obj --exclude=packages.lock.json \
        global.json Directory.Build.props Directory.Packages.props .editorconfig protos src | tar -x -C "$work/source"
    dotnet publish "$work/source/src/Relay.Cli/Relay.Cli.csproj" -c Release -r linux-x64 --self-contained -v quiet -nologo -o "$from" \
        -p:PublishSingleFile=true -p:PublishReadyToRun="${RELAY_READY_TO_RUN:-true}" -p:DebugType=embedded \
        -p:RestorePackagesWithLockFile=false >&2
fi
[ -x "$from/relay" ] || { echo "make-deb.sh: there is no program $from/relay" >&2; exit 1; }
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")

package=$work/package
install -d "$package/DEBIAN" "$package/usr/lib" "$package/usr/bin" "$package/usr/share/doc/relay" "$package/lib/systemd/system"
install -d -m 0755 "$package/etc/relay"
cp -R "$from" "$package/usr/lib/relay"
find "$package/usr/lib/relay" -type d -exec chmod 0755 {} +
find "$package/usr/lib/relay" -type f -exec chmod 0644 {} +
find "$package/usr/lib/relay" -name '*.xml' -delete
chmod 0755 "$package/usr/lib/relay/relay"
ln -s ../lib/relay/relay "$package/usr/bin/relay"
install -m 0644 "$here/relay.service" "$package/lib/systemd/system/relay.service"
install -m 0644 "$here/relay.env" "$here/appsettings.json" "$package/etc/relay/"
install -m 0644 "$root/LICENSE" "$package/usr/share/doc/relay/copyright"
install -m 0644 "$root/docs/operators.md" "$package/usr/share/doc/relay/README.md"
install -m 0755 "$here/postinst" "$here/prerm" "$here/postrm" "$package/DEBIAN/"
printf '/etc/relay/relay.env\n/etc/relay/appsettings.json\n' >"$package/DEBIAN/conffiles"
cat >"$package/DEBIAN/control" <<END
Package: relay
Version: $version
Architecture: amd64
Maintainer: The Relay authors <relay@example.org>
Section: net
Priority: optional
Installed-Size: $(du -sk "$package" | cut -f1)
Depends: libc6 (>= 2.31), libgcc-s1, libstdc++6, libssl3 | libssl1.1, zlib1g
Recommends: ca-certificates
Description: server that holds Off-the-Record (OTR) conversations for others
 Bots speak plaintext to it, bridges carry the wire text of chat networks, and
 it holds the encrypted conversations between them.
END
(cd "$package" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | sort | xargs -d '\n' md5sum >DEBIAN/md5sums)
# Root's files whoever builds it. xz: dpkg of Debian 11 does not read zstd.
dpkg-deb --build --root-owner-group -Zxz "-z${RELAY_DEB_LEVEL:-6}" "$package" "$out" >&2
