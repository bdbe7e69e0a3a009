# shellcheck shell=bash
# flow-lifetime: the table to its last place (ixgbe), and rules that come back after everything that wipes them: VF
# creation, ifdown, ntuple off, a driver reload. What is exported for ethtool(8) makes the same entries.
. /share/cases/lib.sh
t "the PF is up and has a link" pf_up
addr=$(pf_addr) driver=$(pf_driver)
cp /share/nfccalls.so /tmp/
# table: what the driver reads back, each rule (ethtool -n asks location by location)
table() { ethtool -n "$(pf)"; }
# back WHAT: restore brings the table that was
back() {
	exits 0 "$1: restore" s restore "$addr"
	is "$(table)" "$before" "$1: the table is as before"
	exits 0 "$1: restore again" s restore "$addr"
	like "$out" "nothing to do" "$1: it says so"
}

if [ "$driver" = ixgbe ]; then
	ethtool -K "$(pf)" ntuple on
	t "the link is back" pf_up
	/share/bare-flow rules 2046 >/tmp/full
	exits 0 "2,046 rules" s flow apply /tmp/full --pf "$addr"
	is "$(rules)" 2046 "the table is full"
	export NFCCALLS=/tmp/calls LD_PRELOAD=/tmp/nfccalls.so
	exits 1 "one more is refused" s flow add "$addr" udp4 dst-ip 10.99.0.1 dst-port 4789 queue 1
	unset NFCCALLS LD_PRELOAD
	like "$out" "2046" "it names the table's size"
	like "$(cat /tmp/calls)" "insert=0 delete=0" "and was not tried"
	_comment "$out"
	is "$(rules)" 2046 "the table has not changed"
	exits 0 "all go" s flow delete "$addr" --all
	is "$(rules)" 0 "the table is empty"
fi

case $driver in
ixgbe)
	cat >/tmp/list <<-R
		name web flow-type tcp4 dst-ip 10.1.0.0/24 dst-port 80 queue 1
		name dns flow-type udp4 dst-ip 10.2.0.0/24 dst-port 53 queue 2
		name block flow-type udp4 dst-ip 10.3.0.0/24 dst-port 53 drop
	R
	with_vfs='name steer flow-type udp4 dst-ip 10.4.0.0/24 dst-port 4789 vf 1 queue 0'
	;;
i40e)
	cat >/tmp/list <<-R
		name web flow-type tcp4 dst-ip 10.1.0.1 dst-port 80 queue 1
		name dns flow-type udp4 src-ip 10.2.0.1 queue 2
		name block flow-type udp6 src-ip 2001:db8::1 drop
		name any flow-type ip4-other dst-ip 10.4.0.1 queue 3
	R
	with_vfs='name steer flow-type udp4 src-ip 10.4.0.1 in vf 1 queue 1'
	;;
esac
exits 0 "a list" s flow apply /tmp/list --pf "$addr"
t "the link is there" pf_up
exits 0 "the same list: nothing to do" s flow apply /tmp/list --pf "$addr"
like "$out" "nothing to do" "it says so"
before=$(table)
exits 0 "2 VFs" s vf create "$addr" --count 2 --driver default
t "the link is back" pf_up
is "$(table)" "$before" "vf create has brought the rules back in the same plan"
{ cat /tmp/list; echo "$with_vfs"; } >/tmp/longer
exits 0 "a rule for a VF" s flow apply /tmp/longer --pf "$addr"
before=$(table)
exits 0 "no difference" s flow diff "$addr"

# what people do with ethtool and the words that we give them
exits 0 "export" s flow export "$addr" --to ethtool
printf '%s\n' "$out" >/tmp/exported
_comment "$out"
exits 0 "all go" s flow delete "$addr" --all
is "$(rules)" 0 "the table is empty"
sh -e /tmp/exported >/tmp/said 2>&1 || fail "ethtool takes it: $(cat /tmp/said)"
is "$(table)" "$before" "the real ethtool makes the same entries of it"
/share/bare-flow "$(pf)" clear
exits 0 "the list again" s flow apply /tmp/longer --pf "$addr"
is "$(table)" "$before" "it takes the same places"

ip link set "$(pf)" down
pf_up
[ "$driver" != ixgbe ] || is "$(rules)" 0 "ifdown took the rules"
back "ifdown and up"
ethtool -K "$(pf)" ntuple off
ethtool -K "$(pf)" ntuple on
pf_up
[ "$driver" != i40e ] || is "$(rules)" 0 "ntuple off took the rules"
back "ntuple off and on"
rmmod "$driver"
modprobe "$driver"
wait_until "pf >/dev/null" 20
is "$(rules)" 0 "the reload took the rules"
exits 2 "diff finds them missing" s flow diff "$addr"
back "driver reload"
