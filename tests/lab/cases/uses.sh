# shellcheck shell=bash
# What the host itself does with a port is found, named, and not disrupted without being told to.
. /share/cases/lib.sh
modprobe -a bridge bonding 8021q
t "the PF is up and has a link" pf_up
dev=$(pf)

refused() { # WHAT PATTERN
	exits 3 "$1: vf create is refused" s vf create "$dev" --count 2
	like "$out" "$2" "$1: it is named"
	exits 3 "$1: so is switching ntuple on" s flow add "$dev" udp4 dst-port 5001 queue 1
	is "$(ls -d "$(pf_dir)"/virtfn* 2>/dev/null | wc -l)" 0 "$1: no VF was made"
	like "$(s host show "$dev")" "$2" "$1: host show says it"
}
exits 0 "nothing uses it: the plan is fine" s vf create "$dev" --count 2 --dry-run
ip route add default via 10.1.0.2
refused "default route" "default route"
ip route del default
ip -6 addr add 2001:db8:1::1/64 dev "$dev" nodad
ip -6 route add default via 2001:db8:1::2
refused "IPv6 default route" "default route"
ip -6 route del default
ip link add link "$dev" name v7 type vlan id 7
ip addr add 10.7.0.1/24 dev v7
ip link set v7 up
ip route add default via 10.7.0.2
refused "default route over a VLAN" "default route.*v7"
ip link del v7
ip link add br0 type bridge
ip link set "$dev" master br0
refused "bridge" "bridge br0|br0"
ip link set "$dev" nomaster
ip link del br0
ip link add bond0 type bond mode active-backup
ip link set "$dev" down
ip link set "$dev" master bond0
ip link set bond0 up
refused "bond" "bond0"
ip link set "$dev" nomaster
ip link del bond0
t "the PF is up again" pf_up

ip route add default via 10.1.0.2
exits 0 "--disrupt-pf does it" s vf create "$dev" --count 2 --disrupt-pf
ip route del default 2>/dev/null
exits 0 "and away" s vf delete "$dev"
