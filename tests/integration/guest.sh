#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Guests get a VF on the right node, keep it, and give it back; the XML is what libvirt takes.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# valid KIND: libvirt's own schema for the last output; the interface alone is put into a domain.
valid() {
	command -v virt-xml-validate >/dev/null || return 0
	if [ "$1" = interface ]; then
		{ printf '<domain type="kvm"><name>x</name><memory>1</memory><os><type>hvm</type></os><devices>'
			out && printf '</devices></domain>'; } >"$work/domain.xml"
	else
		out >"$work/domain.xml"
	fi
	virt-xml-validate "$work/domain.xml" domain >"$work/validate" 2>&1 || fail "not valid: $(cat "$work/validate")"
	checks=$((checks + 1))
}
# lease GUEST: PF VF STATE of it
lease() { query "SELECT pf, vf, state FROM lease WHERE guest = '$1'"; }

new_host
expect 0 vf create ens1f0 --count 2 --mac auto --driver vfio-pci
expect 0 vf create ens2f0 --count 2 --mac auto --vlan 100
let_land

# ---- on a node, and the same VF again ----
before=$(cat "$host")
expect 0 guest xml web1 --node 1 --dry-run
has "the reason" "$(err)" "dry run: nothing was leased"
is "leases" 0 "$(query 'SELECT count(*) FROM lease')"
expect 0 guest xml web1 --node 1
valid interface
showed '<interface type="hostdev" managed="yes">' 'bus="0x81"' '<tag id="100"/>' \
	"$(pf_of ens2f0 '.vf[0].attrs.mac')"
has "the reason" "$(err)" "node 1: free VF 0 of 2 on 0000:81:00.0 (ens2f0)"
is "lease" "0000:81:00.0|0|reserved" "$(lease web1)"
first=$(out)
expect 0 guest xml web1 --node 1
same "the same XML" "$first" "$(out)"
has "the reason" "$(err)" "held by lease 1"
expect 0 guest xml web1
same "the same XML" "$first" "$(out)"
expect 1 guest xml web1 --node 0
said "holds VF 0 of" "guest detach"
expect 0 guest xml db1 --node 0
valid interface
showed 'bus="0x3b"'
is "lease" "0000:3b:00.0|0|reserved" "$(lease db1)"
expect 0 guest xml db2 --pf ens1f0
is "lease" "0000:3b:00.0|1|reserved" "$(lease db2)"
same "leases change nothing in the kernel" "$before" "$(cat "$host")"

# ---- into a domain: its node decides, what it says is kept ----
cat >"$work/app1.xml" <<'XML'
<domain type="kvm">
  <name>app1</name>
  <uuid>0c4a51ad-6a07-4ba4-9a6d-6d4b54b1a8a5</uuid>
  <description>kept as it is</description>
  <memory unit="GiB">4</memory>
  <vcpu>2</vcpu>
  <numatune><memory mode="strict" nodeset="1"/></numatune>
  <os><type arch="x86_64" machine="q35">hvm</type></os>
  <devices><serial type="pty"/></devices>
</domain>
XML
expect 0 guest xml app1 --domain "$work/app1.xml"
valid domain
showed 'bus="0x81"' '<numatune>' '<vcpupin vcpu="1"' 'kept as it is' '<serial type="pty"'
is "lease" "0000:81:00.0|1|reserved" "$(lease app1)"
is "its UUID" 0c4a51ad-6a07-4ba4-9a6d-6d4b54b1a8a5 "$(query "SELECT uuid FROM lease WHERE guest = 'app1'")"
out >"$work/merged.xml"
expect 0 guest xml app1 --domain "$work/merged.xml"
same "merging twice changes nothing" "$(cat "$work/merged.xml")" "$(out)"
expect 1 guest xml app1 --domain "$work/app1.xml" --node 0
said "bound to node 1, but node 0 is wanted"
expect 1 guest xml other --domain "$work/app1.xml"
said "the domain's name is 'app1'"
sed 's/0c4a51ad/1c4a51ad/' "$work/app1.xml" >"$work/copy.xml"
expect 1 guest xml app1 --domain "$work/copy.xml"
said "belongs to the domain with UUID 0c4a51ad"
for broken in '' '<domain>' '<network><name>app1</name></network>' \
	'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><domain><name>&e;</name></domain>'; do
	printf '%s' "$broken" >"$work/broken.xml"
	expect 1 guest xml app2 --domain "$work/broken.xml"
done

# ---- none free: who has them, and what to do ----
expect 1 guest xml web9 --node 1
said "no free VF on node 1" "none of 2 free" "guest web1" "guest app1" "guest detach"
expect 1 guest xml web9
said "no free VF" "eno1"
is "leases" 4 "$(query 'SELECT count(*) FROM lease')"
expect 0 guest list --json
is "guests" 'web1 db1 db2 app1' "$(jq -r '[.leases[].guest] | join(" ")' "$work/out")"
expect 0 guest list
showed "web1" "0000:81:10.0" "reserved"
expect 0 vf list ens2f0
showed "guest web1"

# ---- given back ----
expect 0 guest detach web1 --dry-run
is "leases" 4 "$(query 'SELECT count(*) FROM lease')"
expect 0 guest detach web1
is "leases" 3 "$(query 'SELECT count(*) FROM lease')"
expect 0 guest detach web1
showed "nothing to do" "no guest of that name holds a lease"
expect 0 guest detach wap1
showed "did you mean 'app1'?"
expect 0 guest xml web9 --node 1
is "lease" "0000:81:00.0|0|reserved" "$(lease web9)"

# ---- who else uses a VF ----
new_host
expect 0 vf create ens2f0 --count 4 --mac auto
let_land
edit_host '.domains = [{"name": "db1", "state": "running", "vfs": ["0000:81:10.0"]},
		{"name": "old1", "state": "defined", "vfs": ["0000:81:10.2"]}]
	| (.pfs[] | select(.netdev == "ens2f0") | .vf[2].up) = true'
expect 0 guest xml web1
is "the only free VF" "0000:81:00.0|3|reserved" "$(lease web1)"
# VFs of another pool are not given away
new_host
expect 0 vf create ens2f0 --count 2 --mac auto --pool nova
expect 1 guest xml web1
said "nova"
expect 0 vf create ens2f0 --count 2 --pool sriovctl
expect 0 guest xml web1

# ---- a lease of VFs that are gone ----
expect 0 vf delete ens2f0 --force
is "leases go with VFs deleted by force" 0 "$(query 'SELECT count(*) FROM lease')"
