# shellcheck shell=bash
# guests: eight guests on eight VFs through libvirtd, by `guest attach`; what they have, what is refused while they run,
# a libvirtd that goes away in the middle, two guests that want one VF, and everything given back.
. /share/cases/lib.sh
t "the PF is up and has a link" pf_up
dev=$(pf)
exits 0 "8 VFs" s vf create "$dev" --count 8 --mac auto --driver default
before=$(port)
t "libvirtd answers" start_libvirtd

# guest_domain NAME: with two spare root ports, for what is attached while it runs
guest_domain() {
	local root="<controller type='pci' index='0' model='pcie-root'/>" ports
	ports="<controller type='pci' index='1' model='pcie-root-port'/><controller type='pci' index='2' model='pcie-root-port'/>"
	small_domain "$1" | sed -e 's/>128</>64</' -e "s#<devices>#<devices>$root$ports#"
}
vf_of() { s guest list --json | jq -r --arg g "$1" '.leases[] | select(.guest == $g) | .vf'; }
state_of() { s guest list --json | jq -r --arg g "$1" '.leases[] | select(.guest == $g) | .state'; }
leases() { s guest list --json | jq '.leases | length'; }

# ---- stopped guests get theirs into the definition, and start with it
for i in 1 2 3 4 5 6 7; do
	guest_domain "vm$i" >"/tmp/vm$i.xml"
	virsh -q define "/tmp/vm$i.xml" || t "define vm$i" false
	s guest attach "vm$i" --numa required --vlan "$((100 + i))" --trust on >"/tmp/out.$i" 2>&1 ||
		t "attach vm$i: $(cat "/tmp/out.$i")" false
done
is "$(leases)" 7 "7 guests hold a VF"
is "$(s guest list --json | jq '[.leases[].vf] | unique | length')" 7 "none of them the same"
is "$(s guest list --json | jq -c '[.leases[].node] | unique')" "[1]" "all on the NIC's node"
like "$(cat /tmp/out.1)" "node 1: free VF" "the reason names the node"
# started GUEST: paused. i40e answers EAGAIN while a VF is in reset, and libvirt asks once
started() {
	local said
	for _ in 1 2 3 4 5; do
		said=$(virsh -q start "$1" --paused 2>&1) && return
		[[ $said == *'temporarily unavailable'* ]] || break
		sleep 1
	done
	echo "$said"
	return 1
}
for i in 1 2 3 4 5 6 7; do started "vm$i" || t "start vm$i" false; done
is "$(for v in 0 1 2 3 4 5 6 7; do vf_driver $v; done | grep -c vfio-pci)" 7 "their VFs are on vfio-pci"
for i in 1 7; do
	v=$(vf_of "vm$i")
	like "$(vf_line "$v")" "vlan $((100 + i)),.*trust on" "VF $v of vm$i has its VLAN and trust"
	mac=$(virsh dumpxml "vm$i" | grep -o "mac address='[^']*'" | head -n 1 | cut -d"'" -f2)
	like "$(vf_line "$v")" "$mac" "and the MAC of its domain"
done
is "$(state_of vm1)" active "the lease is active"

# ---- a running one gets its own while it runs
guest_domain vm8 >/tmp/vm8.xml
t "define vm8" virsh -q define /tmp/vm8.xml
t "start vm8 --paused" started vm8
exits 0 "attach to the running vm8" s guest attach vm8
is "$(vf_driver "$(vf_of vm8)")" vfio-pci "its VF is on vfio-pci"
like "$(virsh dumpxml vm8)" "<interface type='hostdev'" "the running guest has it"
like "$(virsh dumpxml --inactive vm8)" "<interface type='hostdev'" "and its definition"
exits 0 "asked again, there is nothing to do" s guest attach vm8
like "$out" "nothing to do" "it says so"
guest_domain vm9 >/tmp/vm9.xml
t "define vm9" virsh -q define /tmp/vm9.xml
exits 1 "a ninth finds none" s guest attach vm9
like "$out" "none of 8 free" "and is told who has them"

# ---- what would hurt a running guest is refused, naming it
v=$(vf_of vm1)
for command in "vf delete $dev" "vf bind $dev $v --driver default" "vf set $dev $v --trust off" "pool set $dev $v nova"; do
	# shellcheck disable=SC2086
	exits 3 "refused: $command" s $command
	like "$out" "vm1" "it names vm1"
done

# ---- a paused guest does not answer: told, and nothing is lost
exits 1 "vm8 does not let go" s guest detach vm8 --guest-timeout 3
like "$out" "does not let go" "it says so"
is "$(state_of vm8)" active "the lease stands"
t "destroy vm8" virsh -q destroy vm8
exits 0 "then it can be detached" s guest detach vm8
t_not "the definition is without it" grep -q hostdev <<<"$(virsh dumpxml --inactive vm8)"

# ---- libvirtd killed in the middle of an attach: named, and the next change settles it
pid=$(cat /run/libvirt/libvirtd.pid 2>/dev/null || cat /run/libvirtd.pid)
kill -STOP "$pid"
s guest attach vm8 >/tmp/out 2>&1 &
job=$!
sleep 2
kill -9 "$pid"
rc=0
wait $job || rc=$?
t "the attach failed ($rc)" test "$rc" != 0
like "$(cat /tmp/out)" "libvirt" "naming libvirt"
_comment "$(tail -n 3 /tmp/out)"
rm -f /run/libvirt/libvirtd.pid /run/libvirtd.pid
t "libvirtd is back" start_libvirtd
is "$(s journal show --json | jq '[.. | objects | select(.open? == true)] | length')" 0 "no journal is open"
exits 0 "the same again" s guest attach vm8
is "$(leases)" 8 "8 leases, none twice"
is "$(s guest list --json | jq '[.leases[].vf] | unique | length')" 8 "on 8 VFs"

# ---- two guests that want one VF
exits 0 "vm8 gives it back" s guest detach vm8
s guest attach vm8 >/tmp/out.8 2>&1 &
one=$!
s guest attach vm9 >/tmp/out.9 2>&1 &
two=$!
rc8=0 rc9=0
wait $one || rc8=$?
wait $two || rc9=$?
is "$((rc8 + rc9))" 1 "one gets it, the other finds none free"
t "and is told" grep -q "none of 8 free" /tmp/out.8 /tmp/out.9

# ---- everything goes back
for i in 1 2 3 4 5 6 7; do virsh -q destroy "vm$i" || t "destroy vm$i" false; done
for i in 1 2 3 4 5 6 7 8 9; do
	s guest detach "vm$i" >/tmp/out 2>&1 || t "detach vm$i: $(cat /tmp/out)" false
	virsh -q undefine "vm$i" || t "undefine vm$i" false
done
is "$(leases)" 0 "no lease is left"
exits 0 "check finds nothing" s guest check
is "$(for v in 0 1 2 3 4 5 6 7; do vf_driver $v; done | grep -c vfio-pci)" 0 "no VF is on vfio-pci"
is "$(port | jq -S 'del(.vf[].netdev, .vf[].attrs.mac)')" "$(jq -S 'del(.vf[].netdev, .vf[].attrs.mac)' <<<"$before")" \
	"the VFs are as found, but for their MACs"
