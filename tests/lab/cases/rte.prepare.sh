# shellcheck shell=bash disable=SC2154
# The owner of DPDK's ports, and the bare loop that its speed is compared with.
owner=$(dirname "$tool")/sriov-rte
if [ ! -x "$owner" ]; then
	echo "SKIP: $owner is not built: libdpdk-dev or libsystemd-dev is missing"
	exit 77
fi
cp "$owner" "$tools/"
read -ra dpdk < <(pkg-config --cflags --libs libdpdk)
gcc -std=gnu17 -O2 -Wall -o "$tools/bare-rte" "$tests/bench/bare-rte.c" "${dpdk[@]}"
