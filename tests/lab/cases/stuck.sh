# shellcheck shell=bash
# A VF held by a running guest: refused by finding the holder; forced, `stuck` within the deadline, and clear again.
. /share/cases/lib.sh
t "the PF is up and has a link" pf_up
dev=$(pf)
exits 0 "3 VFs" s vf create "$dev" --count 3 --mac auto --driver default
small_domain vm1 >/tmp/vm.xml
s guest xml vm1 --pf "$dev" --domain /tmp/vm.xml >/tmp/out.xml
t "libvirtd answers" start_libvirtd
t "a paused guest holds VF 0" virsh -q create /tmp/out.xml --paused
for command in "vf delete $dev" "vf bind $dev 0 --driver default" "vf set $dev 0 --trust on" \
	"vf create $dev --count 3 --trust on"; do
	# shellcheck disable=SC2086
	exits 3 "refused: $command" s $command
	like "$out" "vm1" "it names the guest"
done
start=$SECONDS
exits 6 "forced, the kernel does not come back" s vf delete "$dev" --force --kernel-timeout 4
t "it said so within its deadline ($((SECONDS - start)) s)" test $((SECONDS - start)) -le 12
_comment "$out"
like "$out" "kernel" "it says what hangs"
like "$(s journal show)" "stuck" "the journal names it"
exits 6 "the PF is quarantined" s vf set "$dev" 1 --trust on
like "$out" "hangs|quarantined" "it says so"
t "reading goes on" s host show
t "the guest goes" virsh -q destroy vm1
wait_until "! pgrep -x sriovctl-kernel >/dev/null" 60 # the call has come back
ip link set "$dev" up
s guest detach vm1 >/dev/null 2>&1
exits 0 "the next change recovers" s vf create "$dev" --count 3 --mac auto --driver default
_comment "$out"
is "$(ls -d "$(pf_dir)"/virtfn* | wc -l)" 3 "3 VFs are there"
is "$(s journal show --json | jq '[.. | objects | select(.open? == true)] | length')" 0 "no journal is open"
exits 0 "all go" s vf delete "$dev"
