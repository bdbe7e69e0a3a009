#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What `ninja install` puts down is enough for a stranger's program: headers, pkg-config, shared library, tool.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
build=$(dirname "${SRIOVCTL:-$repo/build/sriovctl}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/usr" >/dev/null
cat >"$work/app.c" <<'C'
#include <sriov/error.h>
#include <sriov/flow.h>
#include <sriov/guest.h>
#include <sriov/host.h>
#include <sriov/nic.h>
#include <sriov/plan.h>
#include <sriov/vf.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct sriov_error err = {0};
	struct sriov_inventory *inv;
	struct sriov_host *host;

	if (sriov_host_open(argv[1], &host, &err) || sriov_inventory_read(host, NULL, 0, &inv, &err)) {
		fprintf(stderr, "%s: %s\n", err.object, err.message);
		return 1;
	}
	printf("%zu PFs\n", inv->npfs);
	sriov_inventory_free(inv);
	sriov_host_close(host);
	return 0;
}
C
PKG_CONFIG_PATH=$(dirname "$(find "$work/usr" -name libsriov.pc)")
export PKG_CONFIG_PATH
flags=$(pkg-config --define-variable=prefix="$work/usr" --cflags --libs libsriov)
# shellcheck disable=SC2086
gcc -std=c11 -Wall -Wextra -Wno-unused-parameter -Werror -pedantic "$work/app.c" -o "$work/app" $flags
lib=$(dirname "$(find "$work/usr" -name 'libsriov.so')")
answer=$(LD_LIBRARY_PATH=$lib "$work/app" "$repo/examples/hosts/two-node.json")
[ "$answer" = "3 PFs" ] || { echo "the installed library answers: $answer"; exit 1; }
"$work/usr/bin/sriovctl" --version

# An application of DPDK: the example, against what was installed, as far as it comes without hardware.
if [ -e "$build/libsriov-rte.so" ]; then
	read -ra flags <<<"$(pkg-config --define-variable=prefix="$work/usr" --cflags --libs libsriov-rte) $(pkg-config --cflags --libs libdpdk)"
	gcc -std=gnu11 -Wall -Wextra -Werror "$repo/examples/rte/steer.c" -o "$work/steer" "${flags[@]}"
	echo 'flow-type tcp4 dst-port 80 queue 1' >"$work/web.rules"
	answer=$(LD_LIBRARY_PATH=$lib "$work/steer" --no-huge -m 128 --no-pci --no-telemetry --no-shconf \
		--log-level '*:critical' --vdev net_null0 -- "$work/web.rules" 2 2>&1) && exit 1
	case $answer in *"net_null0: its driver net_null has no rte_flow"*) ;; *)
		echo "the example answers: $answer"
		exit 1
		;;
	esac
	foreign=$(nm -D --defined-only "$lib/libsriov-rte.so" | awk '$3 !~ /^sriov_rte_|^SRIOV_/ {print $3}')
	[ -z "$foreign" ] || { echo "libsriov-rte.so exports what is not its own: $foreign"; exit 1; }
	[ ! -x "$build/sriov-rte" ] || "$work/usr/bin/sriov-rte" --version
fi

# Without DPDK everything else is built, and what is missing is said.
without=$(cmake -S "$repo" -B "$work/without" -G Ninja -DSRIOV_TESTS=OFF -DSRIOV_DPDK=OFF)
case $without in *"without DPDK (libdpdk-dev): no libsriov-rte, no sriov-rte"*) ;; *)
	echo "cmake without DPDK says: $without"
	exit 1
	;;
esac
! ninja -C "$work/without" -t targets all | grep -E 'rte_(port|encode)|sriov-rte' || exit 1

foreign=$(nm -D --defined-only "$lib/libsriov.so" | awk '$3 !~ /^sriov_|^SRIOV_/ {print $3}')
[ -z "$foreign" ] || { echo "libsriov.so exports what is not its own: $foreign"; exit 1; }
