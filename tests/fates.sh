# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# Sourced after tests/ovs.sh: packets that go into a bridge's ports, and where they come out beside what `flow trace` tells
# of VFs. There are the netdevs wire, guest1 and guest2, the other ends of the uplink and of two guests' ports, and the
# guests web1 and web2: one without a VLAN, one with VLAN 7.
with python3
pf=ens2f0 mac1=52:54:00:00:00:01 mac2=52:54:00:00:00:02

# fates_on_vfs: the same guests on VFs 0 and 1 of a simulated 82599, in a host file of its own, and the list of rules
fates_on_vfs() {
	new_host '.pfs |= map(if .netdev == "ens2f0" then .bridge = "veb" else . end)'
	expect 0 vf create "$pf" --count 2
	expect 0 vf set "$pf" 0 --mac "$mac1"
	expect 0 vf set "$pf" 1 --mac "$mac2" --vlan 7
	expect 0 guest xml web1 --pf "$pf"
	expect 0 guest xml web2 --pf "$pf"
	simulated=$work/simulated.json
	cp -r "$host" "$simulated"
	cp -r "$host.state" "$simulated.state"
	pf_mac=$(pf_of "$pf" .mac | tr -d '"')
	cat >"$work/rules" <<-'END'
		name dns udp4 dst-port 53 drop
		name early udp4 dst-port 5004 guest web2
		name range udp4 dst-port 5000-5007 drop
		name vxlan udp4 dst-port 4789 guest web1
		name http tcp4 dst-port 80 drop
		name pf udp4 dst-port 600 queue 1
	END
	one="dmac $mac1" two="dmac $mac2" host_mac="dmac $pf_mac" none='dmac 52:54:00:00:00:77'
	from='smac 52:54:00:00:00:99' from1="smac $mac1" from2="smac $mac2"
	# NAME INGRESS PACKET
	cat >"$work/packets" <<-END
	to-1 wire udp 198.51.100.7:1024 > 10.0.0.7:7 $one $from
	to-1-tagged wire udp 198.51.100.7:1024 > 10.0.0.7:7 $one $from vid 9
	to-2 wire udp 198.51.100.7:1024 > 10.0.0.7:7 $two $from vid 7
	to-2-untagged wire udp 198.51.100.7:1024 > 10.0.0.7:7 $two $from
	to-2-foreign wire udp 198.51.100.7:1024 > 10.0.0.7:7 $two $from vid 8
	to-none wire udp 198.51.100.7:1024 > 10.0.0.7:7 $none $from
	to-none-rule wire udp 198.51.100.7:1024 > 10.0.0.7:4789 $none $from
	to-pf wire udp 198.51.100.7:1024 > 10.0.0.7:7 $host_mac $from
	dns-1 wire udp 198.51.100.7:1024 > 10.0.0.7:53 $one $from
	dns-2 wire udp 198.51.100.7:1024 > 10.0.0.7:53 $two $from vid 7
	dns-tcp wire tcp 198.51.100.7:1024 > 10.0.0.7:53 $one $from
	http wire tcp 198.51.100.7:1024 > 10.0.0.7:80 $one $from
	early wire udp 198.51.100.7:1024 > 10.0.0.7:5004 $one $from
	range-first wire udp 198.51.100.7:1024 > 10.0.0.7:5000 $one $from
	range-last wire udp 198.51.100.7:1024 > 10.0.0.7:5007 $one $from
	range-beyond wire udp 198.51.100.7:1024 > 10.0.0.7:5008 $one $from
	steered wire udp 198.51.100.7:1024 > 10.0.0.7:4789 $two $from vid 7
	steered-pf wire udp 198.51.100.7:1024 > 10.0.0.7:4789 $host_mac $from
	1-out guest1 udp 10.0.0.1:1024 > 10.0.0.7:53 $none $from1
	1-to-2 guest1 udp 10.0.0.1:1024 > 10.0.0.7:53 $two $from1 vid 7
	1-to-2-untagged guest1 udp 10.0.0.1:1024 > 10.0.0.7:53 $two $from1
	1-spoofed guest1 udp 10.0.0.1:1024 > 10.0.0.7:7 $none $from2
	2-out guest2 udp 10.0.0.2:1024 > 10.0.0.7:4789 $none $from2
	2-to-1 guest2 udp 10.0.0.2:1024 > 10.0.0.7:4789 $one $from2
	2-spoofed guest2 udp 10.0.0.2:1024 > 10.0.0.7:7 $one $from1
	END
}

fates() { python3 "$repo/tests/integration/vswitch-frames.py" fates wire guest1 guest2; }

# first_fate: of the first packet, once it gets through: after a restart a guest's link, and what OVS makes of its first
# packets, take a moment
first_fate() {
	local i found=''
	for ((i = 0; i < 10; i++)); do
		found=$(head -n 1 "$work/packets" | fates)
		[ "${found##*=}" != 3 ] || break
		sleep 1
	done
	echo "$found"
}

# fate_on_vf INGRESS PACKET…: where trace sees it end, as the frames' script says it
fate_on_vf() {
	local in=wire
	case $1 in guest*) in="vf $((${1#guest} - 1))" ;; esac
	shift
	tool=$release expect 0 --host "$simulated" flow trace "$pf" --rules "$work/rules" --in "$in" --json "$*"
	case $(out | jq -r '.end.kind') in
	vf) echo "guest$(($(out | jq -r .end.vf) + 1))=3" ;;
	wire) echo "wire=3" ;;
	drop | pf) echo "-" ;;
	# of an address that neither guest nor the port is known to have: who else there might be is no port of the bridge's
	unknown) [ "$(out | jq -r .end.decided_by)" = switch ] && echo "-" || echo unknown ;;
	*) out | jq -r .end.destination ;;
	esac
}
# on_openflow BRIDGE INGRESS PACKET…: where ofproto/trace outputs it; $number tells the ports of the netdevs
declare -A number=([wire]=1 [guest1]=2 [guest2]=3)
on_openflow() {
	local bridge=$1 proto=$3 flow name
	flow="in_port=${number[$2]},$proto,nw_src=${4%:*},nw_dst=${6%:*},nw_ttl=64,${proto}_src=${4#*:},${proto}_dst=${6#*:}"
	flow+=",dl_dst=$8,dl_src=${10}"
	[ -z "${12-}" ] || flow+=",dl_vlan=${12}"
	appctl ofproto/trace "$bridge" "$flow" >"$work/trace"
	flow=$(sed -n 's/^ *output:\([0-9]*\)$/\1/p' "$work/trace")
	for name in "${!number[@]}"; do
		[ "${number[$name]}" != "$flow" ] || echo "$name=3"
	done
}

# same_fates BRIDGE
same_fates() {
	local name in packet words expected found traced
	fates <"$work/packets" >"$work/fates"
	while read -r name in packet; do
		read -ra words <<<"$packet"
		expected=$(fate_on_vf "$in" "$packet")
		found=$(sed -n "s/^$name //p" "$work/fates")
		traced=$(on_openflow "$1" "$in" "${words[@]}")
		printf '%-16s %-7s VF: %-10s port: %-12s ofproto/trace: %s\n' "$name" "$in" "$expected" "$found" "${traced:--}"
		is "fate of $name" "$expected" "${found%/*}"
		is "ofproto/trace of $name" "$expected" "${traced:--}"
	done <"$work/packets"
	# tags: a port VLAN's is taken off and put on, others stay
	is "tags" "guest1=3/9 guest2=3 wire=3/7 wire=3" \
		"$(for n in to-1-tagged to-2 2-out 1-out; do sed -n "s/^$n //p" "$work/fates"; done | xargs)"
}

# limited_to MBIT: what guest 1 sends comes out at that rate, within 10 %
limited_to() {
	local got sent kbps
	# a guest or OVS that gets no CPU for some tenths of a second sends less than it may, and then more
	for _ in $(seq 30); do
		read -r got sent < <(python3 "$repo/tests/integration/vswitch-frames.py" rate guest1 wire $(($1 * 4)) 2 \
			52:54:00:00:00:77 "$mac1")
		kbps=$(jq -n "$got * 1000 | round")
		[ "$kbps" -lt $(($1 * 900)) ] || [ "$kbps" -gt $(($1 * 1100)) ] || break
	done
	echo "figure: a limit of $1 Mbit/s passes $got of $sent Mbit/s sent"
	between "rate within 10 %" $(($1 * 900)) $(($1 * 1100)) "$kbps"
}

# fates_devices: the netdevs, their other ends with an x
fates_devices() {
	local device end
	for device in wire guest1 guest2; do
		ip link add "$device" type veth peer name "${device}x"
		for end in "$device" "${device}x"; do
			[ ! -e "/proc/sys/net/ipv6/conf/$end" ] || echo 1 >"/proc/sys/net/ipv6/conf/$end/disable_ipv6"
			ip link set "$end" up
		done
	done
}

# forwarder_up SOCKET SOCKET: the two guests, a testpmd that joins virtio devices to guest1x and guest2x; $forwarder
forwarder_up() {
	[ -e "$work/stdin" ] || mkfifo "$work/stdin"
	exec 9<>"$work/stdin"
	dpdk-testpmd --lcores '0@0,1@0' --no-huge -m 256 --no-pci --file-prefix=guests$$ --no-telemetry \
		--vdev="net_virtio_user0,path=$1,server=1,queues=1,queue_size=1024" --vdev=net_af_packet0,iface=guest1x \
		--vdev="net_virtio_user1,path=$2,server=1,queues=1,queue_size=1024" --vdev=net_af_packet1,iface=guest2x \
		-- --total-num-mbufs=8192 --nb-cores=1 --forward-mode=io >"$work/testpmd" 2>&1 <&9 &
	forwarder=$!
}
forwarder_end() {
	kill -9 "$forwarder"
	wait "$forwarder" 2>/dev/null || true
}
