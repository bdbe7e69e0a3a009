# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
# Sourced after tests/harness.sh by tests with a real libvirt and a real QEMU (TCG): a libvirtd of the test's own. All of
# it lives in namespaces of its own: processes, network, and the folders that libvirt has.
[ "$(id -u)" = 0 ] || skip "needs root: namespaces, tap devices"
need libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients
command -v qemu-system-x86_64 >/dev/null || need qemu-system-x86
with jq virsh unshare
if [ -z "${LIBVIRT_TEST_INSIDE:-}" ]; then
	unshare --mount --net --pid --fork true || skip "no namespaces here"
	trap - EXIT
	rm -rf "$work"
	export LIBVIRT_TEST_INSIDE=1
	# the shell that waits buries the daemons that libvirt forks off
	exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private \
		bash -c '"$0" "$@" & wait $!' "$0" "$@"
fi
unset SRIOVCTL_HOST

# ---- a place for libvirt ----

lib=$work/libvirtd
embed=/var/lib/libvirt/embed # a root for qemu:///embed: QEMU's own /dev may not be made below /dev/shm
mkdir "$lib"
for folder in /etc/libvirt /var/lib/libvirt /run/libvirt /var/cache/libvirt /var/log/libvirt; do
	mkdir -p "$folder"
	mount -t tmpfs none "$folder"
done
mkdir -p "$embed/etc"
# the driver wants this user whatever qemu.conf says; the package that makes it also starts a daemon
for table in passwd:libvirt-qemu:x:64055:64055::/:/bin/false group:libvirt-qemu:x:64055: group:kvm:x:64056:; do
	file=${table%%:*} entry=${table#*:}
	grep -q "^${entry%%:*}:" "/etc/$file" && continue
	{ cat "/etc/$file" && echo "$entry"; } >"$work/$file.new"
	mv "$work/$file.new" "$work/$file"
	mount --bind "$work/$file" "/etc/$file"
done
tee /etc/libvirt/qemu.conf >"$embed/etc/qemu.conf" <<END
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
remember_owner = 0
cgroup_controllers = []
END
cat >"$lib/libvirtd.conf" <<END
unix_sock_dir = "$lib"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "3:file:$lib/log"
END
uri="qemu:///system?socket=$lib/libvirt-sock"
virsh() { command virsh -q -c "$uri" "$@" </dev/null; }

# start_daemon: until it answers; asking what QEMU can do takes it seconds at first
start_daemon() {
	libvirtd --config "$lib/libvirtd.conf" --pid-file "$lib/pid" --timeout 0 >"$lib/out" 2>&1 7<&- 8>&- &
	daemon=$!
	for _ in $(seq 600); do
		! virsh list >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	fail "libvirtd does not start: $(cat "$lib/out" "$lib/log")"
	exit 1
}
