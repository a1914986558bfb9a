#!/bin/sh
# The command of the Debian package and of the tarball: a relay with a Node of its own.
set -eu
lib=$(dirname "$(readlink -f "$0")")/../lib/porthole-relay
state=/var/lib/porthole-relay

# The Debian package has a user with a state folder. Root's commands run as that user, with the one privilege that the unit gives it.
if [ "$lib" = /usr/bin/../lib/porthole-relay ] && [ "$(id -u)" = 0 ] && [ -z "${PORTHOLE_STATE_DIR:-}" ]; then
  export HOME=$state PORTHOLE_STATE_DIR=$state
  exec setpriv --reuid porthole-relay --regid porthole-relay --clear-groups --inh-caps=-all,+net_bind_service \
    --ambient-caps=-all,+net_bind_service "$lib/node" "$lib/porthole-relay.mjs" "$@"
fi
exec "$lib/node" "$lib/porthole-relay.mjs" "$@"
