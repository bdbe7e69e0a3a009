# shellcheck shell=bash disable=SC2154
# flow-fit DRIVER SEED [LISTS]: lists and packets are made here, where Python is quick.
[ "$2" != random ] || set -- "$1" "$RANDOM$RANDOM" "${@:3}"
python3 "$here/cases/flow-fit.py" make "$1" "$2" "${3:-200}" "$tools/lists"
