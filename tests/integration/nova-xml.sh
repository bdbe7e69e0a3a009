#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The device XML of every path, as libvirt's own validator and OpenStack Nova's own parser read it: the golden texts of
# the unit tests are what both are given.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
need python3-nova libvirt-clients >"$work/install" 2>&1 || skip "Nova cannot be installed: $(tail -n 1 "$work/install")"
with /usr/bin/python3 virt-xml-validate

devices=$repo/tests/unit/devices

# each file as "NAME what Nova understands of it", leaving out what is null
cat >"$work/read.py" <<'END'
import json
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
from nova.virt.libvirt import config


def read(text):
    if text.startswith("<hostdev"):
        device = config.LibvirtConfigGuestHostdevPCI()
        device.parse_str(text)
        return {"type": device.type, "mode": device.mode, "managed": device.managed,
                "address": ".".join([device.domain, device.bus, device.slot, device.function])}
    device = config.LibvirtConfigGuestInterface()
    device.parse_str(text)
    return {"type": device.net_type, "mac": device.mac_addr, "source": device.source_dev, "vlan": device.vlan,
            "model": device.model, "queues": device.vhost_queues, "mode": device.vhostuser_mode,
            "path": device.vhostuser_path, "limit": device.vif_outbound_average}


for path in sorted(pathlib.Path(sys.argv[1]).glob("*.xml")):
    known = {key: str(value) for key, value in read(path.read_text()).items() if value is not None}
    print(path.stem, json.dumps(known, sort_keys=True))
END
/usr/bin/python3 "$work/read.py" "$devices" >"$work/read" 2>"$work/errors" || fail "Nova does not read them: $(tail -n 3 "$work/errors")"
same "what Nova reads" "$(cat <<'END'
hostdev-transient {"address": "0x0000.0x81.0x10.0x6", "managed": "yes", "mode": "subsystem", "type": "pci"}
hostdev {"address": "0x0000.0x81.0x10.0x6", "managed": "yes", "mode": "subsystem", "type": "pci"}
macvtap-bridge {"mac": "52:54:00:12:34:56", "model": "virtio", "queues": "8", "source": "ens2f0", "type": "direct"}
macvtap-limited {"limit": "125", "mac": "52:54:00:12:34:56", "model": "virtio", "queues": "2", "source": "ens2f0", "type": "direct"}
macvtap-passthrough {"mac": "52:54:00:12:34:56", "model": "virtio", "source": "ens2f0", "type": "direct"}
macvtap-private {"mac": "52:54:00:12:34:56", "model": "virtio", "source": "ens2f0", "type": "direct"}
macvtap-vepa {"mac": "52:54:00:12:34:56", "model": "virtio", "source": "ens2f0", "type": "direct"}
tap-limited {"limit": "2500", "mac": "52:54:00:12:34:56", "model": "virtio", "source": "br0", "type": "bridge"}
tap-persistent {"mac": "52:54:00:12:34:56", "model": "virtio", "source": "br0", "type": "bridge"}
tap-queues {"mac": "52:54:00:12:34:56", "model": "virtio", "queues": "256", "source": "br0", "type": "bridge"}
tap {"mac": "52:54:00:12:34:56", "model": "virtio", "source": "br0", "type": "bridge"}
vf-transient {"mac": "52:54:00:12:34:56", "source": "0000:81:10.6", "type": "hostdev", "vlan": "4094"}
vf-untagged {"mac": "52:54:00:12:34:56", "source": "0000:81:10.6", "type": "hostdev"}
vf {"mac": "52:54:00:12:34:56", "source": "0000:81:10.6", "type": "hostdev", "vlan": "101"}
vhostuser-persistent {"mac": "52:54:00:12:34:56", "mode": "server", "model": "virtio", "path": "/run/openvswitch/vhu-web1-0", "queues": "2", "type": "vhostuser"}
vhostuser-plain {"mac": "52:54:00:12:34:56", "mode": "server", "model": "virtio", "path": "/run/openvswitch/vhu-web1-0", "type": "vhostuser"}
vhostuser {"mac": "52:54:00:12:34:56", "mode": "server", "model": "virtio", "path": "/run/openvswitch/vhu-web1-0", "queues": "4", "type": "vhostuser"}
END
)" "$(cat "$work/read")"

count=0
for file in "$devices"/*.xml; do
	count=$((count + 1))
	{ printf '<domain type="kvm"><name>x</name><memory>1</memory><os><type>hvm</type></os><devices>'
		cat "$file" && printf '</devices></domain>'; } >"$work/domain.xml"
	virt-xml-validate "$work/domain.xml" domain >"$work/validate" 2>&1 || fail "$file is not valid: $(cat "$work/validate")"
	passed
done
is "devices that Nova read" "$count" "$(wc -l <"$work/read")"
