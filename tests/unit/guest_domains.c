/* SPDX-License-Identifier: Apache-2.0 */
/* Which VFs libvirt's own files name, and that what cannot be read counts. */
#include "tests/unit/guest_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define VF0 "<address type='pci' domain='0x0000' bus='0x81' slot='0x10' function='0x0'/>"
#define VF1 "<address domain='0x0000' bus='0x81' slot='0x10' function='0x1'/>"

static char root[64], etc[80], run[80];

static int setup(void **state)
{
	strcpy(root, "/tmp/guest-domains-XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(etc, sizeof(etc), "%s/etc", root);
	snprintf(run, sizeof(run), "%s/run", root);
	*state = fixture_new();
	return mkdir(etc, 0700) || mkdir(run, 0700);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	sriov_inventory_free(*state);
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

/* The uses of VF @v of ens2f0. */
static const struct sriov_uses *uses_of(struct sriov_inventory *inv, unsigned v)
{
	return &inventory_find(inv, "ens2f0")->vf[v].uses;
}

static size_t count_uses(struct sriov_inventory *inv)
{
	size_t n = 0;

	for (size_t i = 0; i < inv->npfs; i++)
		for (unsigned v = 0; v < inv->pf[i].vfs; v++)
			n += inv->pf[i].vf[v].uses.n;
	return n;
}

static void assert_use(const struct sriov_uses *uses, const char *who, const char *dir,
		       const char *file, bool running)
{
	char how[160];

	snprintf(how, sizeof(how), "%s/%s", dir, file);
	assert_int_equal(uses->n, 1);
	assert_string_equal(uses->at[0].who, who);
	assert_string_equal(uses->at[0].how, how);
	assert_int_equal(uses->at[0].running, running);
	assert_false(uses->at[0].unreadable);
}

static void test_places(void **state)
{
	static const struct {
		const char *file, *who, *text;
	} rows[] = {
		{"web1.xml", "guest web1 (defined)",
		 "<!-- generated --><domain><name>web1</name><devices><interface type='hostdev'>"
		 "<source>" VF0 "</source></interface></devices></domain>"},
		{"db.xml", "guest db (defined)",
		 "<domain><name>db</name><devices><hostdev mode='subsystem' type='pci'><source>" VF1
		 "</source></hostdev></devices></domain>"},
	};
	struct sriov_inventory *inv = *state;
	struct sriov_error err = {0};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		put(etc, rows[i].file, rows[i].text);
	put(run, "net.xml",
	    "<domstatus state='paused' pid='7'><domain id='1'><name>net</name><devices>"
	    "<interface type='network'><source network='p'/><actual type='hostdev'><source>"
	    "<address type='pci' bus='129' slot='16' function='2'/></source></actual></interface>"
	    "</devices></domain></domstatus>");
	assert_int_equal(guest_domains_uses(inv, etc, run, &err), 0);
	assert_use(uses_of(inv, 0), rows[0].who, etc, rows[0].file, false);
	assert_use(uses_of(inv, 1), rows[1].who, etc, rows[1].file, false);
	assert_use(uses_of(inv, 2), "guest net (paused)", run, "net.xml", true);
	assert_int_equal(uses_of(inv, 3)->n, 0);
	/* libvirt owns MAC and VLAN of an interface while its domain runs, no more and no longer */
	assert_false(uses_of(inv, 0)->at[0].libvirt_net);
	assert_false(uses_of(inv, 1)->at[0].libvirt_net);
	assert_true(uses_of(inv, 2)->at[0].libvirt_net);
}

/* Devices that are none of ours, and files that are no domains of libvirt. */
static void test_not_ours(void **state)
{
	struct sriov_inventory *inv = *state;
	struct sriov_error err = {0};
	char path[160];

	put(etc, "a.xml",
	    "<domain><name>a</name><devices>"
	    "<hostdev type='usb'><source><address bus='129' device='16'/></source></hostdev>"
	    "<hostdev type='pci'><source><address bus='1'/></source></hostdev>"
	    "<interface type='user'><source>" VF0 "</source></interface>"
	    "<interface type='hostdev'><source><address type='pci'/></source>" VF0 "</interface>"
	    "</devices></domain>");
	put(etc, "b.xml.new", "<broken");
	put(etc, ".xml", "<broken");
	snprintf(path, sizeof(path), "%s/networks.xml", etc);
	assert_int_equal(mkdir(path, 0700), 0);
	put(path, "pool.xml", "<broken");
	assert_int_equal(guest_domains_uses(inv, etc, run, &err), 0);
	assert_int_equal(count_uses(inv), 0);
}

static void test_no_libvirt(void **state)
{
	struct sriov_error err = {0};

	assert_int_equal(guest_domains_uses(*state, "/nonexistent/etc", "/nonexistent/run", &err),
			 0);
	assert_int_equal(count_uses(*state), 0);
}

/* Every VF of the host is marked once a directory, and told why. */
static void assert_unreadable(struct sriov_inventory *inv, const char *why)
{
	assert_int_equal(count_uses(inv), 6);
	for (unsigned v = 0; v < 4; v++) {
		assert_true(uses_of(inv, v)->at[0].unreadable);
		if (!strstr(uses_of(inv, v)->at[0].how, why))
			fail_msg("'%s' is not in: %s", why, uses_of(inv, v)->at[0].how);
	}
}

static void test_unreadable(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"<domain><name>", "web1.xml: line 1:"},
		{"", "web1.xml: line"},
		{"<network/>", "not a domain"},
		{"<!DOCTYPE a [<!ENTITY b 'c'>]><domain/>", "document type"},
		{"<domain><devices><hostdev type='pci'><source><address bus='0x100'/></source>"
		 "</hostdev></devices></domain>",
		 "PCI address"},
		{"<domain><devices><hostdev type='pci'><source><address slot='-1'/></source>"
		 "</hostdev></devices></domain>",
		 "PCI address"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_inventory *inv = fixture_new();
		struct sriov_error err = {0};

		put(etc, "web1.xml", rows[i].text);
		assert_int_equal(guest_domains_uses(inv, etc, run, &err), 0);
		assert_unreadable(inv, rows[i].why);
		sriov_inventory_free(inv);
	}
}

static void test_odd_files(void **state)
{
	struct sriov_error err = {0};
	char path[160];

	snprintf(path, sizeof(path), "%s/link.xml", run);
	put(root, "elsewhere", "<domain/>");
	assert_int_equal(symlink("../elsewhere", path), 0);
	snprintf(path, sizeof(path), "%s/pipe.xml", run);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/huge.xml", run);
	put(run, "huge.xml", "");
	assert_int_equal(truncate(path, (1 << 20) + 1), 0);
	assert_int_equal(guest_domains_uses(*state, etc, run, &err), 0);
	assert_unreadable(*state, "and 2 more files");
}

static void test_directory_is_a_file(void **state)
{
	struct sriov_error err = {0};

	put(root, "file", "");
	snprintf(run, sizeof(run), "%s/file", root);
	assert_int_equal(guest_domains_uses(*state, etc, run, &err), 0);
	assert_unreadable(*state, "Not a directory");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_places),     T(test_not_ours),  T(test_no_libvirt),
		T(test_unreadable), T(test_odd_files), T(test_directory_is_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
