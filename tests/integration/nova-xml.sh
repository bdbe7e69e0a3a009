#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The device XML of every path, as libvirt's own validator and OpenStack Nova's own parser read it: the golden texts of
# the unit tests are what both are given.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
need python3-nova libvirt-clients >"$work/install" 2>&1 || skip "Nova cannot be installed: $(tail -n 1 "$work/install")"
with python3 virt-xml-validate jq

cat >"$work/nova.py" <<'END'
import json
import sys
import warnings

warnings.simplefilter("ignore")
from nova.virt.libvirt import config

text = open(sys.argv[1]).read()
if text.startswith("<hostdev"):
    device = config.LibvirtConfigGuestHostdevPCI()
    device.parse_str(text)
    print(json.dumps({"type": device.type, "mode": device.mode, "managed": device.managed,
                      "address": [device.domain, device.bus, device.slot, device.function]}))
else:
    device = config.LibvirtConfigGuestInterface()
    device.parse_str(text)
    print(json.dumps({"type": device.net_type, "mac": device.mac_addr, "source": device.source_dev, "vlan": device.vlan,
                      "model": device.model, "queues": device.vhost_queues,
                      "vhostuser": [device.vhostuser_mode, device.vhostuser_path]}))
END

# what Nova understands of NAME, each member that is not null: what the device was made of
understood() {
	python3 "$work/nova.py" "$repo/tests/unit/devices/$1.xml" 2>"$work/nova.err" |
		jq -Sc 'del(.[] | select(. == null or . == [null, null]))'
}
while read -r name expected; do
	same "Nova reads $name" "$(jq -Sc . <<<"$expected")" "$(understood "$name" || cat "$work/nova.err")"
done <<'END'
vf {"type":"hostdev","mac":"52:54:00:12:34:56","source":"0000:81:10.6","vlan":"101"}
vf-untagged {"type":"hostdev","mac":"52:54:00:12:34:56","source":"0000:81:10.6"}
vf-transient {"type":"hostdev","mac":"52:54:00:12:34:56","source":"0000:81:10.6","vlan":"4094"}
hostdev {"type":"pci","mode":"subsystem","managed":"yes","address":["0x0000","0x81","0x10","0x6"]}
hostdev-transient {"type":"pci","mode":"subsystem","managed":"yes","address":["0x0000","0x81","0x10","0x6"]}
vhostuser {"type":"vhostuser","mac":"52:54:00:12:34:56","model":"virtio","queues":"4","vhostuser":["server","/run/openvswitch/vhu-web1-0"]}
END

count=0
for file in "$repo"/tests/unit/devices/*.xml; do
	count=$((count + 1))
	{ printf '<domain type="kvm"><name>x</name><memory>1</memory><os><type>hvm</type></os><devices>'
		cat "$file" && printf '</devices></domain>'; } >"$work/domain.xml"
	virt-xml-validate "$work/domain.xml" domain >"$work/validate" 2>&1 || fail "$file is not valid: $(cat "$work/validate")"
	passed
	[ -n "$(understood "$(basename "$file" .xml)")" ] || fail "Nova does not read $file: $(cat "$work/nova.err")"
	passed
done
between "shapes" 15 100 "$count"
