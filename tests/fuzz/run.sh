#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds each tests/fuzz/fuzz_NAME.c with libFuzzer and the sanitizers and runs it on corpus/NAME.
#
#   tests/fuzz/run.sh [NAME…]    all, or only these; FUZZ_SECONDS (20) each, two at a time
#
# New inputs stay in a temporary folder, unless FUZZ_KEEP=1 adds to the corpus those that reach something new; the one of
# a crash is told in base64.
# shellcheck source=tests/harness.sh disable=SC2016,SC2119
. "$(dirname "$0")/../harness.sh"
with clang cmake ninja
# not as for whole commands: one process lives long, and pays for fresh pages once
export ASAN_OPTIONS=$ASAN_OPTIONS:quarantine_size_mb=256:thread_local_quarantine_size_kb=1024
seconds=${FUZZ_SECONDS:-20}
flags='-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined'
compiler=$(command -v clang)

[ $# -gt 0 ] || set -- "$repo"/tests/fuzz/fuzz_*.c
targets=()
for target; do
	target=${target##*/fuzz_}
	targets+=("${target%.c}")
done

# The library as the project builds it, with coverage and sanitizers put into every file.
cmake -S "$repo" -B "$work/build" -G Ninja -DSRIOV_TESTS=OFF -DCMAKE_C_COMPILER="$compiler" \
	-DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS="$flags -w -fsanitize=fuzzer-no-link,address,undefined" >/dev/null
# CMAKE_C_FLAGS_RELEASE is the project's own, and flags given for it are dropped without a word
grep -q fuzzer-no-link "$work/build/build.ninja" || {
	fail "the library is built without coverage"
	exit 1
}
ninja -C "$work/build" --quiet sriov-static >"$work/log" 2>&1 || {
	cat "$work/log"
	exit 1
}
read -ra libraries <<<"$(pkg-config --libs libnl-3.0 libmnl sqlite3 jansson) -ldl"
read -ra cflags <<<"$flags $(pkg-config --cflags libxml-2.0 jansson)"

# fuzz NAME: its log in $work/NAME.log, its status in $work/NAME.status
fuzz() {
	local name=$1 code=0
	mkdir -p "$work/$name"
	{
		clang -std=gnu17 -D_GNU_SOURCE "${cflags[@]}" -fsanitize=fuzzer,address,undefined \
			-I"$repo/include" -I"$repo" -o "$work/$name/fuzz" "$repo/tests/fuzz/fuzz_$name.c" \
			"$work/build/libsriov.a" "${libraries[@]}" &&
			(
				cd "$work/$name"
				mkdir new
				corpus=$repo/tests/fuzz/corpus/$name
				mkdir -p "$corpus"
				./fuzz -max_total_time="$seconds" -timeout=60 -rss_limit_mb=1024 -max_len=4096 \
					-print_final_stats=1 -verbosity=0 new "$corpus" || exit
				[ -z "${FUZZ_KEEP:-}" ] || ./fuzz -merge=1 -verbosity=0 "$corpus" new
			)
	} >"$work/$name.log" 2>&1 || code=$?
	echo "$code" >"$work/$name.status"
}

running=0
for name in "${targets[@]}"; do
	if [ "$running" -ge 2 ]; then
		wait -n
		running=$((running - 1))
	fi
	fuzz "$name" &
	running=$((running + 1))
done
wait

for name in "${targets[@]}"; do
	runs=$(awk '$1 == "stat::number_of_executed_units:" {print $2}' "$work/$name.log")
	if [ "$(cat "$work/$name.status")" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
		passed
		echo "$name: $runs runs in $seconds s"
		continue
	fi
	fail "$name: status $(cat "$work/$name.status")"
	tail -n 60 "$work/$name.log"
	for input in "$work/$name"/{crash,leak,timeout,oom}-*; do
		[ ! -e "$input" ] || echo "${input##*/}: $(base64 -w0 "$input")"
	done
done
