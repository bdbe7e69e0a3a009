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

/* What does not fit is not worked out: asked at 16 cubes, at 32, and never again once it is enough. */
static bool at_32(void *data)
{
	const struct space_rest *rest = data;

	return rest->n >= 32;
}

static void stops_when_there_is_enough(void **state)
{
	struct sriov_match splittable = {.dst_port = 0xffff};
	struct cube one[3], all = ports(0, 0, 0);
	struct space_rest rest = {.first = SPACE_NONE, .blocked = SPACE_NONE, .enough = at_32};
	struct space space = {.work_max = 100000};
	size_t n;

	bits_pack(&splittable, &space.splittable);
	rest.data = &rest;
	for (size_t i = 0; i < ARRAY_SIZE(one); i++) {
		one[i] = ports(0x1111 << i, 0xffff, 0);
		assert_int_equal(space_add(&space, &one[i], i), 0);
	}
	assert_int_equal(space_take(&space, &all, &rest), 0);
	assert_true(rest.stopped);
	assert_int_equal(rest.n, 32);
	assert_int_equal(rest.first, 0);
	/* what follows is told who meets it, and not cut */
	rest.first = SPACE_NONE;
	n = space.work;
	assert_int_equal(space_take(&space, &one[1], &rest), 1);
	assert_int_equal(rest.first, 1);
	assert_int_equal(space_take(&space, &all, &rest), 0);
	assert_int_equal(rest.n, 32);
	assert_true(space.work - n < 16);
	free(rest.at);
	free(rest.inside);
	space_clear(&space);
}

/* A group whose cubes are all dead is found again once it has a new one, also by who has missed the old ones. */
static void revives_groups(void **state)
{
	struct sriov_match splittable = {.dst_port = 0xffff};
	struct cube tile[10], wide = ports(0x1240, 0xffc0, 0), again = ports(0x1281, 0xffc1, 0);
	struct cube around = ports(0x1200, 0xfe00, 0);
	struct space_rest rest = {.first = SPACE_NONE, .blocked = SPACE_NONE};
	struct space space = {.work_max = 100000};

	bits_pack(&splittable, &space.splittable);
	/* more masks than are all looked into, which have the same byte whole */
	for (size_t i = 0; i < ARRAY_SIZE(tile); i++) {
		tile[i] = ports(0x1240 | (i + 1), 0xffc0 | (i + 1), 0);
		assert_int_equal(space_add(&space, &tile[i], i), 0);
	}
	assert_int_equal(space_take(&space, &wide, &rest), 0);
	assert_int_equal(rest.ninside, ARRAY_SIZE(tile));
	assert_int_equal(space_add(&space, &wide, 20), 0);
	space_forget(&space, &rest);
	rest.ninside = 0;
	assert_int_equal(space_take(&space, &around, &rest), 0);
	assert_int_equal(rest.ninside, 1);
	/* of the first tile's mask, and with the same byte */
	assert_int_equal(space_add(&space, &again, 30), 0);
	rest.ninside = 0;
	assert_int_equal(space_take(&space, &around, &rest), 0);
	assert_int_equal(rest.ninside, 2);
	free(rest.at);
	free(rest.inside);
	space_clear(&space);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_cuts_and_gives_up),
		cmocka_unit_test(stops_when_there_is_enough),
		cmocka_unit_test(revives_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
