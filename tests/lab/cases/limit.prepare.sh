# shellcheck shell=bash disable=SC2154
# limit: who sends as a guest would
gcc -D_GNU_SOURCE -O2 -Wall -o "$tools/tapsend" "$here/tapsend.c"
