#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Guests are tuned to the node of their NIC, all or nothing, and checked: every finding is made on purpose.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"

# guest NAME STATE XML [PROCESS]: a domain of the host; XML is what stands behind its memory.
guest() {
	local uuid
	uuid=$(printf '%s' "$1" | md5sum | sed 's/\(.\{8\}\)\(....\)\(....\)\(....\)\(.\{12\}\).*/\1-\2-\3-\4-\5/')
	edit_host --arg n "$1" --arg u "$uuid" --arg s "$2" --argjson p "${4:-null}" --arg x "<domain type='kvm'>
  <name>$1</name>
  <uuid>$uuid</uuid>
  <memory unit='GiB'>4</memory>
  $3
</domain>" '.domains = [.domains[]? | select(.name != $n)] +
		[{name: $n, uuid: $u, state: $s, xml: $x} + if $p then {process: $p} else {} end]'
}
os='<os><type arch="x86_64" machine="q35">hvm</type></os>'
# vf N [PF]: an interface with VF N of ens2f0, as the port has it
vf() {
	pf_of "${2-ens2f0}" ".vf[$1]" | jq -r '(.address | capture("(?<d>.*):(?<b>.*):(?<s>.*)\\.(?<f>.*)")) as $a |
		"<interface type=\"hostdev\" managed=\"yes\"><mac address=\"\(.attrs.mac)\"/><source><address type=\"pci\" domain=\"0x\($a.d)\" bus=\"0x\($a.b)\" slot=\"0x\($a.s)\" function=\"0x\($a.f)\"/></source></interface>"'
}
macvtap() { echo "<interface type='direct'><mac address='52:54:00:00:00:09'/><source dev='ens2f0' mode='bridge'/><model type='virtio'/><driver name='vhost' queues='$1'/></interface>"; }
bridge="<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>"
# threads CPUS [MORE]: QEMU with two vCPUs that may run on CPUS, its memory on node 1
process() { jq -n --arg c "$1" '{pid: 100, threads: [{tid: 100, name: "qemu-system-x86", cpus: $c, cpu: 12},
	{tid: 101, name: "CPU 0/KVM", cpus: $c, cpu: 13}, {tid: 102, name: "CPU 1/KVM", cpus: $c, cpu: 14}],
	memory: [{node: 1, huge_kib: 4194304}]}'" | ${2-.}"; }
# xml_of GUEST [KEY]: config or (live) running
xml_of() { jq -r --arg g "$1" --arg k "${2-xml}" '.domains[] | select(.name == $g)[$k]' "$host"; }
xpath() { xmllint --xpath "$1" - 2>/dev/null || true; }
pins() { xml_of "$1" "${2-xml}" | xpath '//vcpupin/@cpuset' | sed 's/[^0-9,-]*//g' | paste -sd ' '; }
allowed() { jq -c --arg g "$1" '[.domains[] | select(.name == $g).process.threads[].cpus]' "$host"; }
valid() {
	command -v virt-xml-validate >/dev/null || return 0
	xml_of "$1" "${2-xml}" >"$work/domain.xml"
	virt-xml-validate "$work/domain.xml" domain >"$work/validate" 2>&1 || fail "not valid: $(cat "$work/validate")"
	passed
}
item() { jq -c --arg w "$1" '.items[] | select(.item == $w) | [.now, .config, .then, .differs, .next_start]' "$work/out"; }

new_host
expect 0 vf create ens2f0 --count 4 --mac auto
expect 0 vf create ens1f0 --count 1 --mac auto
let_land

# ---- a guest that does not run ----
guest web1 defined "<vcpu>4</vcpu>$os<devices>$(vf 0)</devices>"
before=$(cat "$host")
expect 2 guest tune web1 --plan
showed "web1 (defined), node 1: VF 0000:81:10.0 is there" "core 10,26 of node 1" "6 items differ: --apply changes them"
is "a plan changes nothing" "$before" "$(cat "$host")"
expect 2 guest tune web1 --plan --json
is "vCPU 1" '["","","26",true,false]' "$(item 'vcpupin 1')"
is "emulator" '["","","15,31",true,false]' "$(item emulatorpin)"
is "memory" '["","","strict 1",true,false]' "$(item memory)"
expect 0 guest tune web1 --apply
showed "6 items changed"
is "vCPUs: whole cores of the node, off the interrupts on 8-9" "10 26 11 27" "$(pins web1)"
is "one definition" '{"virt_define":1}' "$(effects | jq -c '{virt_define, virt_pin} | del(..|nulls)')"
valid web1
after=$(cat "$host")
expect 0 guest tune web1 --plan
showed "nothing to do"
expect 0 guest tune web1 --apply
is "done twice, no write" "$after" "$(cat "$host")"
expect 0 guest check web1
showed "web1 (not running: only its definition was looked at): 0 findings"

# ---- the next guest gets other cores, also at the same time ----
for i in 1 2 3; do guest "many$i" defined "<vcpu>2</vcpu>$os<devices>$(vf "$i")</devices>"; done
for i in 1 2 3; do "$tool" guest tune "many$i" --apply >"$work/many$i" 2>&1 & done
wait
is "distinct CPUs of three tuned at once" 6 "$(for i in 1 2 3; do pins "many$i"; done | tr ' ' '\n' | sort -u | grep -vcE '^(10|11|26|27)$')"
is "housekeeping is shared" "15,31" "$(xml_of many3 | xpath 'string(//emulatorpin/@cpuset)')"
edit_host '.domains = []'

# ---- a running guest: pins now, memory at its next start ----
guest db1 running "<vcpu>2</vcpu>$os<devices>$(vf 0)</devices>" "$(process 0-31)"
expect 2 guest tune db1 --plan --json
is "memory waits" '["","","strict 1",true,true]' "$(item memory)"
expect 2 guest tune db1 --plan
showed "(at its next start)" "note: the memory of a running guest stays where it is: that part counts from its next start"
expect 0 guest tune db1 --apply --live
is "live" "10 26" "$(pins db1 live)"
is "not the definition" "" "$(pins db1)"
is "threads" '["15,31","10","26"]' "$(allowed db1)"
expect 0 guest tune db1 --plan --live
showed "and its definition is not tuned here: leave --live out" "nothing to do"
expect 2 guest tune db1 --plan --config
expect 2 guest tune db1 --plan
showed "DEFINED"
expect 0 guest tune db1 --apply
is "the definition" "10 26 strict" "$(pins db1) $(xml_of db1 | xpath 'string(//numatune/memory/@mode)')"
is "live memory is not promised" "" "$(xml_of db1 live | xpath 'string(//numatune/memory/@mode)')"
expect 0 guest tune db1 --plan
expect 2 guest tune db1 --plan --numatune interleave --json
is "another mode" '["","strict 1","interleave 1",true,true]' "$(item memory)"
# only the cgroup binds it: that can change
guest res1 running "<vcpu>1</vcpu><numatune><memory mode='restrictive' nodeset='0'/></numatune>$os<devices>$(vf 1)</devices>" "$(process 0-31)"
expect 0 guest tune res1 --apply --live --json
is "restrictive memory moves" '["restrictive 0",null,"restrictive 1",true,false]' "$(item memory)"
is "live" 1 "$(xml_of res1 live | xpath 'string(//numatune/memory/@nodeset)')"

# ---- cells, hugepages, vhost-user, macvtap, IOThreads ----
edit_host '.domains = []'
guest big1 defined "<memoryBacking><hugepages><page size='1' unit='GiB'/></hugepages></memoryBacking><vcpu>4</vcpu><iothreads>1</iothreads>$os
  <cpu><numa><cell id='0' cpus='0-1' memory='2' unit='GiB'/><cell id='1' cpus='2-3' memory='2' unit='GiB'/></numa></cpu>
  <devices>$(vf 0)<interface type='vhostuser'><mac address='52:54:00:00:00:08'/><source type='unix' path='/run/x' mode='server'/><model type='virtio'/></interface></devices>"
expect 0 guest tune big1 --apply --exclude-cpus 2,10
is "PMD cores and their threads are left out" "11 27 0 16" "$(pins big1)"
is "cells" 'memnode 0=strict 1 memnode 1=strict 0' "$(xml_of big1 | xmllint --xpath '//memnode' - | sed 's/.*cellid="\(.\)" mode="\(.*\)" nodeset="\(.\)".*/memnode \1=\2 \3/' | paste -sd ' ')"
is "shared" shared "$(xml_of big1 | xpath 'string(//memoryBacking/access/@mode)')"
valid big1
guest tap1 defined "<vcpu>2</vcpu>$os<devices>$(macvtap 4)</devices>"
expect 2 guest tune tap1 --plan
showed "node 1: ens2f0, below its macvtap, is there" "4 vhost workers run here too"
edit_host '(.pfs[] | select(.netdev == "ens2f0")).irq_cpus = "8-15,24-31"'
expect 2 guest tune tap1 --plan --json
is "off the interrupts first, same node second" '["","","5-7,21-23",true,false]' "$(item emulatorpin)"
has "why" "$(jq -r '.items[] | select(.item == "emulatorpin").why' "$work/out")" "off the NIC's interrupts and the vCPUs, node 0"
has "note" "$(jq -r '.notes[]' "$work/out")" "node 1 has 0 free CPUs off the interrupts for 2 vCPUs: cores that take the NIC's interrupts are used as well"
edit_host '(.pfs[] | select(.netdev == "ens2f0")).irq_cpus = "8-9"'
guest br1 defined "<vcpu>1</vcpu><numatune><memory mode='preferred' nodeset='0'/></numatune>$os<devices>$bridge</devices>"
expect 0 guest tune br1 --apply --json
is "its own node, off the interrupts of every port" '"node 0: the domain says so" ["","","4",true,false]' \
	"$(jq -c .reason "$work/out") $(item 'vcpupin 0')"
guest odd1 defined "<vcpu>0</vcpu>$os"
expect 0 guest tune big1 --plan
showed "note: the XML of 1 other guest could not be read: CPUs may be taken by it"
edit_host '.domains -= [.domains[] | select(.name == "odd1")]'

# ---- all or nothing ----
fresh() {
	edit_host '.domains = [] | .sim.deviate = []'
	guest db1 running "<vcpu>2</vcpu>$os<devices>$(vf 0)</devices>" "$(process 0-31)"
}
fresh
deviate '[{"op": "virt_pin", "skip": 2, "times": 1, "errno": "EIO"}]'
definition=$(xml_of db1)
expect 4 guest tune db1 --apply
is "the first two pins are back" '["0-31","0-31","0-31"]' "$(allowed db1)"
is "the definition is as it was" "$definition" "$(xml_of db1)"
fresh
deviate '[{"op": "virt_define", "times": 1, "errno": "EIO"}]'
expect 4 guest tune db1 --apply
is "all pins are back" '["0-31","0-31","0-31"]' "$(allowed db1)"
fresh
deviate '[{"op": "virt_pin", "skip": 1, "times": 1, "lie": true}]'
expect 4 guest tune db1 --apply
said "libvirt took vcpupin 1 '26', and reads back ''"
is "all pins are back" '["0-31","0-31","0-31"]' "$(allowed db1)"
is "the definition is back" "$definition" "$(xml_of db1)"
fresh
deviate '[{"op": "virt_pin", "skip": 2, "errno": "EIO"}]'
expect 5 guest tune db1 --apply
said "could not be set back" "sriovctl guest tune db1 --apply"
# it stays recorded, and the next one finishes the undoing
expect 5 guest tune db1 --apply
said "virt_pin fails" "a tuning of db1 was left half done and must be settled first"
deviate '[]'
expect 0 guest tune db1 --apply
showed "first settled a tuning of db1 that was left half done"
fresh
deviate '[{"op": "virt_pin", "times": 1, "errno": "EIO"}]'
expect 1 guest tune db1 --apply
is "nothing was changed" '["0-31","0-31","0-31"]' "$(allowed db1)"
is "nothing was defined" "$definition" "$(xml_of db1)"
deviate '[]'
expect 0 guest tune db1 --apply

# ---- refused ----
expect 1 guest tune db1
said "neither --plan nor --apply is given"
expect 1 guest tune db1 --plan --apply
said "--plan and --apply are both given"
expect 1 guest tune db2 --plan
said "db1"
expect 1 guest tune db1 --plan --exclude-cpus 0-x
said "0-x: not a list of CPUs like 0-3,8"
expect 1 guest tune db1 --plan --exclude-cpus 4000
said "names CPUs that this host does not have"
expect 1 guest tune db1 --plan --exclude-cpus 8-15
said "node 1 has no CPU that its vCPUs may have" "--exclude-cpus"
expect 1 guest tune db1 --plan --numatune tight
said "not one of strict, preferred, interleave, restrictive"
expect 1 guest tune db1 --plan --node 7
said "--node 7 is on node 7, which this host does not have"
guest off1 defined "<vcpu>1</vcpu>$os<devices>$bridge</devices>"
expect 1 guest tune off1 --plan --live
said "off1: the guest does not run"
expect 1 guest tune off1 --plan
said "none of its interfaces is on a NIC whose node is known" "--node N"
expect 2 guest tune off1 --plan --node 1
showed "node 1: as asked for"
edit_host '(.domains[] | select(.name == "db1")) |= (.live //= .xml | del(.xml))'
expect 1 guest tune db1 --plan --config
said "db1: the guest is transient: it has no definition"
expect 0 guest tune db1 --plan
edit_host '.nodes = [] | .pfs[].node = 0'
expect 1 guest tune db1 --plan
said "host: it shows no NUMA node"
new_host
expect 0 vf create ens2f0 --count 4 --mac auto
expect 0 vf create ens1f0 --count 1 --mac auto
let_land

# ---- check: nothing wrong, then each thing wrong by itself ----
pinned="<vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='12'/><vcpupin vcpu='1' cpuset='28'/><emulatorpin cpuset='15,31'/></cputune>
  <numatune><memory mode='strict' nodeset='1'/></numatune>"
right=$(process 12 '.threads[0].cpus = "15,31" | .threads[2].cpus = "28"')
# finds ID SEVERITY XML PROCESS [ARGUMENTS…]: the one finding of such a guest; its evidence and fix are left for `with_words`
finds() {
	guest web1 running "$3" "$4"
	expect 2 guest check web1 "${@:5}" --json
	is "findings" "[\"$1\",\"$2\"]" "$(jq -c '[.findings[] | (.id, .severity)]' "$work/out")"
}
with_words() {
	local fragment
	for fragment; do has "its words" "$(jq -r '.findings[0] | .object + ": " + .evidence + " | " + .fix' "$work/out")" "$fragment"; done
}
change_of() { jq -cn --argjson p "$right" "\$p | $1"; }
good="$pinned$os<devices>$(vf 0)</devices>"
guest web1 running "$good" "$right"
expect 0 guest check web1
showed "web1 (running): 0 findings"

finds memory-elsewhere problem "$good" "$(change_of '.memory = [{node: 0, kib: 1048576}, {node: 1, kib: 3145728}]')"
with_words "25 % of it is not on node 1" "node 0: 1024 MiB, node 1: 3072 MiB" "restart the guest"
finds vcpu-elsewhere problem "${good/cpuset=\'28\'/cpuset=\'12,4\'}" "$(change_of '.threads[2].cpus = "4,12"')"
with_words "vCPU 1: thread 102 (CPU 1/KVM) may run on 4,12, ran last on 14" "sriovctl guest tune web1 --apply"
finds vcpu-on-interrupts warning "${good/cpuset=\'28\'/cpuset=\'24\'}" "$(change_of '.threads[2].cpus = "24"')"
with_words "the NIC's interrupts are on 8-9,24-25"
finds emulator-on-interrupts warning "${good/cpuset=\'15,31\'/cpuset=\'8\'}" "$(change_of '.threads[0].cpus = "8"')"
finds iothread-on-interrupts warning "<iothreads>1</iothreads>${good/<emulatorpin/<iothreadpin iothread=\'1\' cpuset=\'9\'/><emulatorpin}" \
	"$(change_of '.threads += [{tid: 103, name: "IO iothread1", cpus: "9"}]')"
with_words "IOThread 1"
finds on-excluded-cpus problem "$good" "$right" --exclude-cpus 31
with_words "emulator: thread 100 (qemu-system-x86) may run on 15,31" "cores 15,31 are not for guests" "--exclude-cpus 15,31"
finds pin-undone warning "$good" "$(change_of '.threads[1].cpus = "12-13"')"
with_words "the domain pins it to 12: something else moved it" "virsh vcpupin web1 0 12 --live"
finds vf-mac problem "${good/mac address=\"/mac address=\"52:54:00:00:00:77\" x=\"}" "$right"
with_words "the domain says MAC 52:54:00:00:00:77, the port has" "sriovctl vf set ens2f0 0 --mac 52:54:00:00:00:77 --force"
finds vf-vlan problem "${good/<source><address/<vlan><tag id=\'42\'/></vlan><source><address}" "$right"
with_words "the domain says VLAN 42, the port has 0" "--vlan 42 --force"
sh_fix=$(jq -r '.findings[0].fix' "$work/out")
# shellcheck disable=SC2086
expect 0 ${sh_fix#sriovctl }
expect 0 guest check web1
expect 0 vf set ens2f0 0 --vlan 0 --force
finds numatune-missing warning "${good/<numatune><memory mode=\'strict\' nodeset=\'1\'\/><\/numatune>/}" "$right"
with_words "VFIO touches and pins all of it at once" "restart"
finds numatune-missing warning "<memoryBacking><hugepages/></memoryBacking>${good/<numatune>*<\/numatune>/}" "$right"
with_words "its hugepages are allocated at start by QEMU's main thread"
finds memory-not-shared problem "${good/<\/devices>/<interface type=\'vhostuser\'><mac address=\'52:54:00:00:00:08\'/><source type=\'unix\' path=\'/run/x\' mode=\'server\'/><model type=\'virtio\'/></interface></devices>}" "$right"
with_words "it has a vhost-user interface, and its memory is not shared"
finds vf-elsewhere problem "${good/<\/devices>/$(vf 0 ens1f0)</devices>}" "$right"
with_words "it is on node 0, and the domain binds its memory to node 1"

# workers of vhost-net: kernel threads of old kernels and tasks of new ones have the same name
tap="$pinned$os<devices>$(macvtap 2)</devices>"
workers() { change_of ".threads += [range(2) | {tid: (200 + .), name: \"vhost-100\", cpus: \"15,31\", cpu: 15, run_ms: 90000, wait_ms: 100}] | $1"; }
guest web1 running "$tap" "$(workers .)"
expect 0 guest check web1
finds vhost-starved problem "$tap" "$(workers '.threads[3].wait_ms = 270000')"
with_words "vhost worker 200: thread 200 (vhost-100) may run on 15,31" "it ran 90000 ms and waited 270000 ms for a CPU"
finds vhost-on-interrupts warning "$tap" "$(workers '.threads[4].cpus = "8,24"')"
with_words "taskset -cp 15,31 201"
finds queues-without-workers warning "$tap" "$(workers 'del(.threads[4])')"
with_words "vhost-net runs 1 of the 2 workers that are configured" "modprobe vhost_net"
finds queues-unused note "$tap" "$(workers '.threads[4].run_ms = 3')"
with_words "1 of 2 workers do all the work" "no worker starves" "ethtool -L"
finds irqbalance warning "$good" "$(change_of '.irqbalance = 55')"
with_words "process 55 moves interrupts as it likes, and CPUs 12,28 are for the vCPUs alone" "IRQBALANCE_BANNED_CPULIST=12,28"
guest web1 running "$good" "$(change_of '.irqbalance = 55 | .irqbalance_banned = "12-13,28-29"')"
expect 0 guest check web1
finds poll-us note "$good<commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='-netdev'/><arg value='tap,id=n9,poll-us=50'/></commandline>" "$right"
with_words "busy polling" "net.core.busy_poll"

# several at once: the worst first
guest web1 running "<vcpu>2</vcpu>$os<devices>$(vf 0)</devices>" "$(process 0-31 '.irqbalance = 55 | .memory[0].node = 0')"
expect 2 guest check web1
showed "problem [memory-elsewhere] memory: 100 % of it is not on node 1" "  fix: sriovctl guest tune web1 --apply"
is "the worst first" "problem problem problem warning warning warning warning" \
	"$(out | sed -n 's/^\([a-z]*\) \[.*/\1/p' | paste -sd ' ')"
# a guest that nothing places is looked at all the same
guest off1 running "<vcpu>1</vcpu>$os<devices><interface type='user'><model type='virtio'/></interface></devices>" "$(process 0-31 'del(.threads[2])')"
expect 0 guest check off1
guest gone1 running "<vcpu>1</vcpu>$os"
expect 1 guest check gone1
said "its host file shows no process of it"
expect 1 guest check gone2
said "gone1"
edit_host '(.domains[] | select(.name == "web1").process.threads[0]) |= (.cpus = "0-x")'
expect 1 guest check web1
said "process.threads[0]" "cpus: '0-x' is not a list of CPUs"
