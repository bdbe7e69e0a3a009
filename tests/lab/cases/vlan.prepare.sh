# shellcheck shell=bash disable=SC2154
# vlan: who sends as a guest would, as in limit
. "$here/cases/limit.prepare.sh"
