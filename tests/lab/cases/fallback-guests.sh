# shellcheck shell=bash disable=SC2034,SC2154
# fallback-guests: eight VFs of a real ixgbe port (emulated NIC): two of running Linux guests, six of paused domains; a ninth
# Linux guest on vhost-user through an OVS with DPDK whose uplink is that port, as the half of a pair. They and the wire reach
# each other; a VF is freed and the ninth moves home and back while it runs, its rules with it, and what a ping loses is
# counted.
#
# All of this runs under TCG in TCG: the Linux guests have booted outside (saved.sh) and go on here, some thirty times slower
# than they think.
. /share/cases/lib.sh
sleep=10000
# its rules come while guests have VFs, and switching this on would reset the port under them
t "ntuple rules are on" ethtool -K "$(pf)" ntuple on
. /share/cases/ovs.sh
# who answers is slow: asked for a minute, not for three seconds
in_peer sh -c 'for f in mcast ucast; do echo 60 >/proc/sys/net/ipv4/neigh/wire/${f}_solicit; done'
exits 0 "8 VFs" s vf create "$dev" --count 8 --mac auto --driver default
network red

rm -rf /usr/lib/x86_64-linux-gnu/qemu # modules of the QEMU that was here
tar -P -xf /share/qemu.tar
cp /share/vmlinux /share/small.gz /tmp/
t "libvirtd answers" start_libvirtd
work=/tmp answer_s=900
. /share/console.sh

# ---- eight with VFs
for i in 1 2 3 4 5 6; do
	small_domain "vm$i" | sed 's/>128</>64</' >"/tmp/vm$i.xml"
	virsh -q define "/tmp/vm$i.xml" || t "define vm$i" false
	s guest attach "vm$i" --net red >/tmp/out 2>&1 || t "attach vm$i: $(cat /tmp/out)" false
	virsh -q start "vm$i" --paused || t "start vm$i" false
done
# goes_on NAME: where it was saved
goes_on() {
	console_made "$1"
	virsh save-image-dumpxml "/share/$1.save" | sed -e 's|>/.*vmlinux<|>/tmp/vmlinux<|' -e 's|>/.*small.gz<|>/tmp/small.gz<|' \
		-e "s|<source path='[^']*'|<source path='/tmp/$1'|" >"/tmp/$1.xml"
	t "$1 goes on" virsh -q restore "/share/$1.save" --xml "/tmp/$1.xml"
}
# addressed NAME ADDRESS: by one line, as each is answered
addressed() {
	local there="i=0; until [ -e /sys/class/net/eth0 ]; do i=\$((i + 1)); [ \$i -lt 300 ] || break; sleep 1; done"

	t "$1 has a NIC" inside "$1" "$there; for f in mcast ucast; do echo 60 >/proc/sys/net/ipv4/neigh/eth0/\${f}_solicit; done; ip addr add $2/24 dev eth0 && ip link set eth0 up"
}
for i in 1 2; do
	goes_on "web$i"
	exits 0 "web$i gets a VF while it runs" s guest attach "web$i" --net red
	is "$(lease "web$i" .path)" vf "a VF"
	addressed "web$i" "10.1.0.1$i"
done

# ---- the ninth
goes_on web9
exits 0 "the ninth, while it runs" s guest attach web9 --net red --standby --kernel-timeout 300
like "$out" "as no VF that would do is free" "it is told why"
is "$(lease web9 '.path + " " + .kind')" "vhostuser standby" "half of a pair, on vhost-user"
mac=$(lease web9 .mac)
addressed web9 10.1.0.19

# by NAME COMMAND: peer or a guest
by() { if [ "$1" = peer ]; then in_peer sh -c "$2"; else inside "$1" "$2"; fi; }
# loss FROM ADDRESS: per cent of five pings
loss() { by "$1" "$(lost "$2" 60)"; }
# reaches FROM ADDRESS WHAT: what was never run before takes seconds here
reaches() {
	by "$1" "ping -q -c 1 -W 60 $2" >/dev/null
	is "$(loss "$1" "$2")" 0 "$1 reaches $3"
}
all_reach() {
	reaches peer 10.1.0.11 "web1 on a VF"
	reaches peer 10.1.0.19 "the ninth"
	reaches web1 10.1.0.12 "web2 on another VF"
	reaches web1 10.1.0.19 "the ninth"
	reaches web9 10.1.0.12 "web2 on a VF"
	reaches web9 10.1.0.2 "the wire's other end"
}
all_reach

# ---- its rules
cat >/tmp/rules <<R
name no-dns flow-type udp4 dst-ip 10.1.0.19 dst-port 53 drop
name to-nine flow-type udp4 dst-ip 10.1.0.19 dst-port 4790 guest web9
R
exits 0 "rules" s flow apply /tmp/rules --pf "$dev"
is "$(rules)" 1 "one of them in the NIC, for the other one is about the bridge"
# arrived PORT: of ten frames from the wire, how many that guest's own stack hears
unheard() { inside web9 "awk '/^Udp: [0-9]/ {print \$3}' /proc/net/snmp"; }
arrived() {
	local before
	before=$(unheard)
	peer_send_udp 10 "$mac" 10.1.0.19 "$1"
	in_peer ping -q -c 2 -W 20 10.1.0.19 >/dev/null # what it answers it has heard after those
	echo $(($(unheard) - before))
}
fates() {
	is "$(arrived 53)" 0 "$1: dropped are those that a rule drops"
	is "$(arrived 4790)" 10 "$1: those for which it has a rule arrive"
	is "$(arrived 4791)" 10 "$1: and others"
}
fates "on vhost-user"

# ---- home and back, while it runs
# counted COMMAND…: what a ping of five a second loses meanwhile, until five in a row were answered after it
counted() {
	# not in_peer: the shell that a function is run by in the background hears no interrupt
	ip netns exec peer ping -i 0.2 -W 5 10.1.0.19 >/tmp/ping 2>&1 &
	local pid=$! from
	wait_until '[ "$(grep -c "bytes from" /tmp/ping)" -ge 5 ]' 60
	exits 0 "$*" s "$@"
	from=$(grep -c "bytes from" /tmp/ping)
	t "it answers again" wait_until "[ \"\$(grep -c 'bytes from' /tmp/ping)\" -ge $((from + 5)) ]" 120
	kill -INT $pid
	wait $pid
	_comment "$*: $(grep transmitted /tmp/ping)"
}
virsh -q destroy vm6
exits 0 "vm6 gives its VF back" s guest detach vm6
counted guest move web9 --to vf --live --guest-timeout 900 --kernel-timeout 300
is "$(lease web9 '.path + " " + .kind')" "vf standby" "it is home, the pair is whole"
like "$(vf_line "$(lease web9 .vf)")" "$mac" "its VF has its MAC"
t_not "the PF takes no frames for it" grep -q "$mac" <<<"$(bridge fdb show dev "$dev")"
is "$(rules)" 2 "its rules are in the NIC"
exits 0 "nothing is amiss" s physnet check red
fates "on a VF"
all_reach
counted guest move web9 --to vhostuser --live --guest-timeout 900 --kernel-timeout 300
is "$(lease web9 '.path + " " + .kind')" "vhostuser standby" "and back"
is "$(rules)" 1 "its rule is on the bridge again"
exits 0 "nothing is amiss" s physnet check red
all_reach
