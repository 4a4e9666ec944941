#!/usr/bin/env bash
# Runs deploy/compose.single.yml for real and checks what deploy/README.md promises of it: builds the image, starts the stack, makes an
# endpoint from outside, kills the relay, starts it again, stops it gently, takes everything down.
#
#   deploy/test-compose-single.sh [COMPOSE FILE...]     further compose files are laid over it
#
# Needs a Docker engine (DOCKER_HOST or the default socket), `docker` with Compose 2 or `docker-compose` 1.29, openssl, and
# for the client outside the .NET SDK (or RELAY=/path/to/relay). Touches nothing but a project, an image tag and a port of its own.
set -euo pipefail
umask 077
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
relay=${RELAY:-$root/relay}
project=relaytest$$
work=$(mktemp -d)
export RELAY_VERSION=test-$$ RELAY_TLS_NAMES= RELAY_OTLP= RELAY_LOG_LEVEL=Information
# The engine gives no free port that a restart keeps; one that is free now will do.
RELAY_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo 17420)
export RELAY_PORT

files=(-f deploy/compose.single.yml)
for file in "$@"; do files+=(-f "$file"); done
if docker compose version >/dev/null 2>&1; then compose_command=(docker compose); else compose_command=(docker-compose); fi
compose() { "${compose_command[@]}" -p "$project" "${files[@]}" "$@"; }

passed=0
say() { printf '── %s\n' "$*"; }
ok() { passed=$((passed + 1)); printf 'ok %d - %s\n' "$passed" "$*"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  compose ps >&2 || true
  compose logs --tail 40 >&2 || true
  exit 1
}
finish() {
  code=$?
  compose down -v --remove-orphans >/dev/null 2>&1 || true
  docker image rm -f "relay:$RELAY_VERSION" >/dev/null 2>&1 || true
  rm -rf "$work"
  exit $code
}
trap finish EXIT

container() { compose ps -q relay; }
inspect() { docker inspect -f "$1" "$(container)"; }
wait_healthy() {
  local deadline=$((SECONDS + 120)) status
  while status=$(inspect '{{.State.Health.Status}}'); [ "$status" != healthy ]; do
    [ "$(inspect '{{.State.Status}}')" = running ] || fail "the relay does not run"
    [ $SECONDS -lt $deadline ] || fail "the relay is '$status', not healthy, after two minutes"
    sleep 1
  done
}
client() { "$relay" "$@" --server "https://127.0.0.1:$RELAY_PORT" --ca "$work/relay.crt" --key-file "$work/admin.key"; }
fingerprint() { client endpoints show support --json | sed -n 's/.*"fingerprint": *"\([^"]*\)".*/\1/p'; }

say "build and start"
compose build -q relay >/dev/null
compose up -d >/dev/null 2>&1 || fail "compose up"
wait_healthy
ok "the relay is healthy by its own probe"

say "a client outside"
trust() { compose exec -T relay cat /etc/relay/tls/relay.crt >"$work/relay.crt"; }
trust
compose exec -T relay cat /var/lib/relay/admin.key >"$work/admin.key"
client endpoints create --network xmpp --account support@example.org --id support >/dev/null || fail "endpoints create"
made=$(fingerprint)
[ ${#made} -ge 40 ] || fail "no fingerprint in 'endpoints show': '$made'"
ok "made an endpoint from outside, over TLS"
client keys create --scope bot --endpoint support --out "$work/bot.key" >/dev/null || fail "keys create"
ok "made a bot's key"
if "$relay" health --server "http://127.0.0.1:$RELAY_PORT" >/dev/null 2>&1; then fail "cleartext was answered"; fi
ok "cleartext is not answered"
inside=$(compose exec -T relay relay endpoints list --json)
case $inside in *'"support@example.org"'*) ;; *) fail "relay in the container: $inside" ;; esac
ok "the command works inside the container"

say "what it may do"
[ "$(docker port "$(container)" | grep -vc ' 127\.0\.0\.1:')" = 0 ] || fail "published beyond 127.0.0.1: $(docker port "$(container)")"
ok "published on 127.0.0.1 only"
[ "$(compose exec -T relay id -u | tr -d '\r')" != 0 ] || fail "runs as root"
ok "runs without root's rights"
compose exec -T relay grep -Eq '^[^ ]+ / [^ ]+ ro,' /proc/mounts || fail "the root file system is writable"
ok "the root file system is read-only"
compose exec -T relay sh -c 'test ! -e /var/lib/relay/sealing.key && test -s /var/lib/relay-sealing/sealing.key && test "$(stat -c %a /var/lib/relay-sealing/sealing.key)" = 600' || fail "the sealing key is not where it belongs"
ok "the sealing key is on its own volume"

say "a hard kill"
compose kill -s KILL relay >/dev/null 2>&1
[ "$(inspect '{{.State.Running}}')" = false ] || fail "still runs after SIGKILL"
compose up -d >/dev/null 2>&1 || fail "compose up after the kill"
wait_healthy
[ "$(fingerprint)" = "$made" ] || fail "the endpoint is not what it was"
ok "after SIGKILL and up: the same endpoint with the same identity"

say "a gentle stop"
before=$SECONDS
compose stop relay >/dev/null 2>&1
took=$((SECONDS - before))
[ "$(inspect '{{.State.ExitCode}}')" = 0 ] || fail "exit code $(inspect '{{.State.ExitCode}}') after SIGTERM"
log=$(docker logs "$(container)" 2>&1)
case $log in *Draining*Closed*) ;; *) fail "the log does not tell of draining" ;; esac
ok "SIGTERM drains and ends with code 0 (after $took s)"

say "down and up"
compose down >/dev/null 2>&1
compose up -d >/dev/null 2>&1 || fail "compose up after down"
wait_healthy
[ "$(fingerprint)" = "$made" ] || fail "the endpoint is not what it was"
ok "after down and up: the same endpoint, the same certificate, the same key"

aside() { compose run --rm --no-deps -T --entrypoint "$1" relay "${@:2}" 2>/dev/null; }
put() { aside sh -c "umask 077; cat >$1"; }

say "a lost sealing key"
compose stop relay >/dev/null 2>&1
aside mv /var/lib/relay-sealing/sealing.key /var/lib/relay-sealing/away
if refusal=$(compose run --rm --no-deps -T relay serve --listen=127.0.0.1:0 2>&1); then fail "it started without its sealing key"; fi
case $refusal in *"Put the key back"*) ;; *) fail "no clear refusal: $refusal" ;; esac
aside mv /var/lib/relay-sealing/away /var/lib/relay-sealing/sealing.key
compose up -d >/dev/null 2>&1 && wait_healthy
[ "$(fingerprint)" = "$made" ] || fail "the endpoint is not what it was"
ok "without its sealing key it refuses to start, and says so; put back, all is there"

say "back up, lose everything, restore"
compose exec -T relay cat /var/lib/relay-sealing/sealing.key >"$work/sealing.key"
compose stop relay >/dev/null 2>&1
for file in relay.db api-keys.json; do aside cat "/var/lib/relay/$file" >"$work/$file"; done
without_sessions='PRAGMA secure_delete = ON;
  DELETE FROM conversation; DELETE FROM seen; DELETE FROM outbox; DELETE FROM subscription; DELETE FROM file; DELETE FROM file_portion;
  UPDATE endpoint SET conversations = 0; UPDATE stream SET acknowledged = last, bytes = 0;
  PRAGMA wal_checkpoint(TRUNCATE); VACUUM;'
if command -v sqlite3 >/dev/null; then sqlite3 "$work/relay.db" "$without_sessions" >/dev/null
else python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.executescript(sys.argv[2]); c.close()' "$work/relay.db" "$without_sessions"
fi
compose down -v >/dev/null 2>&1
put /var/lib/relay/relay.db <"$work/relay.db"
put /var/lib/relay/api-keys.json <"$work/api-keys.json"
put /var/lib/relay-sealing/sealing.key <"$work/sealing.key"
compose up -d >/dev/null 2>&1 && wait_healthy
trust
[ "$(fingerprint)" = "$made" ] || fail "the endpoint is not what it was"
ok "restored from the two backups into new volumes: the same endpoint, the old admin key opens"

compose down -v >/dev/null 2>&1
[ -z "$(docker volume ls -q --filter "name=${project}_")" ] || fail "volumes are left"
ok "down -v leaves nothing"
echo "$passed checks passed"
