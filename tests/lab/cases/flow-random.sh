# shellcheck shell=bash
# flow-random DRIVER SEED: 500 random rules and many deletes, each answered by the real driver and by the replay model
# with the same errno; the tables that both then hold, and what the driver has programmed meanwhile, are equal too.
# /share/ops.jsonl has the operations.
. /share/cases/lib.sh
driver=$1
echo "# $driver, seed $2, $(jq -s '[.[].ops[] | select(.op == "add")] | length' /share/ops.jsonl) rules"

# fresh: the driver as it is when it has just been loaded, as far as rules go
case $driver in
ixgbe) fresh() { :; } ;;
i40e) fresh() { ethtool -K "$(pf)" ntuple off && ethtool -K "$(pf)" ntuple on && link; } ;;
igb) fresh() { rmmod igb && insmod /share/igb-ntuple.ko && device "$vfs"; } ;;
esac
link() { wait_until "[ \"\$(cat /sys/class/net/$(pf)/carrier 2>/dev/null)\" = 1 ]" 20; }
# device VFS: as many, which nobody needs to drive, with the port up and rules allowed
device() {
	echo 0 >"$(pf_dir)/sriov_drivers_autoprobe"
	[ "$(cat "$(pf_dir)/sriov_numvfs")" = 0 ] || vfs_create 0
	pf_up && ethtool -K "$(pf)" ntuple on && link && { [ "$1" = 0 ] || vfs_create "$1"; } && link
}
# programmed: what the driver told the emulated hardware to add (from line $1 of its trace on), in the model's words: queue,
# drop, and on i40e the VSI (390 = the PF's, 400 + n = that of VF n). One rule may be two filters there, for two packet types.
programmed() {
	sed -n -e 's/.*FDIR add .* cmd=0*\([0-9a-f]*\)\([0-9a-f]\)[0-9a-f][0-9a-f] queue=\([0-9]*\) .*/add - \3 \2/p' \
		-e 's/.*FD \(add\|remove\) id=\([0-9]*\) .* qindex=\([0-9]*\) vsi=\([0-9]*\) dest=\([0-9]\) .*/\1 \2 \3 \4 \5/p' \
		-e 's/.*add VSI \([0-9]*\) .* vf \([0-9]*\)$/vsi \1 \2/p' /share/.lab/qemu.log |
		awk -v from="$1" '
			$1 == "vsi" {vf[$2] = 400 + $3; next}
			{same = $0 == last; last = $0; n++}
			n <= from || $1 == "remove" || (NF == 5 && same) {next}
			NF == 4 {print $3, $4 ~ /[2367abef]/ ? "true" : "false"}
			NF == 5 {print $3, $5 ? "false" : "true", $5 ? ($4 in vf ? vf[$4] : 390) : 0}'
}
so_far() { grep -cE 'FDIR add|FD (add|remove)' /share/.lab/qemu.log; }

[ "$driver" != igb ] || { rmmod igb && insmod /share/igb-ntuple.ko; }
vfs=none
while read -r line; do
	wanted=$(jq .device.num_vfs <<<"$line")
	if [ "$wanted" != "$vfs" ]; then
		vfs=$wanted
		t "the device with $vfs VFs" device "$vfs"
	fi
	fresh || fail "the driver is as loaded"
	from=$(so_far)
	/share/replay-live "$(pf)" <<<"$line" >>/tmp/live.jsonl
	[ "$driver" = igb ] || { jq -r .id <<<"$line"; programmed "$from"; } >>/tmp/live.hw
done </share/ops.jsonl
s nic replay /share/ops.jsonl >/tmp/model.jsonl

# told FILE: of each line what is compared, one a line
told() { jq -cS '{id, errno: [.results[].errno], final}' "$1"; }
is "$(wc -l </tmp/live.jsonl)" "$(wc -l </share/ops.jsonl)" "all lines were done"
told /tmp/live.jsonl >/tmp/live.told
told /tmp/model.jsonl >/tmp/model.told
while IFS=$'\t' read -r live model; do
	[ "$live" = "$model" ] && continue
	fail "$(jq -r .id <<<"$live"): driver and model differ"
	_comment "driver: $live"
	_comment "model:  $model"
done < <(paste /tmp/live.told /tmp/model.told)
if [ "$driver" != igb ]; then
	jq -r '.id, (.results[].hw | select(.) | "\(.queue) \(.drop)\(if .vsi then " \(.vsi)" else "" end)")' \
		/tmp/model.jsonl >/tmp/model.hw
	t "what was programmed is equal: $(grep -c ' ' /tmp/live.hw) rules" diff -U 2 /tmp/live.hw /tmp/model.hw
	cp /tmp/live.hw /tmp/model.hw /share
fi
cp /tmp/live.jsonl /share/
echo "figure: $driver (emulated), seed $2: $(jq -s '[.[].results[]] | length' /tmp/live.jsonl) operations, errno and table equal;" \
	"$(jq -rs '[.[].results[].errno] | group_by(.) | map("\(length) x \(.[0])") | join(", ")' /tmp/live.jsonl)"
