# shellcheck shell=bash disable=SC2154
# The bare loop of the same ioctls, and what times the ioctls of both.
. "$here/cases/flow-bench.prepare.sh"
