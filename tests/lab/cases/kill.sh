# shellcheck shell=bash
# kill -9 at 20 points of `vf create` on the real driver: the next command ends in the old or the new state, never between.
. /share/cases/lib.sh
modprobe vfio-pci
t "the PF is up and has a link" pf_up
dev=$(pf)
create=(/share/sriovctl vf create "$dev" --count 3 --mac auto --vlan 9 --max-rate 500 --driver vfio-pci)
exits 0 "once in peace" "${create[@]}"
new=$(port)
exits 0 "and away again" s vf delete "$dev"
t "the link is back" pf_up
old=$(port)
KILLAT_COUNT=/tmp/calls LD_PRELOAD=/share/killat.so "${create[@]}" >/dev/null 2>&1
calls=$(cat /tmp/calls)
s vf delete "$dev" >/dev/null
pf_up
echo "# $calls calls that change something"

for n in $(seq 1 20); do
	for _ in 1 2 3 4 5; do
		at=$((1 + (calls - 1) * (n - 1) / 19))
		rc=0
		KILLAT_COUNT=/tmp/calls KILLAT=$at LD_PRELOAD=/share/killat.so "${create[@]}" >/tmp/out 2>&1 || rc=$?
		[ "$rc" = 0 ] || break
		# marks and events come by time: it had fewer calls. Again, by its own number
		calls=$(cat /tmp/calls)
		s vf delete "$dev" >/dev/null
		pf_up
	done
	# progress marks come by time, so that the last calls may have other numbers, or not come
	[ "$rc" = 0 ] && [ $at -gt $((calls - 15)) ] && rc=137
	is "$rc" 137 "point $n: killed before call $at"
	# undo leaves the old state, whatever was reached; then the same command makes the new one
	id=$(s journal show --json | jq -r '[.. | objects | select(.open? == true)][0].id // empty')
	if [ -n "$id" ] && [ $((n % 2)) = 0 ]; then
		exits 0 "point $n: journal undo" s journal undo "$id"
		pf_up
		is "$(port)" "$old" "point $n: the old state"
	fi
	exits 0 "point $n: the next command" "${create[@]}"
	is "$(port)" "$new" "point $n: the new state"
	is "$(s journal show --json | jq '[.. | objects | select(.open? == true)] | length')" 0 "point $n: no journal open"
	s vf delete "$dev" >/dev/null
	pf_up
done
is "$(port)" "$old" "the port is as found"
