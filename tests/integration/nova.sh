#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `nova conf` as Nova's own parser reads it: each VF of pool nova matches and no other device does. `nova plan`: which
# kind of port would get a VF.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

new_host
expect 1 nova conf
said "no VF of this host is in pool nova" "pool set PF VFS nova"
expect 0 vf create ens2f0 --count 16 --mac auto
expect 0 vf create ens1f0 --count 4 --mac auto --trust on
let_land
expect 0 pool set ens2f0 2-9 nova
expect 0 pool set ens1f0 0-1 nova
expect 0 physnet add storage ens2f0

# ---- what it says, by release ----

expect 0 nova conf
same "nova.conf" "$(cat <<'END'
[pci]
device_spec = {"address": {"domain": "0000", "bus": "3b", "slot": "02", "function": "[01]"}, "trusted": "true"}
device_spec = {"address": {"domain": "0000", "bus": "81", "slot": "10", "function": "[46]"}, "physical_network": "storage"}
device_spec = {"address": {"domain": "0000", "bus": "81", "slot": "11", "function": "[0246]"}, "physical_network": "storage"}
device_spec = {"address": {"domain": "0000", "bus": "81", "slot": "12", "function": "[02]"}, "physical_network": "storage"}
alias = {"name": "vf-154c", "vendor_id": "8086", "product_id": "154c", "device_type": "type-VF", "numa_policy": "preferred"}

[neutron]
physnets = storage

[neutron_physnet_storage]
numa_nodes = 1
END
)" "$(out)"
for release in rocky 21 yoga 25.0.0; do
	expect 0 nova conf --nova-release $release
	is "lines of the old name, $release" 4 "$(grep -c '^passthrough_whitelist = ' "$work/out")"
	is "lines of the new one" 0 "$(grep -c '^device_spec' "$work/out" || true)"
done
for release in zed 2025.1 32 33 gazpacho; do
	expect 0 nova conf --nova-release $release
	is "lines, $release" 4 "$(grep -c '^device_spec = ' "$work/out")"
done
for release in 17 34 2026.2 bexar 26x 26... 26. 26..1 +26 ' 26' ''; do
	expect 1 nova conf --nova-release "$release"
done
# VFs that are on vfio-pci already: said to those releases that know it
expect 0 vf bind ens2f0 9 --driver vfio-pci
expect 0 nova conf --nova-release epoxy
is "not Nova's to bind" '"slot": "12", "function": "[2]"}, "physical_network": "storage", "managed": "no"}' \
	"$(sed -n 's/.*\("slot": "12".*managed.*\)/\1/p' "$work/out")"
expect 0 nova conf
is "an older one does not know it" 0 "$(grep -c '"managed"' "$work/out" || true)"
showed "# VFs of 0000:81:00.0 are on vfio-pci"
# a PF of which the firmware says no node
edit_host '(.pfs[] | select(.netdev == "ens2f0")).node = -1'
expect 0 nova conf
showed "# 0000:81:00.0 says no NUMA node"
is "sections of a network whose nodes are not known" 0 "$(grep -c '^\[neutron' "$work/out" || true)"
edit_host '(.pfs[] | select(.netdev == "ens2f0")).node = 1'

# ---- which kind of port ----

plan() {
	local wanted=$1
	shift
	expect 0 nova plan "$@"
	is "nova plan $*" "$wanted" "$(cut -f 1 "$work/out")"
}
plan direct --net storage
plan direct --net storage --node 1
plan direct --net storage --node 0
plan normal --net storage --node 0 --numa required
expect 1 nova plan
expect 1 nova plan --net nosuch
# what a verb does not use it does not take
expect 1 nova plan --net storage --nova-release zed
said "--nova-release"
expect 1 nova conf --node 0
expect 1 nova conf --numa required
said "--numa"
expect 0 nova plan --net storage --node 1 --json
is "as JSON" direct "$(jq -r .vnic_type "$work/out")"
# all of them taken, or none usable
expect 0 pool set ens2f0 all sriovctl
plan normal --net storage
expect 0 pool set ens2f0 2-9 nova
edit_host '(.pfs[] | select(.netdev == "ens2f0")) |= (.up = false | .carrier = false)'
plan normal --net storage
showed "down"
edit_host '(.pfs[] | select(.netdev == "ens2f0")).up = true'

# ---- the examples, against stand-ins for ssh and openstack ----

mkdir "$work/bin"
cat >"$work/bin/ssh" <<END
#!/bin/sh
shift
[ "\$1" = sriovctl ] && shift && exec "$tool" "\$@"
END
# $work/broken: what fails, by its first words; $work/lost: a server with a VF does
cat >"$work/bin/openstack" <<END
#!/bin/sh
echo "openstack \$*" >>"$work/asked"
case "\$*" in
"\$(cat "$work/broken")"*)
	echo "not today" >&2
	exit 1
	;;
"port create"*) echo port-of-\$6 ;;
"server create"*) echo server-with-\$4 ;;
"server show"*port-of-direct) [ ! -e "$work/lost" ] && echo ACTIVE || echo ERROR ;;
"server show"*) echo ACTIVE ;;
esac
END
chmod +x "$work/bin/ssh" "$work/bin/openstack"
# asked STATUS [BROKEN]
asked() {
	: >"$work/asked"
	echo "${2-nothing}" >"$work/broken"
	status=0 command=port-or-normal.sh
	PATH=$work/bin:$PATH "$repo/examples/nova/port-or-normal.sh" compute1 net1 storage web --flavor m1 >"$work/out" 2>"$work/err" || status=$?
	is "status of the script" "$1" "$status"
}
asked 0
has "direct" "$(cat "$work/asked")" "server create --port port-of-direct -f value -c id --flavor m1 web"
is "nothing is deleted" 0 "$(grep -c delete "$work/asked" || true)"
: >"$work/lost"
asked 0
has "the VF was lost" "$(cat "$work/asked")" "server create --port port-of-normal -f value -c id --flavor m1 web"
is "what is deleted" "openstack server delete --wait server-with-port-of-direct openstack port delete port-of-direct" \
	"$(grep delete "$work/asked" | tr '\n' ' ' | sed 's/ $//')"
# another server may be called so: nothing is deleted that was not made here
asked 1 'port create'
said "no direct port could be created"
is "nothing is deleted, nothing tried" 1 "$(wc -l <"$work/asked")"
asked 1 'server create'
said "the server could not be created"
is "what is deleted" "openstack port delete port-of-direct" "$(grep delete "$work/asked")"
rm "$work/lost"
expect 0 pool set ens2f0 all sriovctl
asked 0
is "no VF: no direct port" 0 "$(grep -c 'vnic-type direct' "$work/asked" || true)"
[ ! -x /usr/bin/python3 ] || PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 - "$repo/examples/nova" <<'END' || fail "legacy_hook.py"
import sys
sys.path.insert(0, sys.argv[1])
import legacy_hook
legacy_hook.COMMAND = ("/bin/echo", "told")
legacy_hook.BuildInstance().pre(None)
legacy_hook.COMMAND = ("/nonexistent",)
legacy_hook.BuildInstance().pre(None)
legacy_hook.BuildInstance().post(None)
END
passed
expect 0 pool set ens2f0 2-9 nova

# ---- what Nova reads ----

need python3-nova >"$work/install" 2>&1 || skip "Nova cannot be installed: $(tail -n 1 "$work/install")"
with /usr/bin/python3
cat >"$work/read.py" <<'END'
import json
import sys
import warnings

warnings.simplefilter("ignore")
import nova.conf
from nova.pci import request, whitelist

conf = nova.conf.CONF
conf(["--config-file", sys.argv[1]], project="nova", default_config_files=[sys.argv[1]])
specs = whitelist.Whitelist(conf.pci.device_spec)
for address, product in (line.split() for line in sys.stdin):
    device = {"address": address, "vendor_id": "8086", "product_id": product, "dev_type": "type-VF",
              "parent_addr": address[:-4] + "00.0", "capabilities": {}}
    spec = next((s for s in specs.specs if s.match(device)), None)
    print(address, json.dumps(spec.get_tags() if spec else None, sort_keys=True))
for name, (policy, specs) in sorted(request._get_alias_from_config().items()):
    print(name, policy, json.dumps(specs, sort_keys=True))
print("physnets", *conf.neutron.physnets)
END
expect 0 nova conf
cp "$work/out" "$work/nova.conf"
jq -r '.pfs[] | (if .netdev == "ens2f0" then "10ed" else "154c" end) as $id | "\(.address) \($id)", (.vf[]? | "\(.address) \($id)")' "$host" >"$work/devices"
/usr/bin/python3 "$work/read.py" "$work/nova.conf" <"$work/devices" >"$work/read" 2>"$work/errors" || fail "Nova does not read it: $(tail -n 3 "$work/errors")"
wanted=$(jq -r '.pfs[] | select(.netdev == "ens2f0") | .vf[2:10][].address' "$host" && jq -r '.pfs[] | select(.netdev == "ens1f0") | .vf[0:2][].address' "$host")
same "devices that are Nova's" "$(sort <<<"$wanted")" "$(grep '^0000' "$work/read" | grep -v null | cut -d ' ' -f 1 | sort)"
is "tags" '{"physical_network": "storage"} {"trusted": "true"}' "$(grep '^0000' "$work/read" | grep -v null | cut -d ' ' -f 2- | sort -u | tr '\n' ' ' | sed 's/ $//')"
is "the alias" 'vf-154c preferred [{"dev_type": "type-VF", "product_id": "154c", "vendor_id": "8086"}]' "$(grep ^vf- "$work/read")"
is "networks with nodes" "physnets storage" "$(grep ^physnets "$work/read")"
expect 0 nova conf --nova-release yoga
cp "$work/out" "$work/nova.conf"
/usr/bin/python3 "$work/read.py" "$work/nova.conf" <"$work/devices" >"$work/old" 2>"$work/errors" || fail "Nova does not read it: $(tail -n 3 "$work/errors")"
same "by the old name" "$(cat "$work/read")" "$(cat "$work/old")"
