#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every example of a host file is valid by the schema, and on the simulated host: planned, applied, nothing left to do, no
# drift, taken back. What the reader refuses for its words the schema refuses too. The unit for the boot is one to systemd.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with python3
python3 -c 'import yaml, jsonschema' 2>/dev/null || skip "python3-yaml or python3-jsonschema is not installed"

schema=$repo/examples/hostfiles/host.schema.json
# valid FILE: by the schema; numbers that are keys are texts to it
valid() {
	python3 - "$schema" "$1" <<'PY'
import json, sys, yaml, jsonschema
def texts(node):
    if isinstance(node, dict):
        return {str(key): texts(value) for key, value in node.items()}
    return [texts(item) for item in node] if isinstance(node, list) else node
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
errors = list(jsonschema.Draft202012Validator(schema).iter_errors(texts(yaml.safe_load(open(sys.argv[2])))))
for error in errors:
    print(error.message[:200])
sys.exit(bool(errors))
PY
}
ovs='{"version": "3.1.0", "dpdk_version": "DPDK 22.11.11", "dpdk": true, "dpdk_init": true, "dpdk_initialized": true,
	"pmd_cpu_mask": "", "bridges": []}'
everything() {
	"$tool" host show --json | jq -S '.pfs | map(.vf //= [] | .rules //= [] | del(.vf[].iommu_group, .carrier, .speed_mbps))'
	"$tool" physnet show
	jq -S .ovs.bridges "$host"
}

for file in "$repo"/examples/hostfiles/*.yaml; do
	valid "$file" && passed || fail "$file is not valid by the schema"
	new_host ".ovs = $ovs"
	before=$(everything)
	expect 2 plan -f "$file"
	expect 0 apply -f "$file"
	let_land
	[ "$(everything)" != "$before" ] && passed || fail "$file changes nothing"
	expect 0 plan -f "$file"
	showed "nothing to do"
	expect 0 status
	expect 0 rollback
	let_land
	same "$file, taken back" "$before" "$(everything)"
	# nor does it depend on what the host was
	expect 0 apply -f "$file"
	expect 0 adopt --print
	cp "$work/out" "$work/printed.yaml"
	valid "$work/printed.yaml" && passed || fail "what adopt --print writes is not valid by the schema"
	expect 0 apply -f "$work/printed.yaml"
	is "steps to what was printed" "" "$(grep '^ *[+-] ' "$work/out" || true)"
	expect 0 plan -f "$work/printed.yaml"
done

# wrong words, for both
while IFS= read -r line; do
	printf 'version: 1\n%b\n' "$line" >"$work/wrong.yaml"
	valid "$work/wrong.yaml" >"$work/why" && fail "the schema takes: $line" || passed
	new_host
	expect 1 plan -f "$work/wrong.yaml"
	said "$work/wrong.yaml:"
done <<'END'
pf: []
pfs: [{vfs: 1}]
pfs: [{match: ens2f0, vfs: 300}]
pfs: [{match: ens2f0, vlna: 3}]
pfs: [{match: ens2f0, driver: vfio}]
pfs: [{match: ens2f0, trust: maybe}]
pfs: [{match: ens2f0, vlan: 4095}]
pfs: [{match: ens2f0, vlan: '4095:3'}]
pfs: [{match: ens2f0, min-rate: 3}]
pfs: [{match: ens2f0, vf: {all: {trust: on}}}]
pfs: [{match: {name: ens2f0}}]
pfs: [{match: ens2f0, allow: [wider]}]
physnets: {red: {}}
physnets: {red: {pfs: []}}
physnets: {red: {pfs: [ens2f0], vswitch: {bridge: br-red}}}
physnets: {red: {pfs: [ens2f0], vswitch: {bridge: br-red, uplink: 'vf:1000'}}}
physnets: {red: {pfs: [ens2f0], vswitch: {bridge: br-red, uplink: af_xdp, sockets: run}}}
physnets: {red: {pfs: [ens2f0], paths: [macvtap]}}
physnets: {red: {pfs: [ens2f0], numa: near}}
policies: {link-timeout: -1}
END
# wrong for this host: with its place too
while IFS=% read -r body place message; do
	printf 'version: 1\n%b\n' "$body" >"$work/wrong.yaml"
	new_host
	expect 1 plan -f "$work/wrong.yaml"
	said "$work/wrong.yaml:$place" "$message"
done <<'END'
pfs:\n  - match: ens9%3:5%no PF of this host is ens9
pfs:\n  - match: ens2f0\n  - match: {driver: ixgbe}%4:5%matched by the entry of line 3 already
pfs:\n  - match: ens2f0\n    vf:\n      0: {vlan: 3}%5:7%there is no VF 0: it has 0 VFs
pfs:\n  - match: ens2f0\n    vfs: 2\n    vf:\n      2: {vlan: 3}%6:7%there will be no VF 2
pfs:\n  - match: ens2f0\n    vfs: 64%4:5%64 VFs are more than
pfs:\n  - match: ens2f0\n    vfs: 2\n    rules: |\n      udp4 dst-port 53 vf 5\n%6:7%VF 5 does not exist
pfs:\n  - match: ens2f0\n    vfs: 2\n    rules: |\n      # one\n      name a udp4 dst-port 53 vf 1\n\n      name b udp4 dst-ip 10.0.0.7 vf 1%9:7%one mask for all its rules
pfs:\n  - match: ens2f0\n    vfs: 4\n    vlan: 5\n    vf:\n      0-1:\n        trust: on\n        max-rate: 99999%9:19%max rate 99999 Mbit/s is out of
pfs:\n  - match: ens2f0\n    vfs: 4\n    max-rate: 5%5:15%max rate 5 Mbit/s is out of
pfs:\n  - match: ens2f0\n    vfs: 4\n    vf:\n      0: {mac: '02:00:00:00:00:01'}\n      2: {trust: on, mac: '02:00:00:00:00:01'}%7:27%is taken
pfs:\n  - match: ens2f0\n    vfs: 2\n    vf:\n      1: {mac: '01:00:00:00:00:01'}%6:16%multicast
physnets:\n  red: {pfs: [nothing]}%3:3%no PF of this host is nothing
physnets:\n  red: {pfs: [ens2f0]}\n  blue: {pfs: ['ens*']}%4:3%is on physnet red already
physnets:\n  red: {pfs: [ens2f0], vswitch: {bridge: br, uplink: af_xdp}}\n  blue: {pfs: [ens1f0], vswitch: {bridge: br, uplink: af_xdp}}%4%br is on physnet red already
physnets:\n  red:\n    pfs: [ens2f0]\n    vswitch: {bridge: br, uplink: 'vf:3'}%5:5%there is no such socket
END
# in a file beside, that file's
printf 'name a udp4 dst-port 53 vf 1\nname b udp4 dst-port 54 vf 5\n' >"$work/wrong.rules"
printf 'version: 1\npfs: [{match: ens2f0, vfs: 2, rules-file: wrong.rules}]\n' >"$work/wrong.yaml"
expect 1 plan -f "$work/wrong.yaml"
said "wrong.rules:2:1" "VF 5 does not exist"
expect 1 plan
said "/etc/sriovctl/host.yaml" "-f FILE"
expect 1 plan -f
said "-f: its value is missing"
expect 1 vf list -f x
said "-f"

if command -v systemd-analyze >/dev/null; then
	# the program need not be installed for the unit to be right
	for unit in sriovctl-restore sriovctl-bridges sriovctl-vlans; do
		sed "s#/usr/bin/sriovctl#$release#" "$repo/examples/systemd/$unit.service" >"$work/$unit.service"
		systemd-analyze verify "$work/$unit.service" 2>"$work/err" || true
		is "systemd-analyze verify" "" "$(grep "$unit" "$work/err" || true)"
	done
fi
