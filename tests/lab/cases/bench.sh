# shellcheck shell=bash
# bench [ROUNDS [ROUNDS-OF-PEOPLE]]: 63 VFs with MAC, VLAN, spoofchk and trust, then on vfio-pci, four ways,
# interleaved in one run and each round in another order:
#   bare    the bare system calls (tests/bench/bare.c)
#   tool    sriovctl vf create
#   batch   autoprobe off, `ip -batch` with one line a VF, the same writes from a shell
#   people  autoprobe on, one `ip link` an attribute, unbind, the same writes from a shell
# Reports medians in milliseconds and ratios; loosely gated. The NIC is emulated and the CPU too (TCG).
. /share/cases/lib.sh
rounds=${1:-5} people_rounds=${2:-1} count=63
modprobe -a vfio-pci ixgbevf
t "the PF is up and has a link" pf_up
dev=$(pf) addr=$(pf_addr) dir=$(pf_dir)

ms() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }
clear_vfs() { echo 0 >"$dir/sriov_numvfs"; }
bind_all() {
	local i a
	for ((i = 0; i < count; i++)); do
		a=$(basename "$(readlink "$dir/virtfn$i")")
		echo vfio-pci >"$dir/virtfn$i/driver_override"
		[ ! -e "$dir/virtfn$i/driver" ] || echo "$a" >"$dir/virtfn$i/driver/unbind"
		echo "$a" >/sys/bus/pci/drivers_probe
	done
}
# both from the guest's own disk, both timed from outside: the start of the program is part of what a user waits for
cp /share/sriovctl /share/bare /tmp/
way_bare() {
	local start=${EPOCHREALTIME/./}
	/tmp/bare "$addr" "$dev" $count >/dev/null
	ms "$start"
}
way_tool() {
	local start=${EPOCHREALTIME/./}
	/tmp/sriovctl vf create "$dev" --count $count --mac auto --vlan 7 --spoofchk on --trust on --driver vfio-pci >/dev/null
	ms "$start"
}
way_batch() {
	local start=${EPOCHREALTIME/./} i
	echo 0 >"$dir/sriov_drivers_autoprobe"
	echo $count >"$dir/sriov_numvfs"
	for ((i = 0; i < count; i++)); do
		printf 'link set %s vf %d mac 02:00:00:00:08:%02x vlan 7 spoofchk on trust on\n' "$dev" $i $i
	done | ip -batch -
	bind_all
	ms "$start"
}
way_people() {
	local start=${EPOCHREALTIME/./} i
	echo 1 >"$dir/sriov_drivers_autoprobe"
	echo $count >"$dir/sriov_numvfs"
	for ((i = 0; i < count; i++)); do
		ip link set "$dev" vf $i mac "$(printf '02:00:00:00:07:%02x' $i)"
		ip link set "$dev" vf $i vlan 7
		ip link set "$dev" vf $i spoofchk on
		ip link set "$dev" vf $i trust on
	done
	bind_all
	ms "$start"
}

ways=(bare tool batch people)
for ((n = 0; n < rounds; n++)); do
	for i in 0 1 2 3; do
		way=${ways[(n + i) % 4]}
		[ $way != people ] || [ $n -lt "$people_rounds" ] || continue
		"way_$way" >>/tmp/times-$way
		is "$(vf_driver 62) $(ip link show "$dev" | grep -c 'vlan 7.*trust on')" "vfio-pci $count" "$way: all there"
		if [ $way = tool ]; then s vf delete "$dev" >/dev/null; else clear_vfs; fi
		wait_until "[ \$(cat /sys/class/net/$dev/carrier) = 1 ]" 20
	done
done
for way in "${ways[@]}"; do echo "# $way: $(paste -sd' ' /tmp/times-$way) ms"; done
bare=$(median /tmp/times-bare) tool=$(median /tmp/times-tool) batch=$(median /tmp/times-batch)
people=$(median /tmp/times-people)
echo "figure: $rounds rounds, medians: bare $bare ms, sriovctl $tool ms, ip -batch $batch ms, ip per attribute $people ms"
awk -v b="$bare" -v t="$tool" -v p="$people" -v i="$batch" 'BEGIN {
	printf "figure: sriovctl is %.2fx of bare, %.2fx of ip -batch; ip per attribute is %.1fx of sriovctl\n", t / b, t / i, p / t }'
at_most "$(times_ratio /tmp/times-tool /tmp/times-bare)" 2.5 "sriovctl within 2.5 times the bare calls"
at_most "$(times_ratio /tmp/times-tool /tmp/times-batch)" 1 "and ahead of ip -batch"
at_most "$(times_ratio /tmp/times-tool /tmp/times-people)" 0.33 "and at least 3 times ahead of one ip call an attribute"
