#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The hook under a real libvirtd with a real QEMU (TCG). The guest has no VF, for there is none here: between libvirt and
# the command the hook's script puts one of the simulated host into what libvirt says. Everything else is libvirt's own:
# when it calls, what it does with a refusal, a restart of the daemon under a running guest.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
# shellcheck source=tests/libvirtd.sh
. "$repo/tests/libvirtd.sh"
tool=$release

new_host
expect 0 vf create ens2f0 --count 4 --mac auto
let_land
expect 0 vf set ens2f0 1 --trust on
edit_host '(.pfs[] | select(.netdev == "ens2f0") | .vf[1].attrs.trust) = false'
mkdir -m 755 "$work/guests.d"
mkdir -p /etc/libvirt/hooks/qemu.d
echo "udp4 dst-port 4789 guest self" >"$work/guests.d/web1.flows"
trust() { pf_of ens2f0 '.vf[1].attrs.trust'; }
table() { pf_of ens2f0 '[.rules[]? | .loc] | length'; }
leases() { query 'SELECT count(*) FROM lease'; }

cat >"$work/vf.xml" <<'END'
<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:0a'/><source><address type='pci' domain='0x0000' bus='0x81' slot='0x10' function='0x2'/></source></interface>
END
# The script as it is shipped, between two lines of the test's own.
cat >"$work/hook" <<END
#!/bin/sh
echo "\$2" >>"$work/called"
case \$2 in migrate | restore) vf= ;; *) vf=\$(cat "$work/vf.xml") ;; esac
sed "s|</devices>|\$vf</devices>|" |
	SRIOVCTL_HOST="$host" "$tool" hook libvirt --rules-dir "$work/guests.d" \$(cat "$work/policy") -- "\$@"
END
: >"$work/policy"
chmod +x "$work/hook"
cat >"$work/web1.xml" <<END
<domain type="qemu"><name>web1</name><uuid>$(uuid 1)</uuid><memory unit="MiB">32</memory><vcpu>1</vcpu>
<os><type arch="x86_64" machine="q35">hvm</type></os><features><acpi/></features>
<devices><emulator>$(command -v qemu-system-x86_64)</emulator></devices></domain>
END
start_daemon
virsh define "$work/web1.xml" >"$work/out"
# a first hook is seen after a reload
cp "$work/hook" /etc/libvirt/hooks/qemu.d/50-sriovctl
kill -HUP "$(cat "$lib/pid")"
sleep 5

# libvirtd answers before it has called the hook of a guest that runs
was_called() { until_true 60 test -s "$work/called"; }

called() {
	is "what libvirt called" "$*" "$(tr '\n' ' ' <"$work/called" | sed 's/ $//')"
	: >"$work/called"
}

# ---- a life ----

: >"$work/called"
virsh start web1 >"$work/out" 2>&1 || fail "start: $(cat "$work/out")"
called prepare start started
is "trust while it runs" true "$(trust)"
is "rules" 1 "$(table)"
is "the lease" "web1|adopted" "$(query 'SELECT guest, state FROM lease')"

# ---- libvirtd goes and comes: the guest stays ----

kill "$(cat "$lib/pid")"
wait "$daemon" || true
edit_host '(.pfs[] | select(.netdev == "ens2f0")).rules = []'
start_daemon
was_called
is "the guest" running "$(virsh domstate web1)"
called reconnect
is "the rule is back" 1 "$(table)"
# also where the hook can do nothing
kill "$(cat "$lib/pid")"
wait "$daemon" || true
mv "$host" "$host.away"
start_daemon
was_called
is "the guest, without a host to work on" running "$(virsh domstate web1)"
mv "$host.away" "$host"
: >"$work/called"

# ---- saved and restored ----

virsh managedsave web1 >"$work/out" 2>&1 || fail "managedsave: $(cat "$work/out")"
called stopped release
is "trust" false "$(trust)"
is "rules" 0 "$(table)"
is "leases" 0 "$(leases)"
virsh start web1 >"$work/out" 2>&1 || fail "restore: $(cat "$work/out")"
called restore prepare start started
is "rules" 1 "$(table)"
virsh destroy web1 >"$work/out" 2>&1
called stopped release
is "rules" 0 "$(table)"
is "leases" 0 "$(leases)"

# ---- refused: by us, and by a hook behind ours ----

sed -i 's|<memory unit|<numatune><memory mode="strict" nodeset="0"/></numatune>&|' "$work/web1.xml"
virsh define "$work/web1.xml" >"$work/out"
: >"$work/called"
echo "--numa-policy enforce" >"$work/policy"
status=0
virsh start web1 >"$work/out" 2>&1 || status=$?
[ "$status" != 0 ] || fail "the start was not refused"
has "what virsh says" "$(cat "$work/out")" "it is bound to node 0, and its VF 1 of ens2f0 is on node 1"
called prepare stopped release
is "leases" 0 "$(leases)"
: >"$work/policy"
echo "udp4 dst-port 99999 guest self" >"$work/guests.d/web1.flows"
status=0
virsh start web1 >"$work/out" 2>&1 || status=$?
[ "$status" != 0 ] || fail "the start was not refused"
has "what virsh says" "$(cat "$work/out")" "web1.flows:1"
called prepare start stopped release
is "leases" 0 "$(leases)"
echo "udp4 dst-port 4789 guest self" >"$work/guests.d/web1.flows"
printf '#!/bin/sh\n[ "$2" != start ]\n' >/etc/libvirt/hooks/qemu.d/60-other
chmod +x /etc/libvirt/hooks/qemu.d/60-other
status=0
virsh start web1 >"$work/out" 2>&1 || status=$?
[ "$status" != 0 ] || fail "the other hook did not refuse"
called prepare start stopped release
is "rules" 0 "$(table)"
is "trust" false "$(trust)"
is "leases" 0 "$(leases)"
over
