# shellcheck shell=bash
# lib.sh: helpers for guest scripts. Begin a script with '. /lab/lib.sh'; say things with is/ok/fail/t; its exit status
# is then 1 if anything failed. N is a port number: 1 is the first --nic (the default), 2 the second.
# Nothing here sleeps for a while and hopes: conditions are polled with a deadline.

# ---- what is said: TAP lines, counted; the exit trap prints the plan and sets the status

_count=0 _failed=0
ok() { _count=$((_count + 1)); printf 'ok %d - %s\n' "$_count" "$*"; }
fail() { _count=$((_count + 1)); _failed=$((_failed + 1)); printf 'not ok %d - %s\n' "$_count" "$*"; }

# is GOT WANT DESCRIPTION
is() {
	if [ "$1" = "$2" ]; then ok "$3"; else fail "$3"; printf '#   got:  %s\n#   want: %s\n' "$1" "$2"; fi
}

# like TEXT PATTERN DESCRIPTION: an extended regular expression
like() {
	if [[ $1 =~ $2 ]]; then ok "$3"; else fail "$3"; printf '#   got:  %s\n#   want: /%s/\n' "$1" "$2"; fi
}

_comment() { printf '#   %s\n' "${1//$'\n'/$'\n'#   }"; }

# t DESCRIPTION COMMAND...: ok if the command succeeds; its output is shown only if it does not. 't_not': if it fails.
t() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$what"; else fail "$what"; _comment "$*: $out"; fi
}
t_not() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then fail "$what"; _comment "$* succeeded: $out"; else ok "$what"; fi
}

# skip WHY: one check that cannot be made here.  skip_all WHY: the whole script, exit status 77.
skip() { _count=$((_count + 1)); printf 'ok %d - # SKIP %s\n' "$_count" "$*"; }
skip_all() { printf 'SKIP: %s\n' "$*"; trap - EXIT; exit 77; }
bail() { printf 'Bail out! %s\n' "$*"; _failed=$((_failed + 1)); exit 1; }

_end() {
	local rc=$?
	[ "$_count" = 0 ] || printf '1..%d\n' "$_count"
	[ "$_failed" = 0 ] || { printf '# %d of %d failed\n' "$_failed" "$_count"; exit 1; }
	exit "$rc"
}
trap _end EXIT

exec {_never}<> <(:) # a pipe that nobody writes to, to wait on

# wait_until 'SHELL CODE' SECONDS: polls it; false, with a word on stderr, when the time is over. The seconds are those of a
# quiet machine: a busy one gets four times as many, and nothing waits for longer than what it waits for takes.
wait_until() {
	local end=$((${EPOCHREALTIME/./} + $2 * 4000000))
	until eval "$1"; do
		if [ "${EPOCHREALTIME/./}" -ge "$end" ]; then
			printf '# not within 4 x %s s: %s\n' "$2" "$1" >&2
			return 1
		fi
		read -rt 0.05 -u "$_never" || true # a pause that starts no process: those are dear under TCG
	done
}

# ---- the NIC under test

# pf_addr [N]: PCI address. The slot number of the root port is N, whatever the buses and netdevs came to be called.
pf_addr() { printf '%s.0\n' "$(<"/sys/bus/pci/slots/${1:-1}/address")"; }

_netdev_of() {
	local f
	for f in "$1"/net/*; do
		[ -e "$f" ] && echo "${f##*/}" && return
	done
	return 1
}

# pf [N]: netdev name (ethN is not stable).  pf_dir [N]: its device folder in sysfs.  pf_driver [N]
pf() { _netdev_of "$(pf_dir "${1:-1}")"; }
pf_dir() { echo "/sys/bus/pci/devices/$(pf_addr "${1:-1}")"; }
pf_driver() { basename "$(readlink "$(pf_dir "${1:-1}")/driver")"; }
pf_mac() { cat "/sys/class/net/$(pf "${1:-1}")/address"; }

# pf_up [N] [ADDRESS/LEN]: up, with carrier, and with that address (default 10.N.0.1/24; '-' for none).
pf_up() {
	local n=${1:-1} dev address
	dev=$(pf "$n")
	address=${2:-10.$n.0.1/24}
	[ "$address" = - ] || ip addr replace "$address" dev "$dev"
	ip link set "$dev" up
	wait_until '[ "$(cat /sys/class/net/'"$dev"'/carrier 2>/dev/null)" = 1 ]' 20
}

# vfs_create COUNT [N]: writes sriov_numvfs and waits until that many VFs are there (0 removes them), and, when the PF is
# up, until it has its carrier back: ixgbe resets the port.
vfs_create() {
	local dir dev
	dir=$(pf_dir "${2:-1}")
	dev=$(pf "${2:-1}")
	echo "$1" >"$dir/sriov_numvfs" || return
	wait_until "[ \$(ls -d $dir/virtfn* 2>/dev/null | wc -l) = $1 ]" 20 || return
	case $(ip link show "$dev") in *,UP*) wait_until "[ \$(cat /sys/class/net/$dev/carrier) = 1 ]" 20 ;; esac
}

# vf_addr I [N]: PCI address of VF I.  vf_netdev I [N]: its netdev, once its driver has made one.  vf_driver I [N]
vf_addr() { basename "$(readlink "$(pf_dir "${2:-1}")/virtfn$1")"; }
vf_netdev() {
	local dir
	dir=$(pf_dir "${2:-1}")/virtfn$1
	# the folder shows only netdevs of this network namespace, so it can be there and empty
	wait_until "_netdev_of $dir >/dev/null" 10 && _netdev_of "$dir"
}
vf_driver() { basename "$(readlink "$(pf_dir "${2:-1}")/virtfn$1/driver" || echo none)"; }

# vf_rebind I [N]: a bound VF driver sees a new administrative MAC only when it probes again. Prints the new netdev.
vf_rebind() {
	local addr driver
	addr=$(vf_addr "$1" "${2:-1}")
	driver=/sys/bus/pci/devices/$addr/driver
	driver=$(readlink -f "$driver")
	echo "$addr" >"$driver/unbind"
	echo "$addr" >"$driver/bind"
	vf_netdev "$1" "${2:-1}"
}

# rx_queue_packets QUEUE [NETDEV]: packets that the driver counted on that RX queue (ixgbe, i40e, igb and their VFs).
rx_queue_packets() {
	ethtool -S "${2:-$(pf)}" | awk -v a="rx_queue_$1_packets:" -v b="rx-$1.packets:" '$1 == a || $1 == b {print $2; exit}'
}

# stat NAME [NETDEV]: one line of ethtool -S
nic_stat() { ethtool -S "${2:-$(pf)}" | awk -v a="$1:" '$1 == a {print $2; exit}'; }

# rules [NETDEV]: how many ntuple rules the driver lists. ethtool's exit status says nothing about an insert.
rules() { ethtool -n "${1:-$(pf)}" | awk '/^Total/ {print $2}'; }

# nic_trace PATTERN: what reached the emulated NIC (needs 'lab run --trace'): the lines of QEMU's log that match.
nic_trace() { grep -E "$1" /share/.lab/qemu.log; }

# ---- the peer: the other end of the wire, in the network namespace 'peer' ('peerN' for N > 1), netdev 'wire'

_peer_ns() { if [ "${1:-1}" = 1 ]; then echo peer; else echo "peer$1"; fi; }

# in_peer COMMAND...: run it in the namespace of peer 1.
in_peer() { ip netns exec peer "$@"; }

# peer_setup [N]: peer up with 10.N.0.2/24. Call once; then the PF side with pf_up.
peer_setup() {
	local n=${1:-1} ns dev
	ns=$(_peer_ns "$n")
	dev=$(_netdev_of "$(echo /sys/bus/pci/devices/0000:00:1"$n".0/virtio*)") || return
	ip netns add "$ns"
	ip link set "$dev" netns "$ns" name wire
	# no IPv6: its unasked packets would disturb exact counts
	ip netns exec "$ns" sh -c "echo 1 >/proc/sys/net/ipv6/conf/wire/disable_ipv6; ip link set lo up
		ip addr add 10.$n.0.2/24 dev wire; ip link set wire up"
	wait_until "[ \"\$(ip netns exec $ns cat /sys/class/net/wire/carrier)\" = 1 ]" 10
}

# peer_send COUNT KEY=VALUE...: frames exactly as told, no ARP involved. Keys: see frames.py. peer_send_batch: reads such
# lines (COUNT KEY=VALUE...) from stdin: one start of Python for many frames. PEER=2 sends from peer 2.
peer_send() { echo "$*" | peer_send_batch; }
peer_send_batch() { ip netns exec "$(_peer_ns "${PEER:-1}")" python3 -ISE /lab/frames.py wire; }

# peer_send_udp COUNT DSTMAC DSTIP DSTPORT [SRCPORT [VLAN]], and so on
peer_send_udp() { _send_l4 udp "$@"; }
peer_send_tcp() { _send_l4 tcp "$@"; }
peer_send_sctp() { _send_l4 sctp "$@"; }
_send_l4() { peer_send "$2" proto="$1" dmac="$3" dst="$4" dport="$5" sport="${6:-40000}" ${7:+vlan="$7"}; }
# peer_send_ip COUNT DSTMAC DSTIP PROTOCOL [VLAN]: an IP packet of any protocol number
peer_send_ip() { peer_send "$1" proto="$4" dmac="$2" dst="$3" ${5:+vlan="$5"}; }
# peer_send_raw COUNT HEX: the whole frame
peer_send_raw() { peer_send "$1" hex="$2"; }

# peer_capture FILE [FILTER...]: tcpdump on the wire into FILE (text, with link level), running when this returns;
# peer_capture_end stops it.
peer_capture() {
	local file=$1
	shift
	ip netns exec "$(_peer_ns "${PEER:-1}")" tcpdump -i wire -nlett "$@" >"$file" 2>"$file.err" &
	_capture=$!
	wait_until "grep -q 'listening on' '$file.err'" 10
}
peer_capture_end() { kill "$_capture"; wait "$_capture" 2>/dev/null; }

# ---- libvirt

# start_libvirtd: and wait until it answers.
start_libvirtd() {
	modprobe -a vfio-pci vfio_iommu_type1
	libvirtd -d || return
	wait_until 'virsh -q version >/dev/null 2>&1' 40
}
