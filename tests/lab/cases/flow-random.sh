# shellcheck shell=bash
# flow-random DRIVER SEED: 500 random rules and many deletes, each answered by the real driver and by the replay model
# with the same errno, and the tables that both then hold are equal. /share/ops.jsonl has the operations.
. /share/cases/lib.sh
driver=$1
echo "# $driver, seed $2: $(head -n 1 /share/ops.jsonl | cut -c1-60)..."

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

[ "$driver" != igb ] || { rmmod igb && insmod /share/igb-ntuple.ko; }
vfs=none
while read -r line; do
	read -r wanted queues < <(jq -r '"\(.device.num_vfs) \(.device.pf_queues // .device.num_rx_queues // 4)"' <<<"$line")
	if [ "$wanted" != "$vfs" ]; then
		vfs=$wanted
		t "the device with $vfs VFs" device "$vfs"
	fi
	fresh || fail "the driver is as loaded"
	/share/replay-live "$(pf)" <<<"$line"
done </share/ops.jsonl >/tmp/live.jsonl
grep -v '^{' /tmp/live.jsonl
grep '^{' /tmp/live.jsonl > /share/live.jsonl
dmesg | tail -n 30
