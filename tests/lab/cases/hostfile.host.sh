# shellcheck shell=bash
# One file for two PFs of different drivers: applied, a driver is reloaded and the host started again, and what was
# committed comes back; going back; an apply that nobody confirms is taken back by itself, and after a reboot by restore.
# Run on the host by tests/lab/test, with guest (shell code in the lab); the state of the tool is on a drive that stays.
failed=0
part() { # TITLE, guest code on stdin
	printf '# %s\n' "$1"
	{
		cat <<'G'
. /share/cases/lib.sh
mkdir -p /persist/state /var/lib
[ -e /var/lib/sriovctl ] || ln -s /persist/state /var/lib/sriovctl
modprobe vfio-pci
both() { for n in 1 2; do s host show "$(pf_addr "$n")" --json | jq -S '.pfs[0] | del(.speed_mbps, .carrier, .ifindex, .watched, .vf[]?.iommu_group)'; done; }
file=/persist/host.yaml
G
		cat
	} | guest || failed=1
}

part "applied" <<'G'
pf_up 1 && pf_up 2
both >/persist/before
cat >$file <<'Y'
version: 1
policies: {link-timeout: 60}
pfs:
  - match: {driver: ixgbe}
    vfs: 3
    mac: auto
    vlan: 9
    driver: vfio-pci
    vf:
      0: {trust: on, pool: nova}
    rules: |
      name web udp4 dst-port 5001 queue 0
      name steer udp4 dst-port 5002 vf 2
  - match: {driver: i40e}
    vfs: 2
    vlan: 7
    driver: none
    rules: |
      name in-vf udp4 dst-port 5003 in vf 1 queue 0
physnets:
  red: {pfs: ['*']}
Y
exits 2 "plan" s plan -f $file
like "$out" "install rule steer" "it tells the rules"
exits 0 "apply" s apply -f $file
exits 0 "status" s status
exits 0 "applied again: nothing to do" s apply -f $file
like "$out" "nothing to do" "it says so"
is "$(ls -d "$(pf_dir 1)"/virtfn* | wc -l)" 3 "VFs of the first"
is "$(ls -d "$(pf_dir 2)"/virtfn* | wc -l)" 2 "VFs of the second"
both >/persist/applied
is "$(both)" "$(cat /persist/applied)" "it stays so"

rmmod ixgbe
modprobe ixgbe
wait_until "pf 1 >/dev/null" 20
pf_up 1
exits 2 "a driver reload is drift" s status
like "$out" "create 3 VFs" "it says what would bring it back"
exits 0 "restore" s restore
pf_up 1
is "$(both)" "$(cat /persist/applied)" "all is as applied"
exits 0 "status" s status
sync
G
"$here/lab" reboot --state "$state" || failed=1
part "after a reboot" <<'G'
pf_up 1 && pf_up 2
is "$(ls -d "$(pf_dir 1)"/virtfn* 2>/dev/null | wc -l)" 0 "the reboot took the VFs"
exits 0 "restore" s restore
pf_up 1 && pf_up 2
is "$(both)" "$(cat /persist/applied)" "all is as applied"
exits 0 "status" s status
exits 0 "the file again: nothing to do" s apply -f $file
like "$out" "nothing to do" "it says so"

sed -i 's/vlan: 9/vlan: 19/; s/dst-port 5002/dst-port 6002/' $file
exits 0 "another file, for 20 s" s apply -f $file --confirm 20
like "$(vf_line 1)" "vlan 19" "it stands"
t "taken back by itself" wait_until 's generations --json | jq -e ".generations[1].status == \"undone\"" >/dev/null' 90
is "$(both)" "$(cat /persist/applied)" "all is as before"
exits 0 "a third time, for long" s apply -f $file --confirm 3000
sync
G
"$here/lab" reboot --state "$state" || failed=1
part "after a reboot that nobody confirmed" <<'G'
pf_up 1 && pf_up 2
exits 0 "restore" s restore
pf_up 1 && pf_up 2
is "$(both)" "$(cat /persist/applied)" "what was confirmed is back"
exits 0 "rollback" s rollback 1
pf_up 1 && pf_up 2
is "$(both)" "$(cat /persist/before)" "as found"
G
exit "$failed"
