/* SPDX-License-Identifier: Apache-2.0 */
/* The planner: golden plans, whom they hit, and what is refused before anything is tried. */
#include "lib/plan/step.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct sriov_vf vfs[4];
static struct sriov_entry rules[4];

static struct sriov_pf port(const char *driver, unsigned nvfs)
{
	struct sriov_pf pf = {
		.address = "0000:81:00.0",
		.netdev = "ens2f0",
		.up = true,
		.autoprobe = true,
		.vfs = nvfs,
		.vfs_total = 63,
		.vf = vfs,
		.rules = rules,
		.ntuple = SRIOV_NTUPLE_OFF,
	};

	core_copy(pf.driver, sizeof(pf.driver), driver);
	memset(vfs, 0, sizeof(vfs));
	memset(rules, 0, sizeof(rules));
	for (unsigned i = 0; i < nvfs; i++) {
		vfs[i].index = i;
		snprintf(vfs[i].address, sizeof(vfs[i].address), "0000:81:10.%u", i * 2);
		vfs[i].attrs = (struct sriov_vf_attrs){.has = SRIOV_VF_ALL,
						       .vlan_proto = 0x8100,
						       .spoofchk = true,
						       .mac = {2, 0, 0, 0, 0, i}};
		core_copy(vfs[i].driver, sizeof(vfs[i].driver), "ixgbevf");
	}
	return pf;
}

static struct sriov_entry udp_to(uint32_t loc, uint16_t dst_port, uint64_t cookie)
{
	struct sriov_entry entry = {.loc = loc, .type = SRIOV_FLOW_UDP4, .cookie = cookie};

	entry.value.dst_port = dst_port;
	entry.mask.dst_port = 0xffff;
	return entry;
}

static void want_vf(struct pf_state *want, unsigned index, unsigned has, const char *driver)
{
	struct vf_state *vf = state_vf(want, index);

	vf->attrs = (struct sriov_vf_attrs){.has = has,
					    .mac = {2, 0, 0, 0, 1, index},
					    .vlan = 100,
					    .vlan_proto = 0x8100,
					    .spoofchk = true,
					    .trust = true,
					    .max_rate = 1000};
	if (driver) {
		vf->has_driver = true;
		core_copy(vf->driver, sizeof(vf->driver), driver);
	}
}

/* The plan as lines, "!" before a step that disrupts. */
static char *plan_text(const struct sriov_pf *pf, const struct pf_state *want)
{
	static char text[4096];
	struct sriov_error err = {0};
	struct steps steps = {0};

	text[0] = '\0';
	assert_int_equal(steps_diff(pf, want, &steps, &err), 0);
	for (size_t i = 0; i < steps.n; i++) {
		struct sriov_step_text step;
		size_t used = strlen(text);

		step_describe(pf, &steps.at[i], &step);
		snprintf(text + used, sizeof(text) - used, "%s%s\n", step.disrupts[0] ? "! " : "",
			 step.what);
	}
	steps_clear(&steps);
	return text;
}

static void test_create_for_vfio(void **state)
{
	struct sriov_pf pf = port("ixgbe", 0);
	struct pf_state want = {
		.has = STATE_UP | STATE_COUNT | STATE_AUTOPROBE, .up = true, .count = 2};

	want_vf(&want, 0, SRIOV_VF_MAC | SRIOV_VF_VLAN | SRIOV_VF_RATE, "vfio-pci");
	want_vf(&want, 1, SRIOV_VF_MAC | SRIOV_VF_VLAN | SRIOV_VF_RATE, "vfio-pci");
	assert_string_equal(plan_text(&pf, &want),
			    "keep the kernel's driver off new VFs (sriov_drivers_autoprobe 0)\n"
			    "! create 2 VFs (sriov_numvfs)\n"
			    "vf 0: mac 02:00:00:00:01:00 vlan 100\n"
			    "vf 1: mac 02:00:00:00:01:01 vlan 100\n"
			    "vf 0: bind to vfio-pci\n"
			    "vf 1: bind to vfio-pci\n"
			    "wait for the link of ens2f0 at 10000 Mbit/s\n"
			    "vf 0: max-rate 1000 Mbit/s\n"
			    "vf 1: max-rate 1000 Mbit/s\n");
	state_clear(&want);
}

static void test_default_driver_sees_its_mac(void **state)
{
	struct sriov_pf pf = port("ixgbe", 0);
	struct pf_state want = {.has = STATE_UP | STATE_COUNT | STATE_AUTOPROBE,
				.up = true,
				.count = 1,
				.autoprobe = true};

	pf.up = false;
	want_vf(&want, 0, SRIOV_VF_MAC, BIND_ANY_DEFAULT);
	assert_string_equal(
		plan_text(&pf, &want),
		"set ens2f0 up\n"
		"keep the kernel's driver off new VFs (sriov_drivers_autoprobe 0)\n"
		"! create 1 VFs (sriov_numvfs)\n"
		"vf 0: mac 02:00:00:00:01:00\n"
		"let the kernel bind its driver to new VFs (sriov_drivers_autoprobe 1)\n"
		"vf 0: bind to the kernel's own driver\n");
	state_clear(&want);
}

static void test_nothing_to_do(void **state)
{
	struct sriov_pf pf = port("ixgbe", 2);
	struct pf_state want = {.has = STATE_UP | STATE_COUNT, .up = true, .count = 2};

	want_vf(&want, 0, SRIOV_VF_SPOOFCHK, "ixgbevf");
	want_vf(&want, 1, SRIOV_VF_SPOOFCHK, BIND_ANY_DEFAULT);
	assert_string_equal(plan_text(&pf, &want), "");
	state_clear(&want);
}

static void test_only_what_differs(void **state)
{
	struct sriov_pf pf = port("i40e", 2);
	struct pf_state want = {.has = STATE_COUNT, .count = 2};

	vfs[0].attrs.trust = true;
	want_vf(&want, 0, SRIOV_VF_TRUST | SRIOV_VF_SPOOFCHK, NULL);
	want_vf(&want, 1, SRIOV_VF_TRUST | SRIOV_VF_SPOOFCHK | SRIOV_VF_RATE, NULL);
	/* i40e resets the VF, and takes a rate without a link */
	assert_string_equal(plan_text(&pf, &want),
			    "! vf 1: trust on\nvf 1: max-rate 1000 Mbit/s\n");
	state_clear(&want);
}

static void test_wiped_rules_come_back(void **state)
{
	struct sriov_pf pf = port("ixgbe", 0);
	struct pf_state want = {.has = STATE_COUNT, .count = 1};

	pf.ntuple = SRIOV_NTUPLE_ON;
	pf.nrules = 1;
	rules[0] = udp_to(7, 53, 2);
	want_vf(&want, 0, SRIOV_VF_MAC, NULL);
	assert_string_equal(plan_text(&pf, &want),
			    "! create 1 VFs (sriov_numvfs)\n"
			    "vf 0: mac 02:00:00:00:01:00\n"
			    "install rule at location 7: udp4 dst-port 53 -> queue 2\n");
	core_copy(pf.driver, sizeof(pf.driver), "i40e");
	assert_string_equal(plan_text(&pf, &want), "! create 1 VFs (sriov_numvfs)\n"
						   "! vf 0: mac 02:00:00:00:01:00\n");
	state_clear(&want);
}

static void test_rule_goes_with_its_vf(void **state)
{
	struct sriov_pf pf = port("ixgbe", 2);
	struct pf_state want = {.has = STATE_COUNT};

	pf.ntuple = SRIOV_NTUPLE_ON;
	pf.nrules = 2;
	rules[0] = udp_to(1, 53, 2);
	rules[1] = udp_to(2, 54, 2ull << 32 | 1);
	assert_string_equal(plan_text(&pf, &want),
			    "delete rule at location 2: udp4 dst-port 54 -> vf 1 queue 1\n"
			    "! delete all 2 VFs (sriov_numvfs 0)\n"
			    "install rule at location 1: udp4 dst-port 53 -> queue 2\n");
}

static void test_rules(void **state)
{
	struct sriov_pf pf = port("ixgbe", 0);
	struct pf_state want = {.has = STATE_NTUPLE, .ntuple = true};
	struct rule_state *rule = state_rule(&want, 3);

	*rule = (struct rule_state){
		.present = true, .entry = udp_to(3, 4789, SRIOV_COOKIE_DROP), .name = "vxlan"};
	assert_string_equal(plan_text(&pf, &want),
			    "! switch ntuple filters on\n"
			    "install rule vxlan at location 3: udp4 dst-port 4789 -> drop\n");
	/* another entry there: out before in, as no driver says what replacing does */
	pf.ntuple = SRIOV_NTUPLE_ON;
	pf.nrules = 1;
	rules[0] = udp_to(3, 4789, 1);
	assert_string_equal(plan_text(&pf, &want),
			    "delete rule at location 3: udp4 dst-port 4789 -> queue 1\n"
			    "install rule vxlan at location 3: udp4 dst-port 4789 -> drop\n");
	rules[0] = want.rule[0].entry;
	assert_string_equal(plan_text(&pf, &want), "");
	want.rule[0].present = false;
	assert_string_equal(plan_text(&pf, &want),
			    "delete rule vxlan at location 3: udp4 dst-port 4789 -> drop\n");
	state_clear(&want);
}

/* Whatever a plan does: the before-image, planned from the state it leaves, is the way back. */
static void test_before_image_undoes(void **state)
{
	struct sriov_pf pf = port("ixgbe", 2);
	struct pf_state want = {.has = STATE_COUNT}, before = {0};
	struct sriov_error err = {0};

	vfs[1].attrs.vlan = 42;
	core_copy(vfs[1].driver, sizeof(vfs[1].driver), "vfio-pci");
	assert_int_equal(state_capture(&pf, &want, &before, &err), 0);
	pf.vfs = 0;
	assert_string_equal(
		plan_text(&pf, &before),
		"keep the kernel's driver off new VFs (sriov_drivers_autoprobe 0)\n"
		"! create 2 VFs (sriov_numvfs)\n"
		"vf 0: mac 02:00:00:00:00:00 spoofchk on\n"
		"vf 1: mac 02:00:00:00:00:01 vlan 42 spoofchk on\n"
		"let the kernel bind its driver to new VFs (sriov_drivers_autoprobe 1)\n"
		"vf 0: bind to ixgbevf\n"
		"vf 1: bind to vfio-pci\n");
	state_clear(&before);
}

static void test_out_of_range(void **state)
{
	struct sriov_pf pf = port("ixgbe", 2);
	struct pf_state want = {0};
	struct steps steps = {0};
	struct sriov_error err = {0};

	want_vf(&want, 2, SRIOV_VF_TRUST, NULL);
	assert_int_equal(steps_diff(&pf, &want, &steps, &err), -ERANGE);
	assert_null(steps.at);
	assert_non_null(strstr(err.message, "no VF 2"));
	state_clear(&want);
}

static int guard(const struct sriov_pf *pf, const struct pf_state *want, bool force, bool disrupt,
		 struct sriov_error *err)
{
	struct steps steps = {0};
	int r;

	assert_int_equal(steps_diff(pf, want, &steps, err), 0);
	r = steps_guard(pf, &steps, force, disrupt, err);
	steps_clear(&steps);
	return r;
}

static void test_guard(void **state)
{
	struct sriov_pf pf = port("ixgbe", 0);
	struct pf_state create = {.has = STATE_COUNT, .count = 1}, delete = {.has = STATE_COUNT};
	struct sriov_use route = {.who = "default route", .how = "ens2f0", .running = true};
	struct sriov_use guest = {
		.who = "guest web1 (running)", .how = "web1.xml", .running = true};
	struct sriov_use lease = {.who = "guest web2", .how = "lease 1"};
	struct sriov_error err = {0};

	pf.uses = (struct sriov_uses){&route, 1};
	assert_int_equal(guard(&pf, &create, true, false, &err), -EBUSY);
	assert_int_equal(err.status, SRIOV_REFUSED);
	assert_non_null(strstr(err.message, "default route"));
	assert_int_equal(guard(&pf, &create, false, true, &err), 0);

	pf = port("ixgbe", 2);
	vfs[1].uses = (struct sriov_uses){&lease, 1};
	assert_int_equal(guard(&pf, &delete, false, false, &err), -EBUSY);
	assert_non_null(strstr(err.object, "vf 1"));
	assert_non_null(strstr(err.message, "web2"));
	assert_int_equal(guard(&pf, &delete, true, false, &err), 0);

	/* a port reset hits running guests, not mere leases */
	create = (struct pf_state){.has = STATE_NTUPLE, .ntuple = true};
	assert_int_equal(guard(&pf, &create, false, false, &err), 0);
	vfs[1].uses = (struct sriov_uses){&guest, 1};
	assert_int_equal(guard(&pf, &create, false, false, &err), -EBUSY);
	assert_int_equal(guard(&pf, &create, true, false, &err), 0);
}

static void test_check(void **state)
{
	static const struct {
		const char *driver;
		struct sriov_vf_attrs attrs;
		int code;
		const char *says;
	} rows[] = {
		{"ixgbe", {.has = SRIOV_VF_MAC, .mac = {1}}, -EINVAL, "multicast"},
		{"ixgbe", {.has = SRIOV_VF_RATE, .max_rate = 10}, -EOPNOTSUPP, "11..10000"},
		{"ixgbe", {.has = SRIOV_VF_RATE, .max_rate = 10001}, -EOPNOTSUPP, "11..10000"},
		{"ixgbe", {.has = SRIOV_VF_RATE, .max_rate = 11}, 0, NULL},
		{"ixgbe",
		 {.has = SRIOV_VF_RATE, .min_rate = 5, .max_rate = 50},
		 -EOPNOTSUPP,
		 "minimum"},
		{"ixgbe", {.has = SRIOV_VF_RATE}, 0, NULL},
		{"ixgbe",
		 {.has = SRIOV_VF_VLAN, .vlan = 5, .vlan_proto = 0x88a8},
		 -EOPNOTSUPP,
		 "802.1Q"},
		{"ixgbe",
		 {.has = SRIOV_VF_LINK, .link = SRIOV_LINK_ENABLE},
		 -EOPNOTSUPP,
		 "link state"},
		{"ixgbe", {.has = SRIOV_VF_LINK, .link = SRIOV_LINK_DISABLE}, 0, NULL},
		{"i40e", {.has = SRIOV_VF_RATE, .max_rate = 120}, -EOPNOTSUPP, "multiple of 50"},
		{"i40e", {.has = SRIOV_VF_LINK, .link = SRIOV_LINK_ENABLE}, 0, NULL},
		{"igb",
		 {.has = SRIOV_VF_LINK, .link = SRIOV_LINK_DISABLE},
		 -EOPNOTSUPP,
		 "link state"},
		{"mlx5_core", {.has = SRIOV_VF_RATE, .min_rate = 5, .max_rate = 50}, 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_inventory inv = {.iommu = true};
		struct sriov_pf pf = port(rows[i].driver, 1);
		struct pf_state want = {0};
		struct sriov_error err = {0};

		state_vf(&want, 0)->attrs = rows[i].attrs;
		assert_int_equal(steps_check(&inv, &pf, &want, &err), rows[i].code);
		if (rows[i].says && !strstr(err.message, rows[i].says))
			fail_msg("row %zu says: %s", i, err.message);
		state_clear(&want);
	}
}

static void test_check_host(void **state)
{
	struct sriov_inventory inv = {0};
	struct sriov_pf pf = port("ixgbe", 0);
	struct pf_state want = {.has = STATE_COUNT, .count = 64};
	struct sriov_error err = {0};

	assert_int_equal(steps_check(&inv, &pf, &want, &err), -ERANGE);
	assert_non_null(strstr(err.message, "63"));
	pf.vfs_total = 8;
	want.count = 9;
	assert_int_equal(steps_check(&inv, &pf, &want, &err), -ERANGE);
	assert_non_null(strstr(err.message, "device's"));
	want.count = 8;
	want_vf(&want, 0, 0, "vfio-pci");
	assert_int_equal(steps_check(&inv, &pf, &want, &err), -ENODEV);
	assert_non_null(strstr(err.hint, "iommu"));
	inv.iommu = true;
	inv.vfio = SRIOV_NO;
	assert_int_equal(steps_check(&inv, &pf, &want, &err), -ENODEV);
	assert_string_equal(err.hint, "modprobe vfio-pci");
	inv.vfio = SRIOV_UNKNOWN;
	assert_int_equal(steps_check(&inv, &pf, &want, &err), 0);
	state_clear(&want);
}

static void test_state_round_trip(void **state)
{
	char pfs[2][SRIOV_PCI_LEN] = {"0000:3b:00.0", "0000:81:00.0"};
	struct pf_state want = {.address = "0000:81:00.0",
				.has = STATE_UP | STATE_COUNT,
				.up = true,
				.count = 2,
				.pool = "nova"};
	struct pf_state again = {0};
	struct sriov_error err = {0};
	char *text = NULL, *second = NULL;

	want_vf(&want, 1, SRIOV_VF_ALL, "vfio-pci");
	*state_rule(&want, 9) = (struct rule_state){
		.present = true, .entry = udp_to(9, 53, 1), .name = "dns", .owner = "ops"};
	state_rule(&want, 10);
	*state_guest(&want) = (struct guest_state){
		.lease = {.guest = "web1", .pf = "0000:81:00.0", .vf = 1, .path = "vf"},
		.leased = true,
		.speaks = {true, true},
		.there = {3, 1}};
	*state_other(&want) =
		(struct guest_state){.lease = {.guest = "web1",
					       .pf = "0000:81:00.0",
					       .vf = -1,
					       .path = "vhostuser",
					       .socket = "/run/v/vhu-1",
					       .below = "br-red",
					       .reason = "none is free",
					       .attrs = {.has = SRIOV_VF_RATE, .max_rate = 7}}};
	assert_int_equal(net_copy(&(struct sriov_physnet){.name = "red",
							  .pf = pfs,
							  .npfs = 2,
							  .bridge = "br-red",
							  .uplink = SRIOV_UPLINK_VF,
							  .port = "up-red",
							  .uplink_pf = "0000:81:00.0",
							  .uplink_vf = 3,
							  .sockets = "/run/v"},
				  &state_net(&want)->net),
			 0);
	want.net->made = want.bridge = true;
	assert_int_equal(state_encode(&want, &text, &err), 0);
	assert_int_equal(state_decode(text, &again, &err), 0);
	assert_int_equal(state_encode(&again, &second, &err), 0);
	assert_string_equal(text, second);
	assert_true(again.bridge && again.net->made && !again.net->linked);
	assert_string_equal(again.net->net.pf[1], pfs[1]);
	assert_int_equal(again.net->net.uplink_vf, 3);
	assert_string_equal(again.other->lease.socket, "/run/v/vhu-1");
	assert_int_equal(again.other->lease.attrs.max_rate, 7);
	assert_int_equal(again.guest->there[0], 3);
	free(text);
	free(second);
	state_clear(&want);
	state_clear(&again);
}

static void test_state_bad(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"pf\":\"x\",\"count\":257}",
		"{\"pf\":\"x\",\"vf\":[{\"index\":-1}]}",
		"{\"pf\":\"x\",\"vf\":[{\"index\":256,\"attrs\":{}}]}",
		"{\"pf\":\"x\",\"rules\":[{\"loc\":-1}]}",
		"{\"pf\":\"x\",\"rules\":[{\"loc\":1,\"entry\":{\"flow\":\"nonsense\"}}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct pf_state out = {.count = 77};
		struct sriov_error err = {0};

		assert_int_equal(state_decode(texts[i], &out, &err), -EBADMSG);
		assert_int_equal(out.count, 77);
		assert_non_null(strstr(err.hint, "journal"));
	}
}

static void test_merge(void **state)
{
	struct pf_state intent = {
		.has = STATE_UP | STATE_COUNT | STATE_AUTOPROBE, .up = true, .count = 2};
	struct pf_state change = {.address = "0000:81:00.0"};
	struct sriov_error err = {0};

	want_vf(&intent, 0, SRIOV_VF_MAC, "vfio-pci");
	state_rule(&intent, 5)->present = true;
	want_vf(&change, 0, SRIOV_VF_VLAN, NULL);
	state_rule(&change, 5);
	assert_int_equal(state_merge(&intent, &change, &err), 0);
	assert_int_equal(intent.vf[0].attrs.has, SRIOV_VF_MAC | SRIOV_VF_VLAN);
	assert_string_equal(intent.vf[0].driver, "vfio-pci");
	assert_int_equal(intent.nrules, 0);
	/* deleting the VFs leaves nothing of them */
	change.has = STATE_COUNT;
	change.nvf = 0;
	assert_int_equal(state_merge(&intent, &change, &err), 0);
	assert_int_equal(intent.nvf, 0);
	assert_int_equal(intent.has, STATE_COUNT);
	state_clear(&intent);
	state_clear(&change);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_for_vfio),
		cmocka_unit_test(test_default_driver_sees_its_mac),
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(test_only_what_differs),
		cmocka_unit_test(test_wiped_rules_come_back),
		cmocka_unit_test(test_rule_goes_with_its_vf),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_before_image_undoes),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_host),
		cmocka_unit_test(test_state_round_trip),
		cmocka_unit_test(test_state_bad),
		cmocka_unit_test(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
