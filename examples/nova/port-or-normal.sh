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

# create KIND [OPTION…]
create() {
	kind=$1
	shift
	port=$(openstack port create --network "$network" --vnic-type "$kind" -f value -c id "$server-$kind")
	openstack server create --port "$port" --wait "$@" "$server" && return
	openstack server delete --wait "$server" || true
	openstack port delete "$port"
	return 1
}

answer=$(ssh "$host" sriovctl nova plan --net "$physnet")
echo "$server: $answer"
case $answer in
direct*) create direct "$@" || create normal "$@" ;;
*) create normal "$@" ;;
esac
