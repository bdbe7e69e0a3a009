# shellcheck shell=bash disable=SC2154
# flow-random DRIVER SEED: the operations are made here (the guest's Python has no json), and the program that performs them.
gcc -D_GNU_SOURCE -O2 -Wall -o "$tools/replay-live" "$here/replay-live.c" -ljansson
[ "$2" != random ] || set -- "$1" "$RANDOM$RANDOM"
python3 "$here/random-rules.py" "$1" "$2" >"$tools/ops.jsonl"
[ "$1" != igb ] || cp "$("$here/lab" igb)" "$tools/"
