# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2120,SC2154
# Sourced after tests/harness.sh by tests with a real Open vSwitch with DPDK: one of the test's own, in namespaces of its
# own (processes, network, mounts) and with its own folder, so that it knows of no other and leaves nothing behind.
[ "$(id -u)" = 0 ] || skip "needs root: namespaces, network devices"
need openvswitch-switch-dpdk dpdk-dev >"$work/install" 2>&1 ||
	skip "OVS with DPDK cannot be installed: $(tail -n 1 "$work/install")"
with jq unshare ovs-ofctl ovsdb-server dpdk-testpmd
vswitchd=/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk
[ -x "$vswitchd" ] || skip "$vswitchd is not there"
if [ -z "${OVS_TEST_INSIDE:-}" ]; then
	trap - EXIT
	rm -rf "$work"
	export OVS_TEST_INSIDE=1
	# the shell that waits buries the daemons
	exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private \
		bash -c '"$0" & wait $!' "$0"
fi
unset SRIOVCTL_HOST
export OVS_RUNDIR=$work/ovs
export OVS_DBDIR=$OVS_RUNDIR OVS_LOGDIR=$OVS_RUNDIR OVS_SYSCONFDIR=$OVS_RUNDIR
mkdir "$OVS_RUNDIR"
# where DPDK's processes know each other by names, which another test may have too
mkdir -p /run/dpdk
mount -t tmpfs none /run/dpdk
ip link set lo up
vsctl() { ovs-vsctl --db="unix:$OVS_RUNDIR/db.sock" --timeout=20 "$@"; }
appctl() { ovs-appctl -t "$(echo "$OVS_RUNDIR"/ovs-vswitchd*.ctl)" "$@"; }
ofctl() { ovs-ofctl -O OpenFlow14 --timeout=20 "$1" "unix:$OVS_RUNDIR/$2.mgmt" "${@:3}"; }

database_up() {
	[ -e "$OVS_RUNDIR/conf.db" ] ||
		ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ovsdb-server "$OVS_RUNDIR/conf.db" --remote="punix:$OVS_RUNDIR/db.sock" --unixctl="$OVS_RUNDIR/ovsdb-server.ctl" \
		--pidfile="$OVS_RUNDIR/ovsdb-server.pid" --log-file="$OVS_RUNDIR/ovsdb-server.log" --no-chdir --detach \
		-vconsole:off
}
vswitchd_up() {
	"$vswitchd" "unix:$OVS_RUNDIR/db.sock" --pidfile="$OVS_RUNDIR/ovs-vswitchd.pid" \
		--log-file="$OVS_RUNDIR/ovs-vswitchd.log" --no-chdir --detach -vconsole:off "$@"
}
# ended PIDFILE [SIGNAL]: of a daemon
ended() {
	local pid
	pid=$(cat "$OVS_RUNDIR/$1.pid")
	kill "-${2:-TERM}" "$pid"
	until_true 30 eval "! kill -0 $pid"
	rm -f "$OVS_RUNDIR"/"$1"*.ctl "$OVS_RUNDIR/$1.pid"
}

# ovs_up MODE [MEBIBYTES]: huge or nohuge pages; small pools for each port, and a core that sleeps when it is idle
ovs_up() {
	local options="--no-huge --legacy-mem -m ${2:-512}"
	if [ "$1" = huge ]; then
		options="--in-memory"
	fi
	database_up
	vsctl --no-wait init
	vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true other_config:per-port-memory=true \
		other_config:pmd-cpu-mask=0x2 other_config:pmd-maxsleep=100 \
		other_config:dpdk-extra="$options --no-pci --no-telemetry --file-prefix=ovs$$"
	[ "$1" != huge ] || vsctl --no-wait set Open_vSwitch . other_config:dpdk-socket-mem="${2:-512}"
	vswitchd_up
}

# ovs_huge MEBIBYTES: from its next start on OVS has pages of 2 MiB, if this machine can spare them until the test's end
ovs_huge() {
	local huge=/proc/sys/vm/nr_hugepages pages least=$(($1 / 2))
	pages=$(cat "$huge")
	free_pages() { awk '/HugePages_Free/ {print $2}' /proc/meminfo; }
	if [ "$(free_pages)" -lt "$least" ]; then
		echo $((pages + least + 44)) >"$huge" 2>/dev/null || true
		# shellcheck disable=SC2064 # as it is now
		trap "echo $pages >$huge; finish" EXIT
	fi
	[ "$(free_pages)" -ge "$least" ] || return 1
	vsctl --no-wait set Open_vSwitch . other_config:dpdk-socket-mem="$1" \
		other_config:dpdk-extra="--in-memory --no-pci --no-telemetry"
}

# compile_helper LIBRARY FLAGS…: vswitch.c as $work/vswitch
compile_helper() {
	local cflags libraries library=$1
	shift
	read -ra libraries <<<"$(pkg-config --libs libnl-3.0 libmnl sqlite3 jansson)"
	read -ra cflags <<<"$(pkg-config --cflags libnl-3.0 jansson)"
	cc -std=gnu17 -D_GNU_SOURCE -g "$@" -I"$repo/include" -I"$repo" "${cflags[@]}" -o "$work/vswitch" \
		"$repo/tests/integration/vswitch.c" "$library" "${libraries[@]}" -ldl
}
