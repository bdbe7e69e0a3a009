#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The effects of lib/guest/virt.h on a real libvirt with a real QEMU (TCG), by virtcall.c: a libvirtd of the test's own,
# killed and frozen, and a libvirt inside the process (qemu:///embed). The simulated libvirt is asked the same and must
# answer the same.
#
# The guest is 40 bytes of boot sector that let go of every device which QEMU asks back.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
# shellcheck source=tests/libvirtd.sh
. "$repo/tests/libvirtd.sh"
with cc as ld tc
ip link set lo up
ip link add br-test type bridge
ip link add base0 type veth peer name base1
ip link set br-test up
ip link set base0 up

# sanitizers know nothing of XDR, which libvirt speaks, unless it is there at the start
read -ra libraries <<<"$(pkg-config --libs libnl-3.0 libmnl sqlite3 jansson)"
read -ra cflags <<<"$(pkg-config --cflags libnl-3.0 jansson)"
cc -std=gnu17 -D_GNU_SOURCE -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -I"$repo/include" -I"$repo" \
	"${cflags[@]}" -o "$work/virtcall" "$repo/tests/integration/virtcall.c" "$repo/build-dev/libsriov.a" \
	"${libraries[@]}" -ldl -Wl,--no-as-needed -l:libtirpc.so.3

# ---- asking ----

# open_real URI: a process that stays, as one command does
open_real() {
	rm -f "$work/ask" "$work/answer"
	mkfifo "$work/ask" "$work/answer"
	"$work/virtcall" "" "$1" <"$work/ask" >"$work/answer" 2>"$work/real.err" &
	real=$!
	exec 8>"$work/ask" 7<"$work/answer"
}
close_real() {
	exec 8>&-
	wait "$real" || fail "virtcall ended with $?: $(cat "$work/real.err")"
	exec 7<&-
}
send() { printf '%s\n' "$*" >&8; }
receive() {
	answer='nothing'
	IFS= read -r -t 300 answer <&7 || fail "virtcall is gone: $(cat "$work/real.err")"
}
ask() {
	send "$@"
	receive
	echo "$* -> $answer"
}
# ok CALL…, no CODE CALL…
ok() {
	ask "$@"
	case $answer in ok*) passed ;; *) fail "$*: $answer" ;; esac
}
no() {
	local code=$1
	shift
	ask "$@"
	case $answer in "error $code "*) passed ;; *) fail "$*: expected $code, found $answer" ;; esac
}
# told FRAGMENT…: in the last answer
told() {
	local fragment
	for fragment; do has "the answer" "$answer" "$fragment"; done
}
# same_sim CALL…: the simulated libvirt, asked the same, says the same as the last answer
sim_host=$work/sim.json
same_sim() {
	local found
	found=$(printf '%s\n' "$*" | "$work/virtcall" "$sim_host")
	# only what libvirt itself said is compared, and what we made of it
	same "simulated: $*" "$answer" "$found"
}
both() { ok "$@" && same_sim "$@"; }
both_no() { no "$@" && shift && same_sim "$@"; }
sim_state() { jq --arg state "$1" '.domains[0].state = $state' "$sim_host" >"$work/edited" && mv "$work/edited" "$sim_host"; }

interface() { # NAME TYPE MAC SOURCE [MORE]
	cat >"$work/$1.xml" <<-END
		<interface type='$2'><mac address='52:54:00:00:00:$3'/><source $4/><model type='virtio'/>${5-}</interface>
	END
}
vf() { # NAME MAC SLOT [MORE]
	cat >"$work/$1.xml" <<-END
		<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:$2'/><driver name='vfio'/><source>
		<address type='pci' domain='0x0000' bus='0x3b' slot='0x$3' function='0x1'/></source>${4-}</interface>
	END
}
x() { echo "$work/$1.xml"; }
interface tap bridge 0b "bridge='br-test'"
interface tap2 bridge 0c "bridge='br-test'"
interface tap3 bridge 0d "bridge='br-test'"
interface standby bridge 1a "bridge='br-test'" "<teaming type='persistent'/><alias name='ua-standby'/>"
vf vf 0a 02
vf team 1a 03 "<teaming type='transient' persistent='ua-standby'/>"
interface limited bridge 0f "bridge='br-test'" "<bandwidth><outbound average='2500' burst='250'/></bandwidth>"
interface unlimited bridge 0f "bridge='br-test'"
interface macvtap-limited direct 0f "dev='base0' mode='bridge'" "<bandwidth><outbound average='2500' burst='250'/></bandwidth>"
for mode in vepa bridge private passthrough; do interface "macvtap-$mode" direct 0e "dev='base0' mode='$mode'"; done

cat >"$work/boot.s" <<'END'
	.code16
	.globl _start
_start:	sti
tick:	hlt
	xor %ecx, %ecx
bus:	mov $0xcd0, %dx		# ACPI PCI hotplug of QEMU's ICH9: which bus
	mov %ecx, %eax
	out %eax, %dx
	mov $0xcc4, %dx		# slots that are to go
	in %dx, %eax
	test %eax, %eax
	jz next
	mov $0xcc8, %dx		# they go
	out %eax, %dx
next:	inc %cx
	cmp $32, %cx
	jb bus
	jmp tick
	.org 510
	.word 0xaa55
END
as --32 -o "$work/boot.o" "$work/boot.s"
ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$work/boot" "$work/boot.o"
truncate -s 1M "$work/boot"

uuid=6f1c2b5e-0000-4000-8000-00000000000
# domain N: "guestN", with three spare ports
domain() {
	cp "$work/boot" "$work/boot$1"
	cat <<-END
		<domain type="qemu">
		  <name>guest$1</name>
		  <uuid>$uuid$1</uuid>
		  <memory unit="MiB">64</memory>
		  <vcpu>2</vcpu>
		  <os><type arch="x86_64" machine="q35">hvm</type></os>
		  <features><acpi/></features>
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    <controller type="usb" model="none"/>
		    <controller type="pci" index="0" model="pcie-root"/>
		    <controller type="pci" index="1" model="pcie-root-port"/>
		    <controller type="pci" index="2" model="pcie-root-port"/>
		    <controller type="pci" index="3" model="pcie-root-port"/>
		    <disk type="file"><source file="$work/boot$1"/><target dev="sda" bus="sata"/></disk>
		    <memballoon model="none"/>
		  </devices>
		</domain>
	END
}
domain 1 >"$work/guest1.xml"
# the simulated host has the same domain
jq --rawfile xml "$work/guest1.xml" --arg uuid "${uuid}1" \
	'.domains = [{name: "guest1", uuid: $uuid, state: "defined", xml: $xml}] | .sim.netdevs = [{name: "base0"}]' \
	"$example" >"$sim_host"

# ---- no libvirt ----

open_real "$uri"
no ECONNREFUSED find guest1
told "Failed to connect socket" "start the daemon"
close_real
open_real "nonsense:///x"
no ECONNREFUSED list
told "--uri"
close_real
mount --bind /dev/null /usr/lib/x86_64-linux-gnu/libvirt.so.0
open_real "$uri"
no ENOENT find guest1
told "install the package libvirt0"
close_real
umount /usr/lib/x86_64-linux-gnu/libvirt.so.0

# ---- definitions ----

start_daemon
open_real "$uri"
ok list
is "no domains" "ok 0" "$answer"
ok define "$work/guest1.xml"
both list
both find guest1
both find "${uuid}1"
both_no ENOENT find guset1
told "did you mean 'guest1'"
echo '<domain type="qemu"><name>broken</name></domain>' >"$work/broken.xml"
no EINVAL define "$work/broken.xml"
sed "s/${uuid}1/${uuid}7/" "$work/guest1.xml" >"$work/other.xml"
both_no EEXIST define "$work/other.xml"
sed "s/>guest1/>guest7/" "$work/guest1.xml" >"$work/other.xml"
both_no EEXIST define "$work/other.xml"

both attach guest1 "$(x vf)" config
has "the definition" "$(virsh dumpxml --inactive guest1)" "bus='0x3b' slot='0x02' function='0x1'"
both_no EEXIST attach guest1 "$(x vf)" config
both detach guest1 "$(x vf)" config
both_no ENODEV detach guest1 "$(x vf)" config
# one MAC twice, on purpose: each half is found by what it is
both attach guest1 "$(x standby)" config
both attach guest1 "$(x team)" config
is "one MAC twice" 2 "$(virsh dumpxml --inactive guest1 | grep -c 52:54:00:00:00:1a)"
both detach guest1 "$(x team)" config
has "the other half stays" "$(virsh dumpxml --inactive guest1)" "ua-standby"
both detach guest1 "$(x standby)" config
is "both gone" 0 "$(virsh dumpxml --inactive guest1 | grep -c 52:54:00:00:00:1a)"
# what a guest may send
both attach guest1 "$(x unlimited)" config
both limit guest1 "$(x limited)" config
has "the definition" "$(virsh dumpxml --inactive guest1)" "<outbound average='2500' burst='250'/>"
both limit guest1 "$(x unlimited)" config
is "no limit" 0 "$(virsh dumpxml --inactive guest1 | grep -c bandwidth)"
both detach guest1 "$(x limited)" config
both_no ENODEV limit guest1 "$(x limited)" config
both_no ENOTCONN limit guest1 "$(x limited)" live
no EOPNOTSUPP attach guest1 "$work/guest1.xml" config
both_no ENOTCONN attach guest1 "$(x tap)" live
both_no ENOTCONN detach guest1 "$(x tap)" live 100
both_no ENOTCONN pin guest1 vcpu 0 0 live
both_no ENOTCONN memory guest1 - 0 live
both pin guest1 vcpu 1 1 config
has "the definition" "$(virsh dumpxml --inactive guest1)" "<vcpupin vcpu='1' cpuset='1'/>"
both_no EINVAL pin guest1 vcpu 2 1 config
both_no EINVAL pin guest1 iothread 1 0 config
both_no EINVAL pin guest1 vcpu 0 x config
both memory guest1 strict 0 config
has "the definition" "$(virsh dumpxml --inactive guest1)" "<memory mode='strict' nodeset='0'/>"
both_no EINVAL memory guest1 loose 0 config
no ESRCH pid "${uuid}1"

# ---- a running guest ----

virsh start guest1
sim_state running
both find guest1
told running
ok pid "${uuid}1"
qemu=${answer#ok }
has "QEMU" "$(tr '\0' ' ' <"/proc/$qemu/cmdline")" "guest=guest1"
# cpus NAME: of the thread of that name
cpus() {
	local task
	for task in "/proc/$qemu/task"/*; do
		[ "$(cat "$task/comm")" != "$1" ] || sed -n 's/^Cpus_allowed_list:\t//p' "$task/status"
	done
}
is "pinned at its start" 1 "$(cpus 'CPU 1/TCG')"
both pin guest1 vcpu 0 1 live
is "pinned live" 1 "$(cpus 'CPU 0/TCG')"
both pin guest1 vcpu 1 0 live
is "pinned live" 0 "$(cpus 'CPU 1/TCG')"
both pin guest1 emulator 0 1 live
is "the emulator" 1 "$(sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$qemu/status")"
both_no EINVAL pin guest1 vcpu 2 0 live
both_no EINVAL pin guest1 iothread 1 0 live
no EINVAL pin guest1 vcpu 0 8000 live
told "the host has no such CPU"
has "the guest's memory" "$(grep -c bind:0 "/proc/$qemu/numa_maps" || true) mappings on node 0" " mappings"
between "mappings bound to node 0" 1 100000 "$(grep -c bind:0 "/proc/$qemu/numa_maps" || true)"
no EOPNOTSUPP memory guest1 - 0 live
if [ ! -e /dev/vfio/vfio ]; then
	no EOPNOTSUPP attach guest1 "$(x vf)" live
	told "host doesn't support" "vfio-pci"
fi

both attach guest1 "$(x tap)" live
is "a port of the bridge" 1 "$(ip -o link show master br-test | wc -l)"
both_no EEXIST attach guest1 "$(x tap)" live
both detach guest1 "$(x tap)" live 120000
is "ports of the bridge" 0 "$(ip -o link show master br-test | wc -l)"
both_no ENODEV detach guest1 "$(x tap)" live 100
for mode in vepa bridge private passthrough; do
	both attach guest1 "$(x "macvtap-$mode")" live
	has "$mode" "$(ip -d -o link show type macvtap)" "mode ${mode/passthrough/passthru}"
	both detach guest1 "$(x "macvtap-$mode")" live 120000
	is "$mode is gone" '' "$(ip -o link show type macvtap)"
done
# a limit is libvirt's work with tc, for which the kernel needs sch_htb, sch_sfq and act_police
shaped='' # whether this one has them
ip link add shape0 type veth peer name shape1
if tc qdisc add dev shape0 root sfq 2>/dev/null && tc qdisc add dev shape0 ingress && tc filter add dev shape0 parent ffff: \
	protocol all u32 match u32 0 0 police rate 1mbit burst 64k drop 2>/dev/null; then shaped=yes; fi
ip link del shape0
for device in limited macvtap-limited; do
	[ -z "$shaped" ] || continue
	no EOPNOTSUPP attach guest1 "$(x $device)" live
	told "libvirt: " "tc " "sch_htb"
	is "nothing is left" '' "$(ip -o link show master br-test; ip -o link show type macvtap)"
	is "nor in the guest" 0 "$(virsh dumpxml guest1 | grep -c "<interface")"
done
both attach guest1 "$(x unlimited)" live
if [ -n "$shaped" ]; then
	both limit guest1 "$(x limited)" live
	has "the limit" "$(tc filter show parent ffff: dev "$(ip -o link show master br-test | sed 's/^[0-9]*: //; s/:.*//')")" "rate 20Mbit"
	both limit guest1 "$(x unlimited)" live
else
	no EOPNOTSUPP limit guest1 "$(x limited)" live
	told "libvirt: " "tc " "sch_htb"
	is "no limit" 0 "$(virsh dumpxml guest1 | grep -c bandwidth)"
fi
both detach guest1 "$(x limited)" live 120000
for device in tap tap2 tap3; do both attach guest1 "$(x $device)" live; done
both_no ENOSPC attach guest1 "$(x macvtap-bridge)" live
told "No more available PCI slots" "pcie-root-port"
for device in tap2 tap3; do ok detach guest1 "$(x $device)" live 120000; done

# ---- a guest that does not answer ----

virsh suspend guest1
sim_state paused
both find guest1
told paused
began=$SECONDS
no ETIMEDOUT detach guest1 "$(x tap)" live 6000
told "does not let go of tap 52:54:00:00:00:0b" "paused"
same_sim detach guest1 "$(x tap)" live 6000
between "seconds until it was told" 5 20 $((SECONDS - began))
is "it still has it" 1 "$(ip -o link show master br-test | wc -l)"
# asked again, while the first question is still open: it answers when it goes on
send detach guest1 "$(x tap)" live 30000
sleep 1
virsh resume guest1
receive
is "answered late" ok "$answer"
is "ports of the bridge" 0 "$(ip -o link show master br-test | wc -l)"
# a guest that stops has let go of everything
ok attach guest1 "$(x tap)" live
virsh suspend guest1
began=$SECONDS
send detach guest1 "$(x tap)" live 50000
sleep 7
virsh destroy guest1
receive
is "stopped" ok "$answer"
between "seconds until it was told" 6 40 $((SECONDS - began))

# ---- a transient one ----

domain 2 >"$work/guest2.xml"
virsh create "$work/guest2.xml"
ok find guest2
told "running transient"
no ENOTCONN attach guest2 "$(x tap)" config
ok list
told "guest2 ${uuid}2 running transient 01"

# ---- the daemon goes away ----

# between two calls: nothing is lost
kill -9 "$daemon"
wait "$daemon" || true
start_daemon
ok find guest2
# while it waits for the guest, before and after libvirt itself has given up waiting
virsh suspend guest2
ok attach guest2 "$(x tap)" live
for delay in 2 7; do
	began=$SECONDS
	send detach guest2 "$(x tap)" live 50000
	sleep "$delay"
	kill -9 "$daemon"
	wait "$daemon" || true
	receive
	case $answer in "error ECONNRESET "*) passed ;; *) fail "killed after $delay s: $answer" ;; esac
	told "may have been done or not"
	at_most "seconds until it was told" $((delay + 20)) $((SECONDS - began))
	start_daemon
	ok find guest2
done
# it answers nothing any more
kill -STOP "$daemon"
began=$SECONDS
no ECONNRESET find guest2
at_most "seconds until it was told" 40 $((SECONDS - began))
kill -CONT "$daemon"
ok find guest2
virsh destroy guest2
close_real

# ---- libvirt inside the process ----

domain 3 >"$work/guest3.xml"
embedded="qemu:///embed?root=$embed"
open_real "$embedded"
ok define "$work/guest3.xml"
ok attach guest3 "$(x vf)" config
ok detach guest3 "$(x vf)" config
no ENOTCONN attach guest3 "$(x tap)" live
close_real
# nobody but this process can start it: it is started when the process opens libvirt, once a boot
mkdir "$embed/etc/qemu/autostart"
ln -s ../guest3.xml "$embed/etc/qemu/autostart/guest3.xml"
rm -f "$embed/run/qemu/autostarted"
open_real "$embedded"
for _ in $(seq 600); do
	send find guest3
	receive
	case $answer in *running*) break ;; esac
	sleep 0.1
done
told "guest3 ${uuid}3 running persistent"
ok attach guest3 "$(x tap)" live
is "a port of the bridge" 1 "$(ip -o link show master br-test | wc -l)"
# it may be before the guest has booted that it is asked
ok detach guest3 "$(x tap)" live 120000
is "ports of the bridge" 0 "$(ip -o link show master br-test | wc -l)"
ok pid "${uuid}3"
close_real
