# shellcheck shell=bash
# shellcheck disable=SC2154,SC2054 # the options are set in 'lab'; QEMU's arguments have commas in them
# machine.sh: the lab's machine, as QEMU arguments, and its start and stop. Sourced by 'lab'.

check_options() {
	[ "$kernel" = 6.12 ] || [ "$kernel" = 6.1 ] || die "--kernel $kernel: there are 6.12 and 6.1"
	[ "$node" = 0 ] || [ "$node" = 1 ] || die "--node $node: there are 0 and 1"
	[[ $smp =~ ^[0-9]*[02468]$ && $smp -ge 2 ]] ||
		die "--smp $smp: an even number, so that both nodes have as many CPUs"
	# With RAM above 4 GiB, SeaBIOS puts 64-bit VF BARs there too, and QEMU 10.0 maps those of igb as 32-bit ones:
	# VFs appear but never work. q35 moves RAM above 4 GiB from 2816 MiB on.
	[[ $mem =~ ^[0-9]+$ && $mem -ge 512 && $mem -lt 2816 ]] ||
		die "--mem $mem: between 512 and 2815 MiB (from 2816 on, QEMU's VFs stop working)"
	[[ -z $vfs || ( $vfs =~ ^[0-9]+$ && $vfs -ge 1 ) ]] || die "--vfs $vfs: a number from 1 on"
	[[ -z $props || $props =~ ^[a-z-]+=[a-z0-9]+(,[a-z-]+=[a-z0-9]+)*$ ]] ||
		die "--props $props: P=V, separated by commas"
	[[ $timeout =~ ^[0-9]+$ ]] || die "--timeout $timeout: whole seconds"
	[ ${#nics[@]} -gt 0 ] || nics=(82599)
	[ ${#nics[@]} -le 9 ] || die "--nic: at most 9 ports"
	local n
	for n in "${nics[@]}"; do
		case ${n%@*} in
		82599 | xl710) preload+=("$lab_dir/nic/${n%@*}.so") ;;
		igb | none) ;;
		*) die "--nic $n: there are 82599, xl710, igb and none" ;;
		esac
		[[ $n != *@* || $n == *@[01] ]] || die "--nic $n: the NUMA node is 0 or 1"
	done
}

# nic_args N NIC NODE: port N on its own wire, whose other end is the peer, a virtio NIC at 00:1N.0.
nic_args() {
	local n=$1 nic=$2 at=$3 dev opts=""
	case $nic in
	82599 | xl710)
		dev=${nic/#82599/ix82599}
		[ -z "$vfs" ] || opts+=,vfs=$vfs
		[ -z "$trace" ] || opts+=,trace=on
		[ -z "$props" ] || opts+=,$props
		;;
	igb) dev=igb ;;
	none) return 0 ;;
	esac
	qemu+=(
		-device "pcie-root-port,id=rp$n,bus=pxb$at,chassis=$n,slot=$n"
		-netdev "hubport,id=pfwire$n,hubid=$n" -netdev "hubport,id=peerwire$n,hubid=$n"
		-device "$dev,id=nic$n,bus=rp$n,netdev=pfwire$n,mac=52:54:00:00:01:0$n$opts"
		-device "virtio-net-pci,id=peer$n,bus=pcie.0,addr=1$n.0,romfile=,netdev=peerwire$n,mac=52:54:00:00:ee:0$n"
	)
}

# machine_args: fills qemu=(). Paths of sockets are relative (QEMU runs in the state folder): they may be 107 long.
machine_args() {
	local half=$((mem / 2)) cpus=$((smp / 2)) k=$lab_dir/kernel-$kernel n=0 nic at
	# Single-threaded TCG: with thread=multi QEMU 10.0 now and then aborts or hangs, and is no faster on two cores.
	qemu=(
		-nodefaults -no-user-config -display none -no-reboot
		-machine q35 -accel tcg,thread=single -cpu max
		-smp "$smp,sockets=2,cores=$cpus,threads=1" -m "$((half * 2))M"
		-object "memory-backend-ram,id=m0,size=${half}M" -object "memory-backend-ram,id=m1,size=${half}M"
		-numa "node,nodeid=0,cpus=0-$((cpus - 1)),memdev=m0"
		-numa "node,nodeid=1,cpus=$cpus-$((smp - 1)),memdev=m1"
		-numa dist,src=0,dst=1,val=21 -numa dist,src=1,dst=0,val=21
		-device intel-iommu,intremap=on,device-iotlb=on
		-kernel "$k/vmlinux" -initrd "$k/initrd.gz"
		# no_timer_check: on a busy host the guest may see too few ticks in that check, and panics ("timer doesn't
		# work through Interrupt-remapped IO-APIC"). Without the crypto self-tests it boots half a second sooner.
		-append "console=ttyS0 quiet intel_iommu=on mitigations=off nokaslr no_timer_check cryptomgr.notests panic=-1"
		-drive "file=$lab_dir/root.img,if=none,id=root,format=raw,snapshot=on,cache=unsafe"
		-device virtio-blk-pci,drive=root,serial=root
		-drive "file=$k/modules.img,if=none,id=modules,format=raw,readonly=on"
		-device virtio-blk-pci,drive=modules,serial=modules
		-chardev file,id=console,path=console.log -serial chardev:console
		-chardev socket,id=qmp,path=qmp.sock,server=on,wait=off -mon chardev=qmp,mode=control
		-fsdev local,id=share,path=share,security_model=none,multidevs=remap
		-device virtio-9p-pci,fsdev=share,mount_tag=share
		-device virtio-rng-pci
		# NUMA-placed PCIe: node 0 has buses from 0x40 on, node 1 from 0x80 on
		-device pxb-pcie,id=pxb0,bus_nr=64,bus=pcie.0,numa_node=0
		-device pxb-pcie,id=pxb1,bus_nr=128,bus=pcie.0,numa_node=1
	)
	if [ -n "$persist" ]; then
		if [ ! -e "$state/persist.img" ]; then
			truncate -s 64M "$state/persist.img"
			mke2fs -q -t ext4 "$state/persist.img"
		fi
		qemu+=(-drive file=persist.img,if=none,id=persist,format=raw,cache=unsafe
			-device virtio-blk-pci,bus=pcie.0,drive=persist,serial=persist)
	fi
	for nic in "${nics[@]}"; do
		n=$((n + 1)) at=$node
		[[ $nic != *@* ]] || at=${nic#*@}
		nic_args "$n" "${nic%@*}" "$at"
	done
}

# machine_start with_parent|alone: a fresh lab in $state.
machine_start() {
	local preload=() qemu=()
	check_options
	ensure_setup "$kernel"
	if [ ${#preload[@]} -gt 0 ] && [ -e "$lab_dir/nic/unavailable" ]; then
		skip "$(cat "$lab_dir/nic/unavailable")"
	fi
	local f
	for f in "${share[@]}"; do [ -e "$f" ] || die "--share $f: no such file"; done
	# share/ is made anew, so be sure that this is a folder of ours
	if [ -d "$state" ] && [ ! -e "$state/command" ] && [ -n "$(ls -A "$state")" ]; then
		die "--state $state: not empty and not a lab's state folder"
	fi
	rm -rf "$state/share"
	mkdir -p "$state/share/.lab/job"
	if [ ${#share[@]} -gt 0 ]; then cp -a "${share[@]}" "$state/share/"; fi
	machine_args
	# Directly before qemu: any other program would die of the object's undefined symbols.
	local objects
	objects=$(IFS=:; echo "${preload[*]}")
	printf '%q ' env ${objects:+LD_PRELOAD="$objects"} qemu-system-x86_64 "${qemu[@]}" >"$state/command"
	echo "kernel $kernel, NIC ${nics[*]}" >"$state/about"
	machine_boot "$1"
}

# machine_boot with_parent|alone: runs the state folder's command and waits for the guest's job loop.
# with_parent: QEMU dies with this process, even by kill -9, so that an aborted test leaves nothing running.
machine_boot() {
	local leash=() deadline=$((SECONDS + 300)) t0=$EPOCHREALTIME
	[ "$1" = alone ] || leash=(setpriv --pdeathsig KILL)
	rm -rf "$state"/{qmp.sock,pid,share/.lab/ready,share/.lab/guest}
	cp -a "$lab_src/guest" "$state/share/.lab/guest"
	# Started from within the folder: running() knows the process by it, from the first moment on.
	pushd "$state" >/dev/null || return
	(
		eval "command=($(cat command))"
		# shellcheck disable=SC2154 # just set
		exec setsid "${leash[@]}" "${command[@]}" </dev/null >share/.lab/qemu.log 2>&1
	) &
	echo $! >pid
	popd >/dev/null || return
	until [ -e "$state/share/.lab/ready" ]; do
		running || { last_words; die "QEMU ended while booting"; }
		[ "$SECONDS" -lt "$deadline" ] || { last_words; die "the guest did not boot within 300 s"; }
		sleep 0.05
	done
	awk -v a="$t0" -v b="$EPOCHREALTIME" -v what="$(cat "$state/about")" \
		'BEGIN {printf "lab: %s: up after %.1f s\n", what, b - a}' >&2
}

# last_words: what a guest that died or hangs left behind.
last_words() { tail -n 30 "$state/share/.lab/qemu.log" "$state/console.log" >&2 || true; }

# running: is the state folder's QEMU alive? A pid alone may have become another's, or be a zombie that init has not
# reaped yet; a live QEMU of ours has its working directory here.
running() {
	local pid
	pid=$(cat "$state/pid" 2>/dev/null) && [ -n "$pid" ] && [ "/proc/$pid/cwd" -ef "$state" ]
}

# machine_stop: the disk is a snapshot, so cutting the power is the quickest clean way.
machine_stop() {
	if running; then
		kill "$(cat "$state/pid")" 2>/dev/null || true
		while running; do sleep 0.02; done
	fi
	rm -f "$state/pid"
}
