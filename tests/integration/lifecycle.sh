#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# VFs from their creation to their end, on each driver: everything is read back, every command can be run
# twice, and deleting leaves the PF as it was found.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# vf PF INDEX JQ-FILTER: as the tool shows it
vf() { "$tool" vf show "$1" "$2" --json | jq -c ".vf | $3"; }

# lifecycle PF VF-DRIVER RATE-OPTIONS OPTIONS…
lifecycle() {
	local pf=$1 vf_driver=$2 rate=$3 found others mac
	shift 3
	new_host
	found=$(shown "$pf")
	others=$(others "$pf")

	# shellcheck disable=SC2086
	change vf create "$pf" --count 3 --mac auto --vlan 100 --trust on $rate --driver vfio-pci "$@"
	expect 0 vf list "$pf" --json
	is "VFs" '{"now":3,"total":'"$(pf_of "$pf" .vfs.total)"'}' "$(jq -c '.pfs[0].vfs' "$work/out")"
	is "driver of all" '["vfio-pci"]' "$(jq -c '[.pfs[0].vf[].driver] | unique' "$work/out")"
	is "VLAN, trust of all" '[[100,0,"802.1Q",true]]' \
		"$(jq -c '[.pfs[0].vf[].attrs | [.vlan, .qos, .proto, .trust]] | unique' "$work/out")"
	is "rate of all" "[${rate:+500}]" \
		"$(jq -c '[.pfs[0].vf[].attrs.max_rate | select(. > 0)] | unique' "$work/out")"
	is "distinct MACs" 3 "$(jq '[.pfs[0].vf[].attrs.mac] | unique | length' "$work/out")"
	is "locally administered unicast MACs" 3 \
		"$(jq '[.pfs[0].vf[].attrs.mac | select(test("^.[26ae]:"))] | length' "$work/out")"
	mac=$(vf "$pf" 1 .attrs.mac)
	is "autoprobe while VFs go to vfio-pci" false "$(pf_of "$pf" .autoprobe)"

	# another count is not a change of attributes
	expect 3 vf create "$pf" --count 5 "$@"
	said "has 3 VFs already" "vf delete"
	# what differs, and nothing else
	change vf create "$pf" --count 3 --vlan 100 --spoofchk off "$@"
	is "spoofchk" '[false]' "$("$tool" vf list "$pf" --json | jq -c '[.pfs[0].vf[].attrs.spoofchk] | unique')"

	change vf set "$pf" 0,2 --vlan 200:5 --trust off
	is "vf 0" '[200,5,false]' "$(vf "$pf" 0 '.attrs | [.vlan, .qos, .trust]')"
	is "vf 1 is left alone" '[100,0,true]' "$(vf "$pf" 1 '.attrs | [.vlan, .qos, .trust]')"
	is "vf 2" '[200,5,false]' "$(vf "$pf" 2 '.attrs | [.vlan, .qos, .trust]')"
	change vf set "$pf" 1 --vlan 0
	is "vf 1 without VLAN" 0 "$(vf "$pf" 1 .attrs.vlan)"
	change vf set "$pf" 1 --mac 02:00:5e:00:01:01
	is "MAC of vf 1" '"02:00:5e:00:01:01"' "$(vf "$pf" 1 .attrs.mac)"
	change vf set "$pf" all --mac auto
	is "the automatic MAC is stable" "$mac" "$(vf "$pf" 1 .attrs.mac)"

	change vf bind "$pf" 1-2 --driver default
	let_land
	is "kernel's driver" "\"$vf_driver\"" "$(vf "$pf" 1 .driver)"
	is "netdev of vf 2" "\"${pf}v2\"" "$(vf "$pf" 2 .netdev)"
	is "vf 0 stays" '"vfio-pci"' "$(vf "$pf" 0 .driver)"
	change vf bind "$pf" 2 --driver none
	is "unbound" '""' "$(vf "$pf" 2 .driver)"
	expect 1 vf delete "$(vf "$pf" 2 .address | tr -d '"')" "$@"
	said "not a PF, but VF 2 of"

	change vf delete "$pf" "$@"
	let_land
	is "the PF is as it was found" "$found" "$(shown "$pf")"
	over
	is "epoch" 1 "$(query 'SELECT epoch FROM pf')"

	# a second life: the same MACs
	change vf create "$pf" --count 2 --mac auto "$@"
	is "the MAC is stable over lives" "$mac" "$(vf "$pf" 1 .attrs.mac)"
	let_land
	is "without --driver the kernel binds its own" "\"$vf_driver\"" "$(vf "$pf" 0 .driver)"
	is "epoch" 2 "$(query 'SELECT epoch FROM pf')"
	change vf delete "$pf" "$@"
	let_land
	is "the PF is as it was found" "$found" "$(shown "$pf")"
	is "the other PFs were never touched" "$others" "$(others "$pf")"
}

lifecycle ens2f0 ixgbevf '--max-rate 500'
lifecycle ens1f0 iavf '--max-rate 500'
# I350: no VF rates; its port carries the host's default route
lifecycle eno1 igbvf '' --disrupt-pf

# A PF that was found down with autoprobe off comes up for its VFs and is left down again.
new_host '(.pfs[] | select(.netdev == "ens2f0")) |= (.up = false | .carrier = false | .autoprobe = false)'
found=$(shown ens2f0)
change vf create ens2f0 --count 2 --max-rate 100
is "the PF is up" true "$(pf_of ens2f0 .up)"
is "autoprobe was off: the VFs have no driver" '["",""]' "$(pf_of ens2f0 '[.vf[].driver]')"
change vf delete ens2f0
let_land
is "down as found" "$found" "$(shown ens2f0)"
