#!/bin/sh
# Makes a self-signed certificate for a server that has none, because Relay speaks TLS wherever others can reach it.
#
#   make-certificate DIR [NAME...]     NAME: host name or IP address that clients will use; localhost is always in
#
# Writes DIR/relay.key (0600) and DIR/relay.crt. A certificate that is there and good for 30 more days is left as it is;
# one that was made here and is about to end is replaced; anybody else's is never touched. Clients trust relay.crt itself
# (--ca relay.crt): there is no authority whose key could leak.
set -eu
umask 077
dir=${1:?"usage: make-certificate DIR [NAME...]"}
shift
organisation="Relay self-made"
days=397
renew_seconds=2592000

if [ -e "$dir/relay.crt" ]; then
  if openssl x509 -in "$dir/relay.crt" -noout -checkend "$renew_seconds" >/dev/null; then
    echo "relay.crt is there: $(openssl x509 -in "$dir/relay.crt" -noout -enddate)"
    exit 0
  fi
  case $(openssl x509 -in "$dir/relay.crt" -noout -subject) in
    *"$organisation"*) echo "relay.crt ends within 30 days and is made again: give clients the new one." ;;
    *) echo "relay.crt ends within 30 days and was not made here: replace it." >&2; exit 0 ;;
  esac
elif [ -e "$dir/relay.key" ] && [ ! -e "$dir/relay.crt.new" ]; then
  echo "There is a relay.key but no relay.crt in $dir: put the certificate beside it, or move the key away." >&2
  exit 1
fi

names="DNS:localhost,IP:127.0.0.1,IP:::1"
for name in "$@"; do
  case $name in
    *:* | *[!0-9.]*) kind=DNS; case $name in *:*) kind=IP ;; esac ;;
    *) kind=IP ;;
  esac
  names="$names,$kind:$name"
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" \
  -subj "/O=$organisation/CN=relay" -addext "subjectAltName=$names" \
  -addext "basicConstraints=critical,CA:FALSE" -addext "keyUsage=critical,digitalSignature" -addext "extendedKeyUsage=serverAuth" \
  -keyout "$dir/relay.key.new" -out "$dir/relay.crt.new" 2>/dev/null
chmod 0644 "$dir/relay.crt.new"
# The certificate last: it says that both are whole. Whatever a crash leaves before it is made again.
rm -f "$dir/relay.crt"
mv "$dir/relay.key.new" "$dir/relay.key"
mv "$dir/relay.crt.new" "$dir/relay.crt"
echo "Made relay.crt for $names, for $days days."
