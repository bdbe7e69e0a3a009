# shellcheck shell=bash
# The link fails and comes back, from the monitor of the emulated machine: no link, no rate; nothing is left half done.
# Run on the host by tests/lab/test, with guest (shell code in the lab) and monitor (a command of QEMU's).
failed=0
part() { # TITLE, guest code on stdin
	printf '# %s\n' "$1"
	{
		echo '. /share/cases/lib.sh; dev=$(pf)'
		cat
	} | guest || failed=1
}

part "as found" <<'G'
t "the PF is up and has a link" pf_up
port >/share/before
G
monitor set_link nic1 off
part "no link" <<'G'
wait_until '[ "$(cat /sys/class/net/$(pf)/carrier)" = 0 ]' 10
exits 4 "a rate needs the link: rolled back" s vf create "$dev" --count 2 --mac auto --max-rate 100 --link-timeout 3
like "$out" "no link" "it says why"
is "$(ls -d "$(pf_dir)"/virtfn* 2>/dev/null | wc -l)" 0 "no VF is left"
is "$(port)" "$(cat /share/before)" "the port is as found"
exits 0 "without a rate it goes" s vf create "$dev" --count 2 --mac auto
exits 0 "and away" s vf delete "$dev"

/share/sriovctl vf create "$dev" --count 2 --mac auto --max-rate 100 --link-timeout 60 >/tmp/out 2>&1 &
wait_until '[ -e "$(pf_dir)/virtfn1" ]' 10
kill -TERM $!
rc=0
wait $! || rc=$?
is "$rc" 4 "SIGTERM while it waits for the link: rolled back"
is "$(ls -d "$(pf_dir)"/virtfn* 2>/dev/null | wc -l)" 0 "no VF is left"
is "$(s journal show --json | jq '[.. | objects | select(.open? == true)] | length')" 0 "no journal is open"
G
monitor set_link nic1 on
part "the link is back" <<'G'
t "the link is up" pf_up
exits 0 "now it goes" s vf create "$dev" --count 2 --mac auto --max-rate 100
like "$(vf_line 1)" "max_tx_rate 100Mbps" "with its rate"
port >/share/with-vfs
rmmod ixgbe
modprobe ixgbe
wait_until "pf >/dev/null" 20
G
monitor set_link nic1 off
part "restore without a link" <<'G'
exits 5 "the rest is kept, the rates are pending" s restore "$dev" --link-timeout 3
like "$out" "rates of 2 VFs are pending" "it says so"
is "$(ls -d "$(pf_dir)"/virtfn* | wc -l)" 2 "the VFs are there"
t_not "without a rate" grep -q max_tx_rate <<<"$(vf_line 1)"
G
monitor set_link nic1 on
part "and with it" <<'G'
t "the link is up" pf_up
exits 0 "the next restore sets them" s restore "$dev"
is "$(port)" "$(cat /share/with-vfs)" "all is as before"
G
exit "$failed"
