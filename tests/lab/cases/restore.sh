# shellcheck shell=bash
# The driver is reloaded, which forgets everything: restore brings VFs, attributes, binding and rules back.
. /share/cases/lib.sh
modprobe vfio-pci
t "the PF is up and has a link" pf_up
addr=$(pf_addr)
exits 0 "3 VFs" s vf create "$addr" --count 3 --mac auto --vlan 9 --trust on --max-rate 300 --driver vfio-pci
exits 0 "a queue rule" s flow add "$addr" --name web udp4 dst-port 5001 queue 2
pf_up
exits 0 "a VF rule" s flow add "$addr" --name steer udp4 dst-port 5002 vf 2 queue 1
s guest xml web1 --pf "$addr" >/dev/null 2>&1
pf_up
before=$(port)
exits 0 "nothing to restore yet" s restore "$addr"
like "$out" "nothing to do" "it says so"

rmmod ixgbe
modprobe ixgbe
wait_until "pf >/dev/null" 20
is "$(ls -d "$(pf_dir)"/virtfn* 2>/dev/null | wc -l)" 0 "the reload took the VFs"
like "$(s flow list "$addr")" " missing " "the rules are known to be missing"
exits 0 "restore" s restore
pf_up
is "$(port)" "$before" "all is as before"
is "$(rules)" 2 "both rules are in the table"
like "$(s vf list "$addr")" "guest web1" "the guest still has its lease"
exits 0 "again: nothing to do" s restore
like "$out" "nothing to do" "it says so"
exits 0 "the lease can be used" s guest xml web1 --pf "$addr"

# ifdown wipes the rules of ixgbe
ip link set "$(pf)" down
pf_up
is "$(rules)" 0 "ifdown took the rules"
exits 0 "restore" s restore "$addr"
is "$(rules)" 2 "they are back"
