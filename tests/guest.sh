# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced after tests/libvirtd.sh: small Linux guests (TCG) of the lab's kernel and busybox, which do what they are told on
# their serial port. $kernel is the kernel's folder.
"$repo/tests/lab/small.sh" "$kernel" "$work/small.gz" virtio_net

# small_domain NAME NUMBER: its memory is shared, as vhost-user wants it
small_domain() {
	cat <<-END
		<domain type="qemu">
		  <name>$1</name>
		  <uuid>$(uuid "$2")</uuid>
		  <memory unit="MiB">96</memory>
		  <memoryBacking><source type="memfd"/><access mode="shared"/></memoryBacking>
		  <vcpu>1</vcpu>
		  <os>
		    <type arch="x86_64" machine="q35">hvm</type>
		    <kernel>$kernel/vmlinux</kernel>
		    <initrd>$work/small.gz</initrd>
		    <cmdline>quiet mitigations=off no_timer_check cryptomgr.notests panic=-1</cmdline>
		  </os>
		  <features><acpi/></features>
		  <cpu mode="maximum"/>
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    <controller type="pci" index="0" model="pcie-root"/>
		    <controller type="pci" index="1" model="pcie-root-port"/>
		    <controller type="pci" index="2" model="pcie-root-port"/>
		    <controller type="usb" model="none"/>
		    <serial type="pipe"><source path="$work/$1"/></serial>
		    <memballoon model="none"/>
		  </devices>
		</domain>
	END
}
small_defined() {
	small_domain "$@" >"$work/$1.xml"
	virsh define "$work/$1.xml"
}

declare -A console=()
# small_start NAME…
small_start() {
	local name fd
	for name; do
		rm -f "$work/$name".{in,out}
		mkfifo "$work/$name".{in,out}
		exec {fd}<>"$work/$name.out"
		console[$name]=$fd
		virsh start "$name" || fail "$name does not start"
	done
}
# answered NAME: what comes until the status of the last line, which is returned
answered() {
	local line
	while IFS= read -r -t 60 line <&"${console[$1]}"; do
		case $line in
		=ready) return 0 ;;
		=[0-9]*) return "${line#=}" ;;
		*) echo "$line" ;;
		esac
	done
	echo "$1 does not answer"
	return 1
}
# inside NAME COMMAND…
inside() {
	local name=$1
	shift
	echo "$*" >"$work/$name.in"
	answered "$name"
}
# inside_until NAME COMMAND: asks for 20 seconds
inside_until() {
	inside "$1" "i=0; until $2; do i=\$((i + 1)); [ \$i -lt 100 ] || break; usleep 200000; done >/dev/null 2>&1; $2"
}
