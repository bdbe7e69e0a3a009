#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A server with a VF where there is one, and on the switch where not:
#
#     port-or-normal.sh HOST NETWORK PHYSNET SERVER [options of `openstack server create`]
#
# Asks the host (by ssh) before the port is created, for nobody can change its kind later. A VF that another guest got
# in between shows as a server that fails: it is then created once more, with a normal port.
set -eu
host=$1 network=$2 physnet=$3 server=$4
shift 4

fail() {
	echo "$server: $*" >&2
	exit 1
}

# is_up ID: waits until the server runs (10 minutes at most)
is_up() {
	tries=0
	while [ $((tries += 1)) -le 300 ]; do
		case $(openstack server show -f value -c status "$1") in
		ACTIVE) return 0 ;;
		ERROR) return 1 ;;
		esac
		sleep 2
	done
	return 1
}

# create KIND [OPTION…]: 1 = the server has failed, and is gone again. Only what was made here is deleted, by its ID: a
# name may be another server's.
create() {
	kind=$1
	shift
	port=$(openstack port create --network "$network" --vnic-type "$kind" -f value -c id "$server-$kind") ||
		fail "no $kind port could be created"
	id=$(openstack server create --port "$port" -f value -c id "$@" "$server") || {
		openstack port delete "$port"
		fail "the server could not be created"
	}
	is_up "$id" && return
	openstack server delete --wait "$id"
	openstack port delete "$port"
	return 1
}

answer=$(ssh "$host" sriovctl nova plan --net "$physnet")
echo "$server: $answer"
case $answer in
direct*) create direct "$@" && exit ;;
esac
create normal "$@" || fail "it has failed with a normal port too"
