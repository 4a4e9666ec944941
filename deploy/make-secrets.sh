#!/bin/sh
# Makes the password by which relays reach their database, for those who have none of their own.
#
#   make-secrets RELAYS POSTGRES     two directories, each for those who may read it
#
# RELAYS/database is the database's address, with the password, for `relay serve --database-file`; POSTGRES/password is for
# PostgreSQL's POSTGRES_PASSWORD_FILE. What is there is left as it is. PostgreSQL runs as a user of its own, so its file is
# readable by whoever is given the directory.
set -eu
umask 077
relays=${1:?"usage: make-secrets RELAYS POSTGRES"}
postgres=${2:?"usage: make-secrets RELAYS POSTGRES"}

# Whole or not at all.
put() {
  cat >"$1.new"
  chmod "$2" "$1.new"
  mv "$1.new" "$1"
}

[ -s "$relays/database.password" ] || openssl rand -hex 24 | put "$relays/database.password" 0600
password=$(cat "$relays/database.password")
[ -s "$relays/database" ] || echo "postgresql://relay:$password@postgres:5432/relay" | put "$relays/database" 0600
[ -s "$postgres/password" ] || printf %s "$password" | put "$postgres/password" 0444
echo "The secrets are in their places."
