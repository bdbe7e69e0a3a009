#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A host file over two PFs killed at every point, by kill -9 and by a signal that it may catch: both PFs end in the old
# state or both in the new one, after the next change of either of them, after `journal undo` or `resume` of either
# part, or by the same command again; the points of kill -9 are taken in turn for each of these ways.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with gcc python3
tool=$release
# shellcheck source=tests/faults/points.sh
. "$repo/tests/faults/points.sh"

# a VF that is made again is of another IOMMU group
unsteady+=(iommu_group)
looks=(host records)

new_host
"$tool" vf create ens1f0 --count 1 --vlan 5 --driver none >/dev/null
"$tool" flow add ens1f0 --name dns udp4 dst-port 53 drop >/dev/null
let_land
cat >"$work/host.yaml" <<'END'
version: 1
pfs:
  - match: ens1f0
    vfs: 2
    vlan: 6
    driver: none
    pool: nova
    rules: |
      name web udp4 dst-port 80 drop
  - match: ens2f0
    vfs: 1
    trust: on
    driver: vfio-pci
    max-rate: 500
physnets: {red: {pfs: [ens1f0, ens2f0]}}
END
change=(apply -f "$work/host.yaml") stride=1
points parts "apply"
"$tool" "${change[@]}" >/dev/null
let_land
change=(rollback 1) stride=4
points parts "rollback"

# with a bridge: its parts are of the PF beside it; an uplink that is a VF which comes with it
new_host '.ovs = {"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "bridges": []}'
# the netdev of a VF that is bound comes late
unsteady+=(driver_override netdev)
looks=(host records bridges)
"$tool" vf create ens1f0 --count 1 --driver none >/dev/null
let_land
cat >"$work/host.yaml" <<'END'
version: 1
pfs: [{match: ens2f0, vfs: 1, mac: auto}]
physnets:
  red:
    pfs: [ens2f0]
    vswitch: {bridge: br-red, uplink: 'vf:0'}
  blue:
    pfs: [ens1f0]
    vswitch: {bridge: br-blue, uplink: af_packet}
END
change=(apply -f "$work/host.yaml") stride=1
points parts "apply with bridges"
"$tool" "${change[@]}" >/dev/null
let_land
change=(rollback 1) stride=3
points parts "rollback with bridges"

# between an unconfirmed generation and its end
new_host
cat >"$work/host.yaml" <<'END'
version: 1
pfs: [{match: ens2f0, vfs: 1, driver: none}]
END
"$tool" host show >/dev/null
change=(apply -f "$work/host.yaml" --confirm 2)
looks=(host) unsteady=(carrier speed_mbps iommu_group) stride=7
points unconfirmed "apply --confirm"
