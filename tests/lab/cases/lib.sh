# shellcheck shell=bash
# Sourced by the cases, in the guest: the tool, and questions to it.
. /lab/lib.sh

# not from the share, which keeps no page of a program: each start would fetch it anew, which is most of a command's time
cp /share/sriovctl /tmp/
s() { /tmp/sriovctl "$@"; }

# exits WANT DESCRIPTION COMMAND…: by exit status; what it printed stays in $out.
exits() {
	local want=$1 what=$2 rc=0
	shift 2
	out=$("$@" 2>&1) || rc=$?
	is "$rc" "$want" "$what"
	[ "$rc" = "$want" ] || _comment "$out"
}

# port: what the host shows of the PF, without what changes by itself or is of our own
port() { s host show "$(pf_addr)" --json | jq -S '.pfs[0] | del(.speed_mbps, .carrier, .ifindex, .watched)'; }

# vf_line I: iproute2's words of that VF
vf_line() { ip link show "$(pf)" | grep "^ *vf $1 "; }

# small_domain NAME: the XML of a guest that boots nothing
small_domain() {
	cat <<-X
		<domain type='qemu'>
		  <name>$1</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
		  <os><type arch='x86_64' machine='q35'>hvm</type></os>
		  <features><acpi/></features>
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    <controller type='usb' model='none'/><memballoon model='none'/>
		  </devices>
		</domain>
	X
}

# roomy_domain NAME: defines one that has slots for a NIC that comes while it runs
roomy_domain() {
	local ports="<controller type='pci' index='0' model='pcie-root'/><controller type='pci' index='1' model='pcie-root-port'/>"
	ports+="<controller type='pci' index='2' model='pcie-root-port'/>"
	small_domain "$1" | sed "s#<devices>#<devices>$ports#" >"/tmp/$1.xml"
	virsh -q define "/tmp/$1.xml"
}

# interface NAME: the netdev behind the guest's NIC
interface() { virsh -q domiflist "$1" | awk '{print $1; exit}'; }

# ---- times: files of numbers, one a round

# median FILE
median() { sort -n "$1" | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }

# times_ratio A B: of the rounds in which both were timed, the smallest A / B. Other work on the host only ever makes a
# round slower, and hits the two ways of one round alike: one quiet pair is enough, and no noise alone fails a gate on
# it; what became slower itself is so in every pair.
times_ratio() {
	paste "$1" "$2" | awk 'NF == 2 {r = $1 / $2; if (!n++ || r < least) least = r}
		END {if (!n) exit 1; printf "%.2f", least}'
}

# at_most GOT MOST DESCRIPTION: of ratios
at_most() { t "$3: $1" awk -v a="$1" -v b="$2" 'BEGIN {exit a == "" || a + 0 > b + 0}'; }
