#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# guest tune and check on a real libvirt and QEMU (TCG), with the NIC simulated: what they do is seen in /proc.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
# shellcheck source=tests/libvirtd.sh
. "$repo/tests/libvirtd.sh"
[ "$(nproc)" -ge 2 ] || skip "needs two CPUs"
# sanitizers know nothing of XDR, which libvirt speaks
tool=$release

# A host of one node with CPUs 0 and 1, of which 0 takes the ports' interrupts.
example=$repo/examples/hosts/one-node-x710.json
new_host '.domains = [] | .nodes = [{id: 0, socket: 0, cpus: "0-1", cores: ["0", "1"], memory_mib: 4096}] | .pfs[].irq_cpus = "0"'
domain() { # NAME VCPUS
	cat <<-END
		<domain type="qemu">
		  <name>$1</name>
		  <memory unit="MiB">64</memory>
		  <vcpu>$2</vcpu>
		  <iothreads>1</iothreads>
		  <os><type arch="x86_64" machine="q35">hvm</type></os>
		  <features><acpi/></features>
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    <controller type="usb" model="none"/>
		    <memballoon model="none"/>
		  </devices>
		</domain>
	END
}
real() { # STATUS ARGUMENTS…
	local wanted=$1
	shift
	expect "$wanted" --host "$host,libvirt=live" "$@" --uri "$uri"
}
# allowed NAME: where that thread of QEMU may run; its main one without NAME
allowed() {
	local task
	for task in "/proc/$qemu/task"/*; do
		if [ "${1-}" = "$(cat "$task/comm")" ] || { [ $# = 0 ] && [ "${task##*/}" = "$qemu" ]; }; then
			sed -n 's/^Cpus_allowed_list:\t//p' "$task/status"
		fi
	done
}
start() {
	virsh start "$1"
	qemu=$(cat "/run/libvirt/qemu/$1.pid")
}

start_daemon
domain web1 1 >"$work/web1.xml"
virsh define "$work/web1.xml"
start web1
everywhere=$(allowed)

real 1 guest tune web1 --plan
said "none of its interfaces is on a NIC whose node is known"
real 2 guest tune web1 --plan --node 0
showed "vcpupin 0" "emulatorpin" "iothreadpin 1" "strict 0" "(at its next start)"
is "a plan pins nothing" "$everywhere $everywhere" "$(allowed) $(allowed 'CPU 0/TCG')"
real 0 guest tune web1 --apply --node 0
is "the vCPU is off the interrupts" 1 "$(allowed 'CPU 0/TCG')"
is "the emulator too" 1 "$(allowed)"
is "the IOThread too" 1 "$(allowed 'IO iothread1')"
virsh dumpxml --inactive web1 >"$work/inactive"
for element in "<vcpupin vcpu='0' cpuset='1'/>" "<emulatorpin cpuset='1'/>" "<iothreadpin iothread='1' cpuset='1'/>" \
	"<memory mode='strict' nodeset='0'/>"; do
	has "the definition" "$(cat "$work/inactive")" "$element"
done
real 0 guest tune web1 --plan
showed "node 0: the domain says so" "nothing to do"
real 0 guest check web1
showed "web1 (running): 0 findings"

# ---- with this machine's own cores, and without hwloc, which knows them ----
unset SRIOVCTL_HOST
expect 0 host snapshot
between "cores" 1 4096 "$(jq '[.nodes[].cores[]] | length' "$work/out")"
HWLOC_SYNTHETIC="core:1 pu:2" expect 0 host snapshot
is "two hyper-threads of one core" '["0-1"]' "$(jq -c '.nodes[0].cores' "$work/out")"
sriovctl guest tune web1 --plan --uri "$uri"
between "status" 0 2 "$status"
showed "vcpupin 0" "node 0: the domain says so"
library=$(ldconfig -p | sed -n 's/.*libhwloc\.so\.15 .*=> //p')
mount --bind /dev/null "$(readlink -f "$library")"
expect 1 guest tune web1 --plan --uri "$uri"
said "hwloc: cores and hyper-threads are not known without this library" "install the package libhwloc15"
expect 0 host snapshot
is "a snapshot is one all the same" 0 "$(jq '[.nodes[].cores[]?] | length' "$work/out")"
umount "$(readlink -f "$library")"

# ---- undone by somebody, found, and mended by the command that it gives ----
for task in "/proc/$qemu/task"/*; do
	[ "$(cat "$task/comm")" != "CPU 0/TCG" ] || taskset -cp 0 "${task##*/}" >/dev/null
done
real 2 guest check web1 --json
is "found" '["pin-undone","vcpu-on-interrupts"]' "$(jq -c '[.findings[].id] | sort' "$work/out")"
fix=$(jq -r '.findings[] | select(.id == "pin-undone").fix' "$work/out")
is "the fix" "virsh vcpupin web1 0 1 --live" "$fix"
$fix >/dev/null
is "mended" 1 "$(allowed 'CPU 0/TCG')"
real 0 guest check web1

# ---- what it says is so from the next start on ----
virsh destroy web1
real 0 guest check web1
showed "only its definition was looked at"
start web1
is "pinned from the start" "1 1 1" "$(allowed 'CPU 0/TCG') $(allowed) $(allowed 'IO iothread1')"
between "mappings bound to node 0" 1 100000 "$(grep -c bind:0 "/proc/$qemu/numa_maps" || true)"
real 0 guest tune web1 --plan
virsh destroy web1
virsh undefine web1

# ---- a pin that cannot be: all or nothing ----
edit_host '.nodes[0].cpus = "0-1,4000" | .nodes[0].cores = ["0", "1", "4000"] | .pfs[].irq_cpus = ""'
domain web2 3 >"$work/web2.xml"
virsh define "$work/web2.xml"
start web2
definition=$(virsh dumpxml --inactive web2)
real 4 guest tune web2 --apply --node 0
said "the host has no such CPU"
is "the first pins are back" "$everywhere $everywhere" "$(allowed 'CPU 0/TCG') $(allowed 'CPU 1/TCG')"
same "the definition is as it was" "$definition" "$(virsh dumpxml --inactive web2)"
virsh destroy web2
virsh undefine web2
real 1 guest tune web2 --plan
said "web2"
kill "$daemon"
wait "$daemon" || true
real 1 guest check web2
said "Failed to connect socket"
