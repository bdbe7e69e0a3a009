# shellcheck shell=bash
# hook: libvirtd starts and stops a guest with a VF through the hook: trust, spoofchk, rate and rules are in the kernel
# while it runs, and given back after; what the hook refuses does not start.
. /share/cases/lib.sh
t "the PF is up and has a link" pf_up
dev=$(pf)
exits 0 "4 VFs" s vf create "$dev" --count 4 --mac auto --driver default
exits 0 "what guests on VF 1 shall have" s vf set "$dev" 1 --trust on --spoofchk off --max-rate 500
exits 0 "a rule of the port's own" s flow add "$dev" --name keep udp4 dst-port 53 vf 0
t "the link is back" pf_up
# what the kernel has before a guest comes
ip link set "$dev" vf 1 trust off
ip link set "$dev" vf 1 spoofchk on
t "no rate" ip link set "$dev" vf 1 max_tx_rate 0
before=$(vf_line 1)
_comment "$before"

mkdir -p /etc/libvirt/hooks/qemu.d /etc/sriovctl/guests.d
chmod 755 /etc/sriovctl /etc/sriovctl/guests.d
echo "udp4 dst-port 4789 guest self" >/etc/sriovctl/guests.d/hooked.flows
cat >/etc/libvirt/hooks/qemu.d/50-sriovctl <<'END'
#!/bin/sh
echo "$2" >>/tmp/called
exec /tmp/sriovctl hook libvirt -- "$@"
END
chmod +x /etc/libvirt/hooks/qemu.d/50-sriovctl
t "libvirtd answers" start_libvirtd

address=$(s vf list "$dev" --json | jq -r '[.. | objects | select(.index? == 1 and .address?)][0].address')
IFS=:. read -r _ bus slot function <<<"$address"
small_domain hooked | sed -e 's/>128</>64</' -e "s#</devices>#<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:11'/><source><address type='pci' domain='0x0000' bus='0x$bus' slot='0x$slot' function='0x$function'/></source><vlan><tag id='101'/></vlan></interface></devices>#" >/tmp/hooked.xml
t "define" virsh -q define /tmp/hooked.xml
rule_count() { s flow list "$dev" --json | jq '[.. | objects | select(.installed? == true)] | length'; }
called() { is "$(tr '\n' ' ' </tmp/called | sed 's/ $//')" "$1" "libvirt called $1" && : >/tmp/called; }

exits 0 "the guest starts" virsh -q start hooked --paused
called "prepare start started"
like "$(vf_line 1)" "52:54:00:00:00:11" "MAC, by libvirt"
like "$(vf_line 1)" "vlan 101" "VLAN, by libvirt"
like "$(vf_line 1)" "trust on" "trust, by the hook"
like "$(vf_line 1)" "spoof checking off" "spoofchk"
like "$(vf_line 1)" "max_tx_rate 500Mbps" "the rate"
_comment "$(vf_line 1)"
is "$(vf_driver 1)" vfio-pci "the VF is on vfio-pci"
is "$(rule_count)" 2 "the guest's rule is in the NIC"
like "$(ethtool -n "$dev" 2>&1)" "4789" "as ethtool sees it"
is "$(s guest list --json | jq -r '.leases[0] | .guest + " " + .state')" "hooked adopted" "the lease"
exits 3 "the VF is the guest's" s vf set "$dev" 1 --trust off
exits 0 "it stops" virsh -q destroy hooked
called "stopped release"
is "$(vf_line 1)" "$before" "the VF is as it was"
is "$(rule_count)" 1 "the guest's rule is out"
is "$(s guest list --json | jq '.leases | length')" 0 "no lease"

# ---- refused
echo "udp4 dst-port 99999 guest self" >/etc/sriovctl/guests.d/hooked.flows
exits 1 "a hook that fails stops the start" virsh -q start hooked --paused
like "$out" "hooked.flows:1" "and says why"
called "prepare start stopped release"
is "$(virsh domstate hooked | head -n 1)" "shut off" "it does not run"
is "$(vf_line 1)" "$before" "the VF is as it was"
is "$(s guest list --json | jq '.leases | length')" 0 "no lease"
is "$(s journal show --json | jq '[.. | objects | select(.open? == true)] | length')" 0 "no journal is open"

# ---- the VF is libvirt's choice: of a network that is the port's pool
echo "udp4 dst-port 4790 guest self" >/etc/sriovctl/guests.d/pooled.flows
echo "<network><name>pool</name><forward mode='hostdev' managed='yes'><pf dev='$dev'/></forward></network>" >/tmp/pool.xml
t "a libvirt network of VFs" virsh -q net-define /tmp/pool.xml
t "it is up" virsh -q net-start pool
small_domain pooled | sed -e 's/>128</>64</' -e "s#</devices>#<interface type='network'><mac address='52:54:00:00:00:12'/><source network='pool'/></interface></devices>#" >/tmp/pooled.xml
t "define" virsh -q define /tmp/pooled.xml
: >/tmp/called
exits 0 "it starts" virsh -q start pooled --paused
called "prepare start started"
is "$(s guest list --json | jq -r '.leases[0] | .guest + " " + .state')" "pooled adopted" "the lease of the VF that libvirt chose"
vf=$(s guest list --json | jq -r '.leases[0].vf')
like "$(vf_line "$vf")" "52:54:00:00:00:12" "its MAC, by libvirt"
like "$(ethtool -n "$dev" 2>&1)" "4790" "its rule is in the NIC"
exits 0 "it stops" virsh -q destroy pooled
is "$(s guest list --json | jq '.leases | length')" 0 "no lease"
is "$(rule_count)" 1 "its rule is out"
virsh -q net-destroy pool

# ---- many rules: the hook's start with them, without, `flow apply` of the same, and a bare loop of the same ioctls, by turns
cp /share/bare-flow /share/nfccalls.so /tmp/
/tmp/bare-flow rules 100 | sed 's/queue .*/vf 1/' >/tmp/list.rules
sed 's/vf 1/guest self/' /tmp/list.rules >/tmp/guest.flows
virsh dumpxml --inactive hooked >/tmp/domain.xml
hook() { /tmp/sriovctl hook libvirt -- hooked "$1" begin - </tmp/domain.xml; }
timed() {
	local began=$EPOCHREALTIME
	"$@" >/tmp/out 2>&1 || t "$*: $(cat /tmp/out)" false
	echo $((${EPOCHREALTIME/./} - ${began/./}))
}
# kernel WHAT COMMAND…: the microseconds from the first of its ioctls about rules to the last go to /tmp/kernel-WHAT
kernel() {
	NFCCALLS=/tmp/calls LD_PRELOAD=/tmp/nfccalls.so "${@:2}" >/tmp/out 2>&1 || t "$*: $(cat /tmp/out)" false
	tail -n 1 /tmp/calls | sed 's/.*kernel_us=//' >>"/tmp/kernel-$1"
}
lives() {
	hook prepare
	"$@"
	hook stopped
	hook release
}
flows=/etc/sriovctl/guests.d/hooked.flows
for round in 1 2 3 4 5; do
	timed s flow apply /tmp/list.rules --pf "$dev" >>/tmp/apply
	s flow delete "$dev" --all >/tmp/out 2>&1
	rm -f $flows
	lives timed hook start >>/tmp/without
	cp /tmp/guest.flows $flows
	lives timed hook start >>/tmp/start
	lives kernel hook hook start
	kernel bare /tmp/bare-flow "$dev" 100 1
	is "$(rules)" 100 "round $round, bare: they are in"
	/tmp/bare-flow "$dev" clear
done
is "$(rule_count)" 0 "and out"
_comment "100 rules, us: start $(paste -sd ' ' /tmp/start), without rules $(paste -sd ' ' /tmp/without), flow apply $(paste -sd ' ' /tmp/apply)"
_comment "first to last ioctl, us: hook $(paste -sd ' ' /tmp/kernel-hook), bare $(paste -sd ' ' /tmp/kernel-bare)"
echo "figure: hook, start with 100 rules, ixgbe (emulated), medians: $(($(median /tmp/start) - $(median /tmp/without))) us more than without; first to last ioctl $(median /tmp/kernel-hook) us, of the bare loop $(median /tmp/kernel-bare) us; the least ratio of a round $(times_ratio /tmp/kernel-hook /tmp/kernel-bare)"
at_most "$(times_ratio /tmp/start /tmp/apply)" 2 "start beside flow apply"
t "it starts with them" virsh -q start hooked --paused
t "and stops" virsh -q destroy hooked
is "$(rule_count)" 0 "they are out"
