#!/usr/bin/env bash
# Runs docker-compose.yml for real and checks what deploy/README.md promises of it: builds the image, starts three relays
# with PostgreSQL, holds conversations through them from outside while every relay is replaced, one is killed, one hangs and the
# database is restarted, and takes everything down.
#
#   deploy/test-compose.sh [COMPOSE FILE...]     further compose files are laid over docker-compose.yml
#
# Needs a Docker engine (DOCKER_HOST or the default socket), `docker` with Compose 2 or `docker-compose` 1.29, and for the
# clients outside the .NET SDK (or RELAY=/path/to/relay). Touches nothing but a project, an image tag and ports of its own.
set -euo pipefail
umask 077
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
relay=${RELAY:-$root/relay}
project=relaytest$$
work=$(mktemp -d)
export RELAY_VERSION=test-$$ RELAY_TLS_NAMES= RELAY_OTLP= RELAY_LOG_LEVEL=Information
# The engine gives no free port that a restart keeps; one that is free now will do.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo "$1"; }
RELAY_PORT_1=$(free_port 17421) RELAY_PORT_2=$(free_port 17422) RELAY_PORT_3=$(free_port 17423)
export RELAY_PORT_1 RELAY_PORT_2 RELAY_PORT_3
servers=https://127.0.0.1:$RELAY_PORT_1,https://127.0.0.1:$RELAY_PORT_2,https://127.0.0.1:$RELAY_PORT_3

files=(-f docker-compose.yml)
for file in "$@"; do files+=(-f "$file"); done
if docker compose version >/dev/null 2>&1; then compose_command=(docker compose); else compose_command=(docker-compose); fi
compose() { "${compose_command[@]}" -p "$project" "${files[@]}" "$@"; }

passed=0
load=
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
  if [ -n "$load" ]; then kill "$load" 2>/dev/null || true; fi
  compose down -v --remove-orphans >/dev/null 2>&1 || true
  docker image rm -f "relay:$RELAY_VERSION" >/dev/null 2>&1 || true
  rm -rf "$work"
  exit $code
}
trap finish EXIT

container() { compose ps -q "$1"; }
inspect() { docker inspect -f "$2" "$(container "$1")"; }
wait_healthy() {
  local deadline=$((SECONDS + 300)) status
  while status=$(inspect "$1" '{{.State.Health.Status}}'); [ "$status" != healthy ]; do
    [ $SECONDS -lt $deadline ] || fail "$1 is '$status', not healthy, after five minutes"
    sleep 1
  done
}
client() { "$relay" "$@" --server "$servers" --ca "$work/relay.crt" --key-file "$work/admin.key"; }
# Conversations from outside, in the background, until `end_load`, which fails if any message was lost or anybody saw an error.
begin_load() {
  # The program itself, for its process id.
  "$relay" load --conversations 40 --seconds 0 --ready-file "$work/talking" --server "$servers" --ca "$work/relay.crt" --key-file "$work/admin.key" >"$work/load.log" 2>&1 &
  load=$!
  local deadline=$((SECONDS + 180))
  until [ -e "$work/talking" ]; do
    kill -0 "$load" 2>/dev/null || fail "the load ended: $(cat "$work/load.log")"
    [ $SECONDS -lt $deadline ] || fail "the conversations did not begin: $(cat "$work/load.log")"
    sleep 1
  done
  rm "$work/talking"
}
end_load() {
  kill -TERM "$load"
  wait "$load" || fail "$(tail -n 20 "$work/load.log")"
  load=
  tail -n 2 "$work/load.log" | sed 's/^/   /'
}

say "build and start"
compose build -q >/dev/null
compose up -d >/dev/null 2>&1 || fail "compose up"
for service in postgres relay1 relay2 relay3; do wait_healthy $service; done
ok "the database and three relays are healthy by their own probes"

say "clients outside"
compose exec -T relay1 cat /etc/relay/tls/relay.crt >"$work/relay.crt"
compose exec -T relay1 cat /var/lib/relay-admin/admin.key >"$work/admin.key"
client endpoints create --network xmpp --account support@example.org --id support >/dev/null || fail "endpoints create"
for port in $RELAY_PORT_1 $RELAY_PORT_2 $RELAY_PORT_3; do
  case $("$relay" endpoints show support --json --server "https://127.0.0.1:$port" --ca "$work/relay.crt" --key-file "$work/admin.key") in
    *'"support@example.org"'*) ;;
    *) fail "the relay on port $port does not know the endpoint" ;;
  esac
done
ok "what one relay was told, all of them know, over TLS, by one admin key"
if "$relay" health --server "http://127.0.0.1:$RELAY_PORT_1" >/dev/null 2>&1; then fail "cleartext was answered"; fi
ok "cleartext is not answered"
nodes_up() { client nodes | grep -c '^relay[123]\.cluster:7430 *up ' || true; }
wait_nodes() {
  local deadline=$((SECONDS + 60))
  until [ "$(nodes_up)" = 3 ]; do
    [ $SECONDS -lt $deadline ] || fail "the three relays are not one cluster: $(client nodes)"
    sleep 1
  done
}
wait_nodes
client nodes | sed 's/^/   /'
ok "the three are one cluster"

say "what they may do"
for service in relay1 relay2 relay3; do
  [ "$(docker port "$(container $service)" | grep -vc ' 127\.0\.0\.1:')" = 0 ] || fail "$service is published beyond 127.0.0.1"
done
[ -z "$(docker port "$(container postgres)")" ] || fail "postgres is published"
ok "relays are published on 127.0.0.1 only, the database not at all"
# Where another relay reaches a relay's own port.
reaches() {
  local address
  address=$(docker inspect -f "{{(index .NetworkSettings.Networks \"${project}_$2\").IPAddress}}" "$(container "$1")")
  compose exec -T relay3 bash -c ": </dev/tcp/$address/7430" 2>/dev/null
}
reaches relay1 cluster || fail "relay3 does not reach relay1's port for other nodes"
if reaches relay1 clients; then fail "relay1's port for other nodes is open to its clients"; fi
ok "relays listen for each other on the network 'cluster' only"
for service in postgres relay1 relay2 relay3; do
  [ "$(compose exec -T $service id -u | tr -d '\r')" != 0 ] || fail "$service runs as root"
  compose exec -T $service grep -Eq '^[^ ]+ / [^ ]+ ro,' /proc/mounts || fail "the root file system of $service is writable"
done
ok "none runs as root, and every root file system is read-only"
for service in relay1 relay2 relay3; do
  docker inspect -f '{{json .Config.Env}} {{json .Args}}' "$(container $service)" | grep -q 'relay:[0-9a-f]\{48\}' && fail "a password stands in the environment or the arguments of $service"
done
ok "passwords are in files only"

say "every relay is replaced, one by one, under load"
begin_load
for service in relay1 relay2 relay3; do
  before=$(container $service) started=$SECONDS
  compose up -d --no-deps --force-recreate $service >/dev/null 2>&1 || fail "compose up $service"
  [ "$(container $service)" != "$before" ] || fail "$service was not replaced"
  wait_healthy $service
  echo "   $service: $((SECONDS - started)) s"
done
end_load
ok "nobody saw an error, and nothing was lost, repeated or out of order"

say "a gentle stop"
compose stop relay2 >/dev/null 2>&1
[ "$(inspect relay2 '{{.State.ExitCode}}')" = 0 ] || fail "exit code $(inspect relay2 '{{.State.ExitCode}}') after SIGTERM"
case $(docker logs "$(container relay2)" 2>&1) in *Draining*Closed*) ;; *) fail "the log does not tell of draining" ;; esac
compose up -d --no-deps relay2 >/dev/null 2>&1
wait_healthy relay2
ok "SIGTERM drains a relay, and it ends with code 0"

say "a hard kill under load"
begin_load
compose kill -s KILL relay1 >/dev/null 2>&1
sleep 5
compose up -d --no-deps relay1 >/dev/null 2>&1 || fail "compose up after the kill"
wait_healthy relay1
end_load
ok "a relay was killed: nobody saw an error, and nothing was lost, repeated or out of order"

say "a relay hangs under load, and goes on"
begin_load
restarts=$(inspect relay3 '{{.RestartCount}}')
compose pause relay3 >/dev/null 2>&1 || fail "pause of relay3"
# The others take over after about eight seconds.
sleep 15
compose unpause relay3 >/dev/null 2>&1 || fail "unpause of relay3"
deadline=$((SECONDS + 60))
until [ "$(inspect relay3 '{{.RestartCount}}')" = $((restarts + 1)) ]; do
  [ $SECONDS -lt $deadline ] || fail "a relay that its cluster went on without was not started again"
  sleep 1
done
case $(docker events --since "$(inspect relay3 '{{.Created}}')" --until "$(date +%s)" --filter "container=$(container relay3)" --filter event=die \
  --format '{{index .Actor.Attributes "exitCode"}}' | tail -n 1) in 75) ;; *) fail "it did not end with exit code 75" ;; esac
wait_healthy relay3
wait_nodes
end_load
ok "its cluster went on without it, it ended with exit code 75 and was started again; nobody saw an error, and nothing was lost, repeated or out of order"

say "the database is restarted under load"
begin_load
compose restart postgres >/dev/null 2>&1 || fail "restart of postgres"
wait_healthy postgres
sleep 5
for service in relay1 relay2 relay3; do [ "$(inspect $service '{{.State.Running}}')" = true ] || fail "$service ended with the database"; done
end_load
wait_nodes
ok "no relay ended; nobody saw an error, and nothing was lost, repeated or out of order"

say "down and up"
compose down >/dev/null 2>&1
compose up -d >/dev/null 2>&1 || fail "compose up after down"
for service in relay1 relay2 relay3; do wait_healthy $service; done
case $(client endpoints show support --json) in *'"support@example.org"'*) ;; *) fail "the endpoint is gone" ;; esac
ok "after down and up: the same endpoint, certificate and key"

say "a backup is put back, as deploy/README.md says"
compose exec -T postgres pg_dump -U relay -Fc relay >"$work/relay.dump" || fail "pg_dump"
client endpoints create --network xmpp --account later@example.org --id later >/dev/null || fail "endpoints create"
client keys create --scope bot --endpoint support --out "$work/later.key" >/dev/null || fail "keys create"
compose stop relay1 relay2 relay3 >/dev/null 2>&1
compose exec -T postgres pg_restore -U relay -d relay --clean --if-exists <"$work/relay.dump" || fail "pg_restore"
compose exec -T postgres psql -q -U relay relay <<'END' || fail "psql"
TRUNCATE relay.conversation, relay.seen, relay.outbox, relay.subscription, relay.file, relay.file_portion;
UPDATE relay.endpoint_size SET conversations = 0; UPDATE relay.stream SET acknowledged = last, bytes = 0;
END
for n in 1 2 3; do compose run --rm --no-deps -T --entrypoint rm relay$n -f /var/lib/relay/api-keys.seen </dev/null >/dev/null 2>&1 || fail "rm api-keys.seen"; done
compose start relay1 relay2 relay3 >/dev/null 2>&1
for service in relay1 relay2 relay3; do wait_healthy $service; done
case $(client endpoints show support --json) in *'"support@example.org"'*) ;; *) fail "the endpoint is gone" ;; esac
if client endpoints show later >/dev/null 2>&1; then fail "an endpoint is there that is not in the backup"; fi
begin_load
sleep 3
end_load
ok "the endpoints of the backup are there, and conversations begin anew"

compose down -v >/dev/null 2>&1
[ -z "$(docker volume ls -q --filter "name=${project}_")" ] || fail "volumes are left"
ok "down -v leaves nothing"
echo "$passed checks passed"
