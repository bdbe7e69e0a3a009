# shellcheck shell=bash
# Guests of a real libvirtd and QEMU on two nodes, with the NIC's real interrupts: tuned, seen in /proc, and checked; and
# where the workers of vhost-net are on this kernel.
. /share/cases/lib.sh
modprobe -a vhost_net macvtap tun
t "the PF is up and has a link" pf_up
# QEMU is to open /dev/vhost-net itself, see below
echo 'namespaces = []' >>/etc/libvirt/qemu.conf
t "libvirtd answers" start_libvirtd
dev=$(pf)
first=$(sed 's/-.*//' "/sys/bus/pci/devices/$(pf_addr)/local_cpulist") # of the NIC's node
interrupts() { # CPU: of the port
	local irq
	for irq in "$(pf_dir)"/msi_irqs/*; do
		[ ! -d "/proc/irq/${irq##*/}" ] || echo "$1" >"/proc/irq/${irq##*/}/smp_affinity_list"
	done
}
interrupts "$first"
node=$(cat "$(pf_dir)/numa_node")
is "$(s host snapshot | jq -c --arg pf "$(pf_addr)" '[.pfs[] | select(.address == $pf).irq_cpus]')" "[\"$first\"]" "the port's interrupts are known"
is "$(s host snapshot | jq -c "[.nodes[$node].cores[0], .nodes[$node].socket]")" "[\"$first\",$node]" "and the node's cores"

domain() { # NAME INTERFACE
	small_domain "$1" | sed "s|<vcpu>1</vcpu>|<vcpu>2</vcpu>|; s|</devices>|$2</devices>|" >"/tmp/$1.xml"
}
pid() { pgrep -f -- "-name guest=$1,"; }
# allowed TID: the CPUs that a thread may run on
allowed() { awk '/^Cpus_allowed_list/ {print $2}' "/proc/$1/status"; }
# thread PID NAME: the thread of that name in QEMU's process
thread() { grep -lx -- "$2" "/proc/$1"/task/*/comm | sed 's|/comm||; s|.*/||'; }
ids() { jq -r '[.findings[].id] | unique | join(" ")' <<<"$out"; }

# ---- macvtap, and vhost-net ----
# libvirt gives vhost-net to guests of KVM only; so it comes as QEMU's own arguments, on a tap of two queues
domain tap1 "<interface type='direct'><source dev='$dev' mode='vepa'/><model type='virtio'/></interface>"
sed -i "s|<domain |<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' |
	s|</domain>|<qemu:commandline><qemu:arg value='-netdev'/><qemu:arg value='tap,id=n9,ifname=tap9,script=no,downscript=no,vhost=on,queues=2'/><qemu:arg value='-device'/><qemu:arg value='virtio-net-pci,netdev=n9,mq=on,addr=0x10'/></qemu:commandline></domain>|" /tmp/tap1.xml
t "with vhost-net" virsh -q define /tmp/tap1.xml
t "a guest with a macvtap starts" virsh -q start tap1 --paused
qemu=$(pid tap1)
tasks=$(thread "$qemu" "vhost-$qemu" | wc -l) kernel=$(pgrep -cx "vhost-$qemu")
_comment "on $(uname -r): workers of vhost-net: $tasks tasks of QEMU's process, $((kernel)) processes of that name"
case $(uname -r) in
6.1.*) is "$tasks" 0 "up to Linux 6.3 they are kernel threads" ;;
*) is "$tasks" 2 "since Linux 6.4 they are tasks of QEMU's process" ;;
esac
exits 2 "check finds what is wrong" s guest check tap1 --json
like "$(ids)" "emulator-on-interrupts.*vcpu-elsewhere.*vhost-on-interrupts" "threads on interrupts and on the other node"
is "$(jq '[.findings[] | select(.id == "vhost-on-interrupts")] | length' <<<"$out")" 2 "both workers are seen"
exits 2 "a plan" s guest tune tap1 --plan
_comment "$out"
exits 0 "tune" s guest tune tap1 --apply
is "$(allowed "$(thread "$qemu" 'CPU 0/TCG')") $(allowed "$(thread "$qemu" 'CPU 1/TCG')")" "$((first + 1)) $((first + 2))" \
	"vCPUs are pinned, in /proc"
like "$(allowed "$qemu")" "[0-9]" "the emulator too"
case ",$(allowed "$qemu")," in *",$first,"*) fail "the emulator is off the interrupts" ;; *) ok "the emulator is off the interrupts" ;; esac
exits 0 "tuned" s guest tune tap1 --plan
exits 2 "what libvirt without cgroups leaves" s guest check tap1 --json
_comment "$(jq -c '.findings[] | [.id, .object, .evidence, .fix]' <<<"$out")"
# the fixes are commands: do them
while read -r fix; do
	_comment "$fix"
	eval "${fix/sriovctl/s}" >/dev/null
done < <(jq -r '.findings[].fix | select(contains(",") | not)' <<<"$out")
exits 0 "nothing is left after the fixes" s guest check tap1
_comment "$out"
taskset -cp 0 "$(thread "$qemu" 'CPU 0/TCG')" >/dev/null
exits 2 "a pin that something undid is found" s guest check tap1
like "$out" "pin-undone" "and named"
virsh -q destroy tap1
virsh -q undefine tap1 # its pins would be left alone

# ---- a VF: memory on its node from the start ----
t "2 VFs" vfs_create 2
interrupts "$first" # the driver asks for them anew when it makes VFs
IFS=':.' read -r domain bus slot function <<<"$(vf_addr 0)"
domain vf1 "<interface type='hostdev' managed='yes'><mac address='52:54:00:aa:bb:01'/><source><address type='pci' domain='0x$domain' bus='0x$bus' slot='0x$slot' function='0x$function'/></source></interface>"
t "a guest with a VF" virsh -q define /tmp/vf1.xml
exits 0 "tuned before its start" s guest tune vf1 --apply
_comment "$out"
exits 0 "that is all" s guest tune vf1 --plan
t "it starts" virsh -q start vf1 --paused
qemu=$(pid vf1)
is "$(allowed "$(thread "$qemu" 'CPU 0/TCG')")" "$((first + 1))" "its vCPU is pinned from the start"
pages=$(awk '/dirty|anon/ {for (i = 1; i <= NF; i++) if ($i ~ /^N[0-9]+=/) {split($i, a, "="); n[a[1]] += a[2]}}
	END {print n["N'"$node"'"] + 0, n["N'$((1 - node))'"] + 0}' "/proc/$qemu/numa_maps")
read -r near far <<<"$pages"
t "VFIO pinned its memory on node $node ($near pages there, $far elsewhere)" [ "$near" -gt $((128 * 256)) ]
exits 0 "nothing is wrong" s guest check vf1
_comment "$out"
ip link set "$dev" vf 0 mac 52:54:00:00:00:99 vlan 42
exits 2 "a MAC and a VLAN that somebody changed are found" s guest check vf1 --json
is "$(ids)" "vf-mac vf-vlan" "and named"
virsh -q destroy vf1
