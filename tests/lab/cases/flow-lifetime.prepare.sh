# shellcheck shell=bash disable=SC2154
# The bare loop, and what counts and times the ioctls of both.
gcc -D_GNU_SOURCE -O2 -Wall -o "$tools/bare-flow" "$tests/bench/bare-flow.c"
gcc -D_GNU_SOURCE -O2 -Wall -shared -fPIC -o "$tools/nfccalls.so" "$tests/bench/nfccalls.c" -ldl
