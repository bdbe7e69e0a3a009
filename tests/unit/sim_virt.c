/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt of the simulated host: what becomes of domains and of their VFs, and in which words it refuses. */
#include "lib/guest/device.h"
#include "lib/guest/virt.h"
#include "sim_fixture.h"

#define VF0 "0000:81:10.0"
#define VF1 "0000:81:10.2"
#define UUID "6f1c2b5e-0000-4000-8000-000000000001"
#define RUNNING "[{'name': 'web1', 'uuid': '" UUID "', 'state': 'running'}]"
#define LATER(f) ((f)->host.ops->now_ms(&(f)->host) + 5000)

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	fixture_open(f, "two-node.json");
	f->host.virt = &virt_sim_ops;
	assert_int_equal(numvfs(f, IXGBE, 4), 0);
	settle(f);
	fixture_put(f, "domains", RUNNING);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

static char *vf_xml(const char *address, uint8_t last, uint16_t vlan, bool raw)
{
	struct guest_device device = {
		.path = GUEST_VF, .mac = {0x52, 0x54, 0, 0, 0, last}, .vlan = vlan, .raw = raw};
	char *text;

	core_copy(device.address, sizeof(device.address), address);
	assert_int_equal(guest_device_xml(&device, &text, NULL), 0);
	return text;
}

static char *tap_xml(uint8_t last)
{
	const struct guest_device device = {
		.path = GUEST_TAP, .mac = {0x52, 0x54, 0, 0, 0, last}, .netdev = "br0"};
	char *text;

	assert_int_equal(guest_device_xml(&device, &text, NULL), 0);
	return text;
}

static int attach(struct fixture *f, const char *name, char *device, enum virt_where where)
{
	int r = virt_sim_ops.attach(&f->host, name, device, where, &f->err);

	free(device);
	return r;
}

static int detach(struct fixture *f, const char *name, char *device, enum virt_where where)
{
	int r = virt_sim_ops.detach(&f->host, name, device, where, LATER(f), &f->err);

	free(device);
	return r;
}

static void must(struct fixture *f, int r)
{
	if (r < 0)
		fail_msg("%s: %s (%s)", f->err.object, f->err.message, f->err.kernel);
}

static struct sriov_vf *vf(struct fixture *f, unsigned index)
{
	return &look(f, IXGBE)->vf[index];
}

static void test_given_and_taken_back(void **state)
{
	struct fixture *f = *state;
	const uint8_t old[6] = {2, 0, 0, 0, 0, 9}, mac[6] = {0x52, 0x54, 0, 0, 0, 1};
	struct sriov_vf_attrs attrs = {
		.has = SRIOV_VF_MAC | SRIOV_VF_VLAN, .vlan = 7, .vlan_proto = 0x8100};
	struct virt_domain domain = {0};

	memcpy(attrs.mac, old, 6);
	must(f, vf_set(f, IXGBE, 0, attrs));
	must(f, attach(f, "web1", vf_xml(VF0, 1, 0, false), VIRT_LIVE));
	assert_string_equal(vf(f, 0)->driver, "vfio-pci");
	assert_string_equal(vf(f, 0)->driver_override, "vfio-pci");
	assert_string_equal(vf(f, 0)->netdev, "");
	assert_memory_equal(vf(f, 0)->attrs.mac, mac, 6);
	/* without <vlan> libvirt sets 0 */
	assert_int_equal(vf(f, 0)->attrs.vlan, 0);
	assert_int_equal(vf(f, 0)->uses.n, 1);
	assert_string_equal(vf(f, 0)->uses.at[0].who, "guest web1 (running)");
	assert_true(vf(f, 0)->uses.at[0].libvirt_net);
	must(f, virt_sim_ops.find(&f->host, "web1", &domain, &f->err));
	assert_string_equal(domain.uuid, UUID);
	assert_true(domain.running && domain.persistent);
	assert_null(strstr(domain.config, "hostdev"));
	assert_non_null(
		strstr(domain.live, "<address type=\"pci\" domain=\"0x0000\" bus=\"0x01\""));
	virt_domain_clear(&domain);

	/* the kernel waits for the guest */
	assert_int_equal(numvfs(f, IXGBE, 0), -ETIMEDOUT);
	fixture_put(f, "sim", "{}");

	must(f, detach(f, UUID, vf_xml(VF0, 1, 0, false), VIRT_LIVE));
	assert_memory_equal(vf(f, 0)->attrs.mac, old, 6);
	assert_int_equal(vf(f, 0)->attrs.vlan, 7);
	assert_string_equal(vf(f, 0)->driver_override, "");
	settle(f);
	assert_string_equal(vf(f, 0)->driver, "ixgbevf");
	assert_string_equal(vf(f, 0)->netdev, "ens2f0v0");
	assert_int_equal(vf(f, 0)->uses.n, 0);
	assert_int_equal(counter(f, "virt_detach"), 1);
}

/* vfio-pci that was there before stays, and <hostdev> leaves MAC and VLAN alone. */
static void test_raw(void **state)
{
	struct fixture *f = *state;
	const uint8_t old[6] = {2, 0, 0, 0, 0, 9};
	struct sriov_vf_attrs attrs = {
		.has = SRIOV_VF_MAC | SRIOV_VF_VLAN, .vlan = 7, .vlan_proto = 0x8100};
	struct sriov_pf *pf;

	memcpy(attrs.mac, old, 6);
	must(f, vf_set(f, IXGBE, 1, attrs));
	pf = look(f, IXGBE);
	must(f, f->host.ops->override(&f->host, pf, VF1, "vfio-pci", LATER(f), &f->err));
	must(f, f->host.ops->unbind(&f->host, pf, VF1, LATER(f), &f->err));
	must(f, f->host.ops->probe(&f->host, pf, VF1, LATER(f), &f->err));
	must(f, attach(f, "web1", vf_xml(VF1, 1, 0, true), VIRT_LIVE));
	assert_memory_equal(vf(f, 1)->attrs.mac, old, 6);
	assert_int_equal(vf(f, 1)->attrs.vlan, 7);
	assert_false(vf(f, 1)->uses.at[0].libvirt_net);
	must(f, detach(f, "web1", vf_xml(VF1, 1, 0, true), VIRT_LIVE));
	assert_string_equal(vf(f, 1)->driver, "vfio-pci");
	assert_string_equal(vf(f, 1)->driver_override, "vfio-pci");
	assert_int_equal(vf(f, 1)->attrs.vlan, 7);
}

/* Nothing of a refused call stays. */
static void refused(struct fixture *f, int r, int code, const char *words)
{
	if (r != code || !(strstr(f->err.kernel, words) || strstr(f->err.message, words)))
		fail_msg("%d %s: %s (%s)", r, f->err.object, f->err.message, f->err.kernel);
	assert_string_not_equal(vf(f, 0)->driver, "vfio-pci");
	assert_int_equal(vf(f, 0)->attrs.vlan, 0);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	json_t *json, *pf;

	refused(f, attach(f, "wep1", vf_xml(VF0, 1, 5, false), VIRT_LIVE), -ENOENT,
		"no such domain");
	assert_string_equal(f->err.hint, "did you mean 'web1'?");
	refused(f, attach(f, "web1", strdup("<disk/>"), VIRT_LIVE), -EOPNOTSUPP, "<disk>");
	refused(f, attach(f, "web1", vf_xml("0000:99:00.0", 1, 5, false), VIRT_LIVE), -ENODEV,
		"SR-IOV Virtual Functions only");
	refused(f, detach(f, "web1", vf_xml(VF0, 1, 0, false), VIRT_LIVE), -ENODEV,
		"does not have");
	refused(f, virt_sim_ops.pin(&f->host, "web1", VIRT_VCPU, 2, "0", VIRT_LIVE, &f->err),
		-EINVAL, "vcpu 2 is out of range of live cpu count 2");
	refused(f, virt_sim_ops.pin(&f->host, "web1", VIRT_VCPU, 0, "", VIRT_LIVE, &f->err),
		-EINVAL, "not a list of CPUs");
	refused(f, virt_sim_ops.memory(&f->host, "web1", "loose", "0", VIRT_CONFIG, &f->err),
		-EINVAL, "not a mode");
	refused(f, virt_sim_ops.memory(&f->host, "web1", NULL, "0", VIRT_LIVE, &f->err),
		-EOPNOTSUPP, "requires restrictive numa mode");
	refused(f, virt_sim_ops.memory(&f->host, "web1", "restrictive", "0", VIRT_LIVE, &f->err),
		-EOPNOTSUPP, "numatune mode");
	refused(f, virt_sim_ops.define(&f->host, "<domain/>", &f->err), -EINVAL, "name");
	refused(f, virt_sim_ops.define(&f->host, "<!DOCTYPE d><domain/>", &f->err), -EINVAL,
		"document type");

	for (uint8_t i = 10; i < 14; i++)
		must(f, attach(f, "web1", tap_xml(i), VIRT_LIVE));
	refused(f, attach(f, "web1", vf_xml(VF0, 1, 5, false), VIRT_LIVE), -ENOSPC,
		"No more available PCI slots");
	fixture_put(f, "domains",
		    "[{'name': 'web1', 'state': 'running'}, {'name': 'db1', 'state': 'running', "
		    "'vfs': ['" VF0 "']}]");
	refused(f, attach(f, "web1", vf_xml(VF0, 1, 5, false), VIRT_LIVE), -EBUSY,
		"PCI device " VF0 " is in use by driver QEMU, domain db1");
	must(f, f->host.ops->link_set(&f->host, look(f, IXGBE), false, &f->err));
	fixture_put(f, "domains", RUNNING);
	refused(f, attach(f, "web1", vf_xml(VF0, 1, 5, false), VIRT_LIVE), -ENETDOWN,
		"because the PF is not online");
	json = fixture_json(f);
	for (size_t i = 0; i < json_array_size(json_object_get(json, "pfs")); i++) {
		pf = json_array_get(json_object_get(json, "pfs"), i);
		for (size_t v = 0; v < json_array_size(json_object_get(pf, "vf")); v++)
			json_object_set_new(json_array_get(json_object_get(pf, "vf"), v),
					    "iommu_group", json_integer(-1));
	}
	fixture_write(f, json);
	refused(f, attach(f, "web1", vf_xml(VF0, 1, 5, false), VIRT_LIVE), -EOPNOTSUPP,
		"host doesn't support passthrough");
	fixture_put(f, "domains", "[{'name': 'web1'}]");
	refused(f, attach(f, "web1", tap_xml(1), VIRT_LIVE), -ENOTCONN, "not running");
}

/* A guest that is paused or does not answer keeps its device, and the deadline passes. */
static void test_no_answer(void **state)
{
	static const char *const silent[] = {"'state': 'paused'",
					     "'state': 'running', 'answers': false"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
		_free_ char *domains = core_printf("[{'name': 'web1', %s, 'vfs': ['" VF0 "']}]",
						   silent[i]);
		int64_t before;

		fixture_put(f, "domains", domains);
		before = f->host.ops->now_ms(&f->host);
		assert_int_equal(detach(f, "web1", vf_xml(VF0, 1, 0, false), VIRT_LIVE),
				 -ETIMEDOUT);
		assert_true(f->host.ops->now_ms(&f->host) >= before + 5000);
		assert_non_null(strstr(f->err.message, "does not let go of VF " VF0));
		assert_true(vf(f, 0)->uses.at[0].running);
		/* its definition lets go of it all the same */
		must(f, detach(f, "web1", vf_xml(VF0, 1, 0, false), VIRT_CONFIG));
	}
	assert_string_equal(vf(f, 0)->uses.at[0].who, "guest web1 (running)");
}

/* The domain is stopped behind our back: libvirt gives back what it gave. */
static void test_stopped(void **state)
{
	struct fixture *f = *state;
	json_t *json;

	for (int transient = 0; transient < 2; transient++) {
		struct virt_domains all = {0};

		fixture_put(f, "domains", RUNNING);
		must(f, attach(f, "web1", vf_xml(VF0, 1, 9, false), VIRT_LIVE));
		assert_int_equal(vf(f, 0)->attrs.vlan, 9);
		json = fixture_json(f);
		json_object_set_new(json_array_get(json_object_get(json, "domains"), 0), "state",
				    json_string("defined"));
		if (transient)
			json_object_del(json_array_get(json_object_get(json, "domains"), 0), "xml");
		fixture_write(f, json);
		assert_int_equal(vf(f, 0)->attrs.vlan, 0);
		settle(f);
		assert_string_equal(vf(f, 0)->driver, "ixgbevf");
		assert_int_equal(vf(f, 0)->uses.n, 0);
		must(f, virt_sim_ops.list(&f->host, true, &all, &f->err));
		assert_int_equal(all.n, !transient);
		virt_domains_clear(&all);
	}
}

static void test_definition(void **state)
{
	struct fixture *f = *state;
	struct virt_domain domain = {0};
	long pid = 42;

	must(f, attach(f, "web1", vf_xml(VF0, 1, 9, false), VIRT_CONFIG));
	assert_int_equal(attach(f, "web1", vf_xml(VF0, 1, 9, false), VIRT_CONFIG), -EEXIST);
	assert_string_equal(vf(f, 0)->uses.at[0].who, "guest web1 (defined)");
	assert_string_equal(vf(f, 0)->driver, "ixgbevf");
	must(f, virt_sim_ops.pin(&f->host, "web1", VIRT_VCPU, 1, "4-5", VIRT_CONFIG, &f->err));
	must(f, virt_sim_ops.pin(&f->host, "web1", VIRT_VCPU, 1, "6", VIRT_CONFIG, &f->err));
	must(f, virt_sim_ops.pin(&f->host, "web1", VIRT_EMULATOR, 0, "7", VIRT_CONFIG, &f->err));
	must(f, virt_sim_ops.memory(&f->host, "web1", "strict", "1", VIRT_CONFIG, &f->err));
	must(f, virt_sim_ops.find(&f->host, "web1", &domain, &f->err));
	assert_non_null(strstr(domain.config, "<vcpupin vcpu=\"1\" cpuset=\"6\"/>"));
	assert_null(strstr(domain.config, "4-5"));
	assert_non_null(strstr(domain.config, "<emulatorpin cpuset=\"7\"/>"));
	assert_non_null(strstr(domain.config, "<memory mode=\"strict\" nodeset=\"1\"/>"));
	assert_null(strstr(domain.live, "cputune"));
	virt_domain_clear(&domain);

	must(f, virt_sim_ops.define(&f->host, "<domain><name>new</name></domain>", &f->err));
	must(f, virt_sim_ops.define(&f->host,
				    "<domain><name>web1</name><uuid>" UUID "</uuid></domain>",
				    &f->err));
	assert_int_equal(vf(f, 0)->uses.n, 0);
	must(f, virt_sim_ops.find(&f->host, "new", &domain, &f->err));
	assert_false(domain.running);
	assert_int_equal(strlen(domain.uuid), 36);
	virt_domain_clear(&domain);
	assert_int_equal(virt_sim_ops.pid(&f->host, UUID, &pid, &f->err), -ESRCH);
	assert_int_equal(pid, 42);
}

static void test_deviations(void **state)
{
	struct fixture *f = *state;

	fixture_put(f, "sim",
		    "{'deviate': [{'op': 'virt_attach', 'errno': 'ECONNRESET', 'times': 1}, {'op': "
		    "'virt_attach', 'lie': true, 'times': 1}, {'op': 'virt_detach', 'never': true, "
		    "'times': 1}]}");
	refused(f, attach(f, "web1", vf_xml(VF0, 1, 5, false), VIRT_LIVE), -ECONNRESET,
		"as the simulated host was told");
	must(f, attach(f, "web1", vf_xml(VF0, 1, 5, false), VIRT_LIVE));
	assert_string_equal(vf(f, 0)->driver, "ixgbevf");
	must(f, attach(f, "web1", vf_xml(VF0, 1, 5, false), VIRT_LIVE));
	assert_string_equal(vf(f, 0)->driver, "vfio-pci");
	assert_int_equal(detach(f, "web1", vf_xml(VF0, 1, 5, false), VIRT_LIVE), -ETIMEDOUT);
	must(f, detach(f, "web1", vf_xml(VF0, 1, 5, false), VIRT_LIVE));
	assert_int_equal(counter(f, "virt_attach"), 3);
}

/* What a host file may not say. */
static void test_file(void **state)
{
#define XML(inner) "\"<domain><name>web1</name>" inner "</domain>\""
#define HAS(address_bus)                                                                           \
	"<devices><hostdev type='pci'><source><address bus='" address_bus                          \
	"' slot='0x10'/></source></hostdev></devices>"
	static const struct {
		const char *domain;
		const char *words; /* NULL: it may */
	} rows[] = {
		{"\"xml\": " XML(HAS("0x81")) ", \"vfs\": [\"" VF0 "\"]", NULL},
		{"\"xml\": " XML(HAS("0x81")) ", \"vfs\": []", "vfs: lacks " VF0},
		{"\"xml\": " XML("") ", \"vfs\": [\"" VF0 "\"]",
		 "vfs[0]: is not in the domain's XML"},
		{"\"live\": " XML(HAS("0x81")) ", \"xml\": " XML("") ", \"state\": \"running\", "
								     "\"vfs\": [\"" VF0 "\"]",
		 NULL},
		{"\"xml\": 7", "xml: must be a string"},
		{"\"xml\": \"<domain><name>other</name></domain>\"", "xml: is of a domain 'other'"},
		{"\"xml\": " XML("<uuid>" UUID "</uuid>") ", \"uuid\": \"" UUID "\"", NULL},
		{"\"xml\": " XML("<uuid>" UUID "</uuid>") ", \"uuid\": \"x\"", "xml: has the UUID"},
		{"\"xml\": " XML(HAS("0x1ff")), "malformed"},
		{"\"xml\": \"<!DOCTYPE d><domain/>\"", "document type"},
		{"\"live\": \"<domain\"", "live: line 1"},
		{"\"state\": \"gone\"", "state"},
		{"\"answers\": 1", "answers"},
		{"\"saved\": [{}]", "saved[0]"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *text = core_printf("[{\"name\": \"web1\", %s}]", rows[i].domain);
		json_t *json = fixture_json(f), *domains = json_loads(text, 0, NULL);
		struct virt_domains all = {0};
		int r;

		assert_non_null(domains);
		json_object_set_new(json, "domains", domains);
		fixture_write(f, json);
		f->err = (struct sriov_error){0};
		r = virt_sim_ops.list(&f->host, true, &all, &f->err);
		if ((r < 0) != !!rows[i].words ||
		    (rows[i].words && !strstr(f->err.message, rows[i].words)))
			fail_msg("%s: %d %s", rows[i].domain, r, f->err.message);
		virt_domains_clear(&all);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_given_and_taken_back),
		TEST(test_raw),
		TEST(test_refused),
		TEST(test_no_answer),
		TEST(test_stopped),
		TEST(test_definition),
		TEST(test_deviations),
		TEST(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
