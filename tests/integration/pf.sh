#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A port is given to vfio-pci and comes back: what that ends, whom it would hit, and what it brings back.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

pf=0000:81:00.0
new_host
port() { "$tool" host show $pf --json | jq -S '.pfs[0] | del(.carrier, .speed_mbps, .vf[]?.netdev)'; }

# ---- bad words ----
expect 1 pf bind ens2f0
said "pf bind: --driver is missing"
expect 1 pf bind ens2f0 --driver none
said "a port is bound to vfio-pci or to its own driver"
expect 1 pf bind ens9f9 --driver vfio-pci
said "ens9f9: no such device"

# ---- away and back, with all that is recorded ----
expect 0 vf create ens2f0 --count 3 --mac auto --vlan 7 --trust on --driver vfio-pci
expect 0 flow add ens2f0 --name tunnel flow-type udp4 dst-port 4789 vf 1 queue 1
expect 0 rss set ens2f0 queues 1-2
before=$(port)
expect 0 pf bind ens2f0 --driver vfio-pci --dry-run
showed "delete all 3 VFs" "every VF of the PF goes" "give $pf to vfio-pci" \
	"netdev ens2f0 goes, with its addresses, its rules (1)" "comes back with \`sriovctl pf bind $pf --driver default\`"
case $(out) in *hugepage*) fail "hugepages are free, and missed" ;; esac
is "a dry run changes nothing" "$before" "$(port)"
change pf bind $pf --driver vfio-pci
is "its driver, netdev and VFs" "vfio-pci  0" \
	"$("$tool" host show $pf --json | jq -r '.pfs[0] | "\(.driver) \(.netdev // "") \(.vfs.now)"')"
expect 1 host show ens2f0
said "ens2f0: no such device"

# what else is recorded waits
expect 0 restore
showed "nothing to do"
expect 1 vf set $pf 0 --vlan 8
expect 1 rss set $pf queues 0-1

change pf bind $pf --driver default
is "the port with its VFs, rules and RSS" "$before" "$(port)"
expect 0 restore
showed "nothing to do"
expect 0 history
showed "pf bind $pf --driver vfio-pci" "pf bind $pf --driver default"

# ---- after a reboot the port is the kernel's, and restore takes it away again ----
expect 0 pf bind ens2f0 --driver vfio-pci
jq '.boot_id = "another" | (.pfs[] | select(.address == "0000:81:00.0")) |= (.driver = "ixgbe" | del(.driver_override))' \
	"$host" >"$work/rebooted"
cp "$work/rebooted" "$host"
expect 0 restore $pf
showed "give $pf to vfio-pci"
# or by hand: what is recorded comes back then, too
cp "$work/rebooted" "$host"
expect 0 pf bind $pf --driver default
is "after a reboot and back" "$before" "$(port)"

# its VFs cannot be made while it is away, whatever rules it had
new_host
expect 0 flow add ens2f0 --name a udp4 dst-ip 10.0.0.1 queue 1
expect 0 pf bind ens2f0 --driver vfio-pci
expect 1 vf create $pf --count 2
said "vfio-pci has the port" "sriovctl pf bind $pf --driver default" "VF token"
expect 0 host show $pf
showed "MAC       unknown, permanent unknown"
expect 0 pf bind $pf --driver default
is "and they come back" '["0x1"]' "$(pf_of ens2f0 '[.rules[].cookie]')"

# ---- a port that nobody recorded ----
new_host
expect 0 pf bind ens2f0 --driver vfio-pci
expect 1 vf create $pf --count 2
said "vfio-pci has the port" "sriovctl pf bind $pf --driver default" "VF token"
expect 1 flow add $pf udp4 dst-port 9 queue 0
said "driver vfio-pci is not modelled" "rules of a port that DPDK owns: --backend rte"
# VFs that somebody made there
edit_host '(.pfs[] | select(.address == "0000:81:00.0")) |= (.vfs.now = 1 | .vf = [{address: "0000:81:10.0", driver: "vfio-pci"}])'
expect 1 vf set $pf 0 --trust on
said "vfio-pci has the port" "flow apply --backend rte"
edit_host '(.pfs[] | select(.address == "0000:81:00.0")) |= (.vfs.now = 0 | .vf = [])'
expect 0 pf bind $pf --driver default
is "nothing is left on record" '' "$(query "SELECT intent FROM pf WHERE intent IS NOT NULL AND intent != ''")"
expect 0 pf bind ens2f0 --driver default
showed "nothing to do"

# ---- whom it would hit ----
expect 0 vf create ens2f0 --count 2 --mac auto --driver vfio-pci
expect 0 guest xml web1 --pf ens2f0
before=$(port)
expect 3 pf bind ens2f0 --driver vfio-pci
said "in use by guest web1"
is "nothing was changed" "$before" "$(port)"
expect 3 pf bind eno1 --driver vfio-pci
said "the port carries the host's own traffic: default route" "this step would end it: give 0000:04:00.0 to vfio-pci" \
	"--disrupt-pf to end it"
expect 0 pf bind eno1 --driver vfio-pci --disrupt-pf
expect 0 pf bind 0000:04:00.0 --driver default

# a process that has it open would let the kernel wait for ever
new_host '(.pfs[] | select(.netdev == "ens2f0")) |= (.driver = "vfio-pci" | .uses = [
	{"running": true, "who": "process 7 (sriov-rte)", "how": "/dev/vfio/58 is open in process 7"}])'
expect 3 pf bind $pf --driver default
said "process 7 (sriov-rte) has the port open" "systemctl stop sriov-rte@$pf"

# ---- what it needs ----
new_host '.iommu = false'
expect 1 pf bind ens2f0 --driver vfio-pci
said "vfio-pci needs an IOMMU"
new_host '.vfio = false'
expect 1 pf bind ens2f0 --driver vfio-pci
said "the driver vfio-pci is not loaded" "modprobe vfio-pci"
new_host '(.pfs[] | select(.netdev == "ens1f0")) |= (.iommu_group = 58)'
expect 3 pf bind ens2f0 --driver vfio-pci
said "it shares IOMMU group 58 with ens1f0, which driver i40e has"
new_host '.nodes[].hugepages[].free = 0'
expect 0 pf bind ens2f0 --driver vfio-pci --dry-run
showed "no hugepage is free on the port's node 1"

# ---- failures: the old state ----
# fails EFFECT SKIP STATUS: once, after SKIP that are well
fails() {
	new_host '.sim.deviate = [{"op": "'"$1"'", "errno": "EIO", "skip": '"$2"', "times": 1}]'
	expect 0 vf create ens2f0 --count 2 --mac auto --driver none
	before=$(port)
	expect "$3" pf bind ens2f0 --driver vfio-pci
	is "$1 fails: the port as it was" "$before" "$(port)"
}
fails numvfs 1 1
fails unbind 0 4
fails override 0 4
fails probe 0 4
new_host '.sim.deviate = [{"op": "probe", "lie": true, "times": 1}]'
before=$(port)
expect 4 pf bind ens2f0 --driver vfio-pci
said "reading back shows that this is missing: give $pf to vfio-pci"
is "a probe that lies: the port as it was" "$before" "$(port)"
