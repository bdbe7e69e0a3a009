#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# saved.sh KERNEL-FOLDER OUT-FOLDER NAME…: small Linux guests (small.sh), booted here and saved by libvirt, so that they can
# go on in the lab: under TCG in TCG a boot would not end. Their clocks count instructions (-icount): by the time of day
# their own timer interrupts, slow as they are there, would leave them no time for anything else.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
kernel=$(realpath "$1") out=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
skip() { echo "$*" >&2 && exit 77; }
fail() { echo "$*" >&2 && exit 1; }
with() { need jq; }
uuid() { printf '6f1c2b5e-0000-4000-8000-%012x' "$1"; }
# shellcheck source=tests/libvirtd.sh
. "$repo/tests/libvirtd.sh"
guest_modules=(virtio_net ixgbevf)
# shellcheck source=tests/guest.sh
. "$repo/tests/guest.sh"
start_daemon
number=0 answer_s=900 # three boot at once
for name in "${@:3}"; do
	number=$((number + 1))
	small_domain "$name" "$number" | sed \
		-e 's|<domain |&xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0" |' \
		-e 's|panic=-1|& tsc=reliable|' \
		-e 's|</domain>|<qemu:commandline><qemu:arg value="-icount"/><qemu:arg value="shift=4,sleep=on"/></qemu:commandline>&|' \
		>"$work/$name.xml"
	virsh define "$work/$name.xml"
	small_start "$name"
done
for name in "${@:3}"; do
	answered "$name" || fail "$name does not boot"
	virsh save "$name" "$out/$name.save"
done
cp "$work/small.gz" "$out/"
kill "$daemon"
