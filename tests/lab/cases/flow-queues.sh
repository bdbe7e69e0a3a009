# shellcheck shell=bash
# shellcheck disable=SC2154 # out is of cases/lib.sh
# flow-queues: `queues A-B` on the real driver (ixgbe): TCP and UDP packets of consecutive source ports, the same number on
# each of the queues, and on no other; what no rule matches goes to queue 0.
. /share/cases/lib.sh
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
dev=$(pf) mac=$(pf_mac)
t "the peer is up" peer_setup
t "the PF is up and has a link" pf_up 1 -
ethtool -K "$dev" ntuple on
t "the link is back" pf_up 1 -
ethtool -X "$dev" equal 1

counts() { for q in 0 1 2 3; do rx_queue_packets "$q"; done | paste -sd' '; }
# lands WANT WHAT LINE…: frames (frames.py's words), and how many came to each of the queues 0 to 3
lands() {
	local want=$1 what=$2 before now all=0 n sum
	shift 2
	read -ra before < <(counts)
	for n in $want; do all=$((all + n)); done
	printf '%s\n' "$@" | peer_send_batch
	_arrived() {
		read -ra now < <(counts)
		sum=0
		for n in 0 1 2 3; do sum=$((sum + now[n] - before[n])); done
		[ $sum -ge $all ]
	}
	wait_until _arrived 5
	is "$(for n in 0 1 2 3; do echo $((now[n] - before[n])); done | paste -sd' ')" "$want" "$what"
}
# try LIST-OF-RULES: applied, and run twice
try() {
	printf '%s\n' "$@" >/tmp/list
	exits 0 "$1 …: applied" s flow apply /tmp/list --pf "$dev"
	_comment "$(s flow list "$dev")"
	exits 0 "again" s flow apply /tmp/list --pf "$dev"
	like "$out" "nothing to do" "it says so"
}
udp="proto=udp dmac=$mac dst=10.7.0.1 dport=53 sport=40000 sport+=1"
tcp="proto=tcp dmac=$mac dst=10.7.0.1 dport=53 sport=50003 sport+=1"

try "name dns flow-type udp4 dst-port 53 queues 0-3" "name dns-tcp flow-type tcp4 dst-port 53 queues 0-3"
lands "16 16 16 16" "64 of UDP over queues 0-3" "64 $udp"
lands "16 16 16 16" "64 of TCP over queues 0-3" "64 $tcp"
lands "40 0 0 0" "other packets are not touched" "20 ${udp/dport=53/dport=54}" "20 ${tcp/dport=53/dport=52}"

try "name dns flow-type udp4 dst-port 53 queues 2-3" "name dns-tcp flow-type tcp4 dst-port 53 queues 0-1"
lands "0 0 32 32" "64 of UDP over queues 2-3" "64 $udp"
lands "32 32 0 0" "64 of TCP over queues 0-1" "64 $tcp"

try "name one flow-type udp4 dst-ip 10.7.0.1 dst-port 53 drop" "name most flow-type udp4 dst-ip 10.7.0.0/30 dst-port 53 queues 0-3"
lands "0 0 0 0" "an exception: 64 are dropped" "64 $udp"
lands "16 16 16 16" "64 beside it over queues 0-3" "64 ${udp/10.7.0.1/10.7.0.2}"
lands "64 0 0 0" "64 outside of it to queue 0" "64 ${udp/10.7.0.1/10.7.0.4}"
exits 0 "all rules go" s flow delete "$dev" --all
is "$(rules)" 0 "none is left"
