/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for tunnels on a port of a pretended driver: when the NIC is told of their UDP port. */
#include "tests/unit/dpdk_fake.h"

#define TUNNEL(port, vni)                                                                          \
	"flow-type udp4 dst-port " port " vni " vni " inner-dst 52:54:00:00:00:01 queue 1\n"
#define PLAIN "flow-type tcp4 dst-port 80 queue 1\n"

/* The NIC knows the UDP port as long as a rule needs it, is told once, and forgets it behind the last. */
static void the_nic_is_told_of_tunnels(void **state)
{
	static const struct {
		const char *list;
		unsigned port, told;
	} steps[] = {
		{PLAIN, 0, 0},
		{PLAIN TUNNEL("4789", "5"), 4789, 1},
		{PLAIN TUNNEL("4789", "5"), 4789, 1},
		{TUNNEL("4789", "6"), 4789, 1},
		{TUNNEL("8472", "6"), 8472, 3},
		{PLAIN, 0, 4},
		{TUNNEL("8472", "6"), 8472, 5},
	};
	struct sriov_rte *port = open_fake("X710");

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(apply(port, steps[i].list, NULL, NULL), 0);
		assert_int_equal(fake.vxlan, steps[i].port);
		assert_int_equal(fake.told, steps[i].told);
	}
	sriov_rte_close(port);
}

/* From one port to another: whichever call fails, the old rule stands with the port that it needs. */
static void tunnels_are_all_or_nothing(void **state)
{
	for (unsigned at = 1; at <= 4; at++) {
		struct sriov_rte *port = open_fake("X710");
		struct sriov_error err = {0};

		assert_int_equal(apply(port, TUNNEL("4789", "5"), NULL, NULL), 0);
		fake.calls = fake.told = 0;
		fake.number = EBUSY;
		fake.text = "no";
		/* destroy, forget, tell, create */
		*(at == 1 || at == 4 ? &fake.fail_at[0] : &fake.told_bad) = at == 4   ? 2
									    : at == 1 ? 1
										      : at - 1;
		assert_int_equal(apply(port, TUNNEL("8472", "5"), NULL, &err),
				 at == 1 || at == 4 ? -EBUSY : -EIO);
		assert_int_equal(err.status, SRIOV_ROLLED_BACK);
		assert_int_equal(fake.vxlan, 4789);
		assert_int_equal(fake.tunnels, 1);
		if (at == 2 || at == 3) {
			assert_string_equal(
				err.message,
				at == 2 ? "net_i40e refused to forget UDP port 4789 as VXLAN's"
					: "net_i40e refused to take UDP port 8472 as VXLAN's");
			assert_non_null(strstr(err.hint, "an application that does so too"));
		}
		fake.fail_at[0] = fake.told_bad = 0;
		assert_int_equal(apply(port, TUNNEL("8472", "5"), NULL, NULL), 0);
		assert_int_equal(fake.vxlan, 8472);
		sriov_rte_close(port);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(the_nic_is_told_of_tunnels),
						  cmocka_unit_test(tunnels_are_all_or_nothing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
