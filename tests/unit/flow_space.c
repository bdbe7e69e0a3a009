/* SPDX-License-Identifier: Apache-2.0 */
/* What rules leave of each other: covered, cut, kept apart or not, and given up where it would take too long. */
#include "flows/space.h"
#include "tests/unit/flow_fixture.h"

#include <errno.h>

static struct cube ports(uint16_t first, uint16_t mask, uint8_t tos)
{
	struct sriov_match value = {.dst_port = first, .tos = tos};
	struct sriov_match bits = {.dst_port = mask, .tos = tos ? 0xff : 0};
	struct cube cube;

	cube_set(&cube, FLOW_BIT(SRIOV_FLOW_UDP4), &value, &bits);
	return cube;
}

static void takes_cuts_and_gives_up(void **state)
{
	struct sriov_match splittable = {.dst_port = 0xffff};
	struct cube one = ports(80, 0xffff, 0), wide = ports(80, 0xfffc, 0);
	struct cube inside = ports(82, 0xffff, 0), other = ports(82, 0xffff, 4);
	struct space_rest rest = {.first = SPACE_NONE, .blocked = SPACE_NONE};
	struct space space = {.work_max = 1000};

	bits_pack(&splittable, &space.splittable);
	assert_int_equal(space_add(&space, &one, 0), 0);
	/* four ports less one: two and one, and the one lies inside */
	assert_int_equal(space_take(&space, &wide, &rest), 0);
	assert_int_equal(rest.n, 2);
	assert_int_equal(rest.first, 0);
	assert_int_equal(rest.ninside, 1);
	assert_int_equal(space_add(&space, &wide, 1), 0);
	space_forget(&space, &rest);
	assert_int_equal(space.at[0].owner, SPACE_DEAD);
	/* covered by the wide one */
	assert_int_equal(space_take(&space, &inside, &rest), 1);
	assert_int_equal(rest.n, 2);
	/* a bit that no entry can match keeps nothing apart */
	space_clear(&space);
	space.work_max = 1000;
	bits_pack(&splittable, &space.splittable);
	assert_int_equal(space_add(&space, &other, 0), 0);
	assert_int_equal(space_take(&space, &inside, &rest), 0);
	assert_int_equal(rest.blocked, 0);
	/* more work than allowed */
	space.work_max = 0;
	assert_int_equal(space_take(&space, &wide, &rest), -E2BIG);
	free(rest.at);
	free(rest.inside);
	space_clear(&space);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_cuts_and_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
