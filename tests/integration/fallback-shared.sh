#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What guests on a bridge have in common with the NIC and with each other: rules of several PFs, addresses, names of ports,
# pools, the NIC's switch, MTU; and a bridge that cannot be asked.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "bridges": []}'
lease() { query "SELECT path, pf, vf FROM lease WHERE guest = '$1'"; }
mac_of() { query "SELECT mac FROM lease WHERE guest = '$1'"; }
vf_mac() { pf_of "$1" ".vf[$2].attrs.mac" | tr -d '"'; }
ports() { jq -r '[.ovs.bridges[]?.ports[]? | select(.type != "internal") | .name] | join(" ")' "$host"; }
flows() { jq -r '.ovs.bridges[]? | .flows[]?' "$host"; }
fdb() { jq -r '[.sim.fdb[]?.mac] | join(" ")' "$host"; }
guests() { for i in 1 2 3; do defined web$i "$i" "" shared; done; }
# red COUNT: a host with so many VFs on ens2f0, and a network with a bridge
red() {
	new_host ".ovs = $ovs"
	"$tool" vf create ens2f0 --count "$1" --mac auto >/dev/null
	let_land
	"$tool" physnet add red ens2f0 --bridge br-red --uplink af_packet >/dev/null
	guests
}

# ---- rules of a PF that is not beside the uplink ----
new_host ".ovs = $ovs"
expect 0 vf create ens1f0 --count 1 --mac auto
let_land
expect 0 physnet add red ens2f0 ens1f0 --bridge br-red --uplink af_packet
guests
secure='udp4 src-ip 10.6.6.6 src-port 1 dst-ip 10.0.0.1 dst-port 53 drop'
# shellcheck disable=SC2086
expect 0 flow add ens1f0 --name secure $secure
expect 3 guest attach web1 --pf ens1f0 --paths vhostuser
said "rule secure of ens1f0 drops packets that may be for it" "bridge br-red has the rules of ens2f0 only" "give ens2f0 the same rule"
is "nothing is left of it" "0 up-red" "$(query 'SELECT count(*) FROM lease') $(ports)"
# the other path that carries none does not lead there
expect 3 guest attach web1 --pf ens1f0 --paths macvtap
said "a macvtap carries no rules" "take --paths vf, or"
expect 0 guest attach web1 --pf ens1f0
expect 3 guest move web1 --to vhostuser
said "rule secure of ens1f0 drops packets"
is "it stays" "vf|0000:3b:00.0|0" "$(lease web1)"
# the same rule is no use behind one that takes its packets away
printf '%s\n' 'name before udp4 src-ip 10.6.6.6 src-port 1 dst-ip 10.0.0.1 dst-port 53 queue 1' "name again $secure" >"$work/rules"
expect 0 flow apply "$work/rules" --pf ens2f0
expect 3 guest move web1 --to vhostuser
# others may stand before it
sed -i 's/10.6.6.6/10.7.7.7/; n; s/10.7.7.7/10.6.6.6/' "$work/rules"
expect 0 flow apply "$work/rules" --pf ens2f0
change guest move web1 --to vhostuser
has "the drop is on the bridge" "$(flows)" "tp_dst=53"
expect 0 guest move web1 --to vf
expect 0 flow delete ens2f0 --all
expect 0 guest move web1 --to vhostuser --force
showed "rule secure has no effect on it: bridge br-red has the rules of ens2f0 only"
over

