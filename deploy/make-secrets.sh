#!/bin/sh
# Makes the passwords by which relays reach their database and their broker, for those who have none of their own.
#
#   make-secrets RELAYS POSTGRES RABBITMQ     three directories, one for those who may read it
#
# RELAYS/database and RELAYS/broker are the addresses, with the passwords, for `relay serve`; POSTGRES/password is for
# PostgreSQL's POSTGRES_PASSWORD_FILE; RABBITMQ is RabbitMQ's conf.d, with the list of its plug-ins. What is there is left
# as it is. The engines run as users of their own, so their files are readable by whoever is given the directory.
set -eu
umask 077
relays=${1:?"usage: make-secrets RELAYS POSTGRES RABBITMQ"}
postgres=${2:?"usage: make-secrets RELAYS POSTGRES RABBITMQ"}
rabbitmq=${3:?"usage: make-secrets RELAYS POSTGRES RABBITMQ"}

# Whole or not at all.
put() {
  cat >"$1.new"
  chmod "$2" "$1.new"
  mv "$1.new" "$1"
}
password() {
  [ -s "$relays/$1.password" ] || openssl rand -hex 24 | put "$relays/$1.password" 0600
  cat "$relays/$1.password"
}

database=$(password database)
broker=$(password broker)
[ -s "$relays/database" ] || echo "postgresql://relay:$database@postgres:5432/relay" | put "$relays/database" 0600
[ -s "$relays/broker" ] || echo "amqp://relay:$broker@rabbitmq:5672/relay" | put "$relays/broker" 0600
[ -s "$postgres/password" ] || printf %s "$database" | put "$postgres/password" 0444
[ -s "$rabbitmq/enabled_plugins" ] || echo '[rabbitmq_consistent_hash_exchange].' | put "$rabbitmq/enabled_plugins" 0444
[ -s "$rabbitmq/10-relay.conf" ] || put "$rabbitmq/10-relay.conf" 0444 <<END
log.console = true
loopback_users.guest = true
# A relay that hangs is noticed by this only.
heartbeat = 5
# Taken up once, when the broker's volume is new.
default_user = relay
default_pass = $broker
default_vhost = relay
END
echo "The secrets are in their places."
