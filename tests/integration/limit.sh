#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a guest may send by a macvtap or tap: libvirt's <bandwidth>, by whole commands against the simulated libvirt: with
# the device, changed while it runs, taken away, and taken back by a change that fails.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# outbound NAME WHERE: what the guest may send, "-" where nothing says
outbound() { xml "$1" "$2" | grep -o '<outbound[^>]*>' || echo -; }
at20='<outbound average="2500" burst="250"/>' at5='<outbound average="625" burst="64"/>'
new_host
expect 0 vf create ens2f0 --count 1 --mac auto
let_land

# ---- a stopped guest ----
defined web1 1 1
expect 0 guest attach web1 --paths macvtap --max-rate 20 --dry-run
showed "attach a macvtap on ens2f0 to web1, in its definition"
change guest attach web1 --paths macvtap --max-rate 20
is "the limit" "$at20" "$(outbound web1 config)"
# not said again, it stays
again guest attach web1
is "the limit" "$at20" "$(outbound web1 config)"
expect 0 guest attach web1 --max-rate 5 --dry-run
showed "1  limit what web1 sends by a macvtap on ens2f0 to 5 Mbit/s, in its definition"
change guest attach web1 --max-rate 5
is "the limit" "$at5" "$(outbound web1 config)"
expect 0 guest attach web1 --max-rate 0 --dry-run
showed "no longer limit what web1 sends by a macvtap on ens2f0"
change guest attach web1 --max-rate 0
is "nothing is left of it" 0 "$(xml web1 config | grep -c bandwidth)"
change guest detach web1
same "the definition is as it was" "$(domain web1 1 1)" "$(xml web1 config)"

# ---- a running one ----
running web2 2 1
change guest attach web2 --paths tap --bridge br0 --max-rate 20
is "its limit" "$at20 $at20" "$(outbound web2 config) $(outbound web2 live)"
is "recorded" 20 "$(query 'SELECT attrs FROM lease' | jq .max_rate)"
expect 0 guest attach web2 --max-rate 5 --dry-run
showed "limit what web2 sends by a tap on br0 to 5 Mbit/s, in its definition" "to 5 Mbit/s, while it runs"
change guest attach web2 --max-rate 5
is "its limit" "$at5 $at5" "$(outbound web2 config) $(outbound web2 live)"
# as far as one of the two is meant
expect 0 guest attach web2 --max-rate 20 --live
is "its limit" "$at5 $at20" "$(outbound web2 config) $(outbound web2 live)"
change guest attach web2 --max-rate 20
is "its limit" "$at20 $at20" "$(outbound web2 config) $(outbound web2 live)"

# ---- a change that fails ----
failing() { # STATUS WORDS DEVIATION
	edit_host ".sim.deviate = [$3]"
	expect "$1" guest attach web2 --max-rate 5
	said "$2"
	edit_host '.sim.deviate = []'
	is "as before" "$at20 $at20 20" "$(outbound web2 config) $(outbound web2 live) $(query 'SELECT attrs FROM lease' | jq .max_rate)"
}
failing 1 "virt_limit fails" '{op: "virt_limit", errno: "EIO", times: 1}'
failing 4 "virt_limit fails" '{op: "virt_limit", errno: "EOPNOTSUPP", skip: 1, times: 1}'
failing 4 "reading back" '{op: "virt_limit", lie: true, skip: 1, times: 1}'
# what its author had said, in whatever amount, comes back; and of the other direction it is left alone
expect 0 guest attach web2 --max-rate 0
hand='<bandwidth><inbound average="1000"/><outbound average="77" peak="99"/></bandwidth>'
edit_host --arg to "$hand" '(.domains[] | select(.name == "web2")) |= (
	.xml |= sub("<model type=\"virtio\"/>"; "<model type=\"virtio\"/>" + $to)
	| .live |= sub("<model type=\"virtio\"/>"; "<model type=\"virtio\"/>" + $to))'
edit_host '.sim.deviate = [{op: "virt_limit", errno: "EIO", skip: 1, times: 1}]'
expect 4 guest attach web2 --max-rate 5
edit_host '.sim.deviate = []'
has "the author's" "$(outbound web2 config)" 'average="77"'
expect 0 guest attach web2 --max-rate 5
has "of the other direction" "$(xml web2 live)" '<inbound average="1000"/>'
is "its limit" "$at5" "$(outbound web2 live)"
expect 0 guest detach web2

# ---- beside a VF: the half of a pair that stays has the limit too ----
running web3 3 1
expect 0 guest attach web3 --standby --bridge br0 --max-rate 20
is "its half" "$at20 $at20" "$(outbound web3 config) $(outbound web3 live)"
is "its VF" 20 "$(pf_of ens2f0 '.vf[0].attrs.max_rate')"
change guest attach web3 --max-rate 50
is "its half" '<outbound average="6250" burst="625"/>' "$(outbound web3 live)"
is "its VF" 50 "$(pf_of ens2f0 '.vf[0].attrs.max_rate')"
expect 0 guest detach web3

# ---- what cannot be ----
expect 1 guest attach web1 --paths macvtap --max-rate 20 --min-rate 5
said "guarantees no rate" "min-rate 5" "--max-rate is kept"
expect 1 guest attach web1 --paths macvtap --spoofchk on
said "trust, spoofchk and link state are a VF's"
is "leases" 0 "$(query 'SELECT count(*) FROM lease')"

# ---- on a bridge of OVS it is a meter, of which a change that fails leaves the old one ----
edit_host '.ovs = {version: "3.1.0", dpdk_version: "DPDK 22.11.11", dpdk: true, dpdk_init: true, dpdk_initialized: true,
	pmd_cpu_mask: "", bridges: []}'
expect 0 physnet add red ens2f0 --bridge br-red --uplink af_packet
defined web4 4 "" shared
expect 0 guest attach web4 --net red --paths vhostuser --max-rate 20
meters() { jq -c '[.ovs.bridges[].meters[].kbps]' "$host"; }
is "its meter" "[20000]" "$(meters)"
edit_host '.sim.deviate = [{op: "ovs_flows", errno: "EIO", times: 1}]'
expect 4 guest attach web4 --max-rate 50
edit_host '.sim.deviate = []'
is "its meter" "[20000]" "$(meters)"
expect 0 guest attach web4 --max-rate 50
is "its meter" "[50000]" "$(meters)"
over
