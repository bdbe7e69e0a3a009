# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced after tests/libvirtd.sh: small Linux guests (TCG) of the lab's kernel and busybox, which do what they are told on
# their serial port. $kernel is the kernel's folder, $guest_modules what they have of it (virtio_net).
"$repo/tests/lab/small.sh" "$kernel" "$work/small.gz" "${guest_modules[@]:-virtio_net}"

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

# shellcheck source=tests/console.sh
. "$repo/tests/console.sh"
# small_start NAME…
small_start() {
	local name
	for name; do
		console_made "$name"
		virsh start "$name" || fail "$name does not start"
	done
}
