# shellcheck shell=bash disable=SC2154
# shellcheck source=tests/lab/cases/rte.prepare.sh
. "$here/cases/rte.prepare.sh"
