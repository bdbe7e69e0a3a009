/* SPDX-License-Identifier: Apache-2.0 */
/* Where a guest is placed, by host, domain and what is taken; and the domain with that written into it. */
#include "lib/guest/tune.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Hosts: two nodes of four cores with two threads each; the same without threads; one node; four nodes, two a socket. */
static const struct host {
	size_t n, ncores;
	struct sriov_node node[4];
	struct sriov_core core[4][4];
} hosts[] = {
	{2,
	 4,
	 {{.id = 0,
	   .cpus = "0-3,8-11",
	   .memory_mib = 8192,
	   .nhuge = 1,
	   .huge = {{2048, 1024, 512}}},
	  {.id = 1,
	   .socket = 1,
	   .cpus = "4-7,12-15",
	   .memory_mib = 8192,
	   .nhuge = 1,
	   .huge = {{2048, 1024, 1024}}}},
	 {{{"0,8"}, {"1,9"}, {"2,10"}, {"3,11"}}, {{"4,12"}, {"5,13"}, {"6,14"}, {"7,15"}}}},
	{2,
	 0,
	 {{.id = 0, .cpus = "0-7", .memory_mib = 8192},
	  {.id = 1, .cpus = "8-15", .memory_mib = 8192}},
	 {{{""}}}},
	{1, 0, {{.id = 0, .cpus = "0-3", .memory_mib = 4096}}, {{{""}}}},
	{4,
	 1,
	 {{.id = 0, .socket = 0, .cpus = "0-1"},
	  {.id = 1, .socket = 1, .cpus = "2-3"},
	  {.id = 2, .socket = 0, .cpus = "4-5"},
	  {.id = 3, .socket = 1, .cpus = "6-7"}},
	 {{{"0-1"}}, {{"2-3"}}, {{"4-5"}}, {{"6-7"}}}},
};
enum { SMT, FLAT, ONE, FOUR };

#define DOMAIN(rest)                                                                               \
	"<domain type='kvm'><name>web1</name><memory unit='MiB'>2048</memory>" rest "</domain>"
#define VCPUS(n) "<vcpu>" #n "</vcpu>"
#define VF                                                                                         \
	"<devices><interface type='hostdev'><source><address domain='0' bus='0x81' slot='0x10' function='0'/></source></interface></devices>"
#define VHOST(queues)                                                                                                                     \
	"<devices><interface type='direct'><source dev='ens2f0' mode='vepa'/><model type='virtio'/><driver name='vhost' queues='" #queues \
	"'/></interface></devices>"
#define CELLS                                                                                      \
	"<cpu><numa><cell id='0' cpus='0-1' memory='1' unit='GiB'/><cell id='1' cpus='2-3' memory='1' unit='GiB'/></numa></cpu>"
#define HUGE "<memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking>"

struct row {
	const char *what;
	int host;
	int node;
	const char *excluded, *interrupts, *vcpus, *emulators; /* "" = none */
	const char *mode;
	const char *domain;
	const char *expect; /* items */
	const char *note;   /* part of one of them, or NULL: there is none */
};

static const struct row rows[] = {
	{"whole cores, threads side by side; the emulator on the last core", SMT, 1, "", "", "", "",
	 NULL, DOMAIN(VCPUS(4) VF),
	 "vcpupin 0=4 vcpupin 1=12 vcpupin 2=5 vcpupin 3=13 emulatorpin=7,15 memory=strict 1 ",
	 NULL},
	{"an odd vCPU leaves a thread to the next", SMT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(1) VF), "vcpupin 0=4 emulatorpin=7,15 memory=strict 1 ", NULL},
	{"each CPU is a core", FLAT, 1, "", "", "", "", NULL, DOMAIN(VCPUS(2) VF),
	 "vcpupin 0=8 vcpupin 1=9 emulatorpin=15 memory=strict 1 ", NULL},
	{"one node", ONE, 0, "", "", "", "", NULL, DOMAIN(VCPUS(2) VF),
	 "vcpupin 0=0 vcpupin 1=1 emulatorpin=3 memory=strict 0 ", NULL},
	{"excluded with its hyper-thread, also the emulator", SMT, 1, "4,15", "", "", "", NULL,
	 DOMAIN(VCPUS(4) VF),
	 "vcpupin 0=5 vcpupin 1=13 vcpupin 2=6 vcpupin 3=14 emulatorpin=3,11 memory=strict 1 ",
	 NULL},
	{"off the interrupts' cores", SMT, 1, "", "4-5", "", "", NULL, DOMAIN(VCPUS(2) VF),
	 "vcpupin 0=6 vcpupin 1=14 emulatorpin=7,15 memory=strict 1 ", NULL},
	{"off the interrupts first, same node second", FLAT, 0, "", "0-7", "", "", NULL,
	 DOMAIN(VCPUS(4) VHOST(4)),
	 "vcpupin 0=0 vcpupin 1=1 vcpupin 2=2 vcpupin 3=3 emulatorpin=11-15 memory=strict 0 ",
	 "node 0 has 0 free CPUs off the interrupts for 4 vCPUs: cores that take the NIC's "
	 "interrupts are used as well"},
	{"interrupts everywhere", ONE, 0, "", "0-3", "", "", NULL, DOMAIN(VCPUS(2) VF),
	 "vcpupin 0=0 vcpupin 1=1 emulatorpin=3 memory=strict 0 ",
	 "cores that take the NIC's interrupts"},
	{"a CPU for each vhost worker", SMT, 1, "", "", "", "", NULL, DOMAIN(VCPUS(2) VHOST(3)),
	 "vcpupin 0=4 vcpupin 1=12 emulatorpin=6-7,14-15 memory=strict 1 ", NULL},
	{"the emulator of a full node beside its socket's", FOUR, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(2) VF), "vcpupin 0=2 vcpupin 1=3 emulatorpin=6-7 memory=strict 1 ", NULL},
	{"as many vCPUs as CPUs, on all nodes: the emulator shares", ONE, 0, "", "", "", "", NULL,
	 DOMAIN(VCPUS(4) VF),
	 "vcpupin 0=0 vcpupin 1=1 vcpupin 2=2 vcpupin 3=3 emulatorpin=3 memory=strict 0 ", NULL},
	{"more vCPUs than CPUs", ONE, 0, "3", "", "", "", NULL, DOMAIN(VCPUS(5) VF),
	 "vcpupin 0=0 vcpupin 1=1 vcpupin 2=2 vcpupin 3=0 vcpupin 4=1 emulatorpin=2 "
	 "memory=strict 0 ",
	 "node 0 has 3 CPUs for 5 vCPUs: 2 of them share a CPU with another"},
	{"other guests' vCPUs are left alone", SMT, 1, "", "", "4,12,5", "", NULL,
	 DOMAIN(VCPUS(4) VF),
	 "vcpupin 0=6 vcpupin 1=14 vcpupin 2=7 vcpupin 3=15 emulatorpin=13 memory=strict 1 ", NULL},
	{"and their emulators, while there is room", SMT, 1, "", "", "4,12", "7,15", NULL,
	 DOMAIN(VCPUS(4) VF),
	 "vcpupin 0=5 vcpupin 1=13 vcpupin 2=6 vcpupin 3=14 emulatorpin=7,15 memory=strict 1 ",
	 NULL},
	{"then emulators' CPUs are taken", SMT, 1, "", "", "4-5,12-13", "7,15", NULL,
	 DOMAIN(VCPUS(4) VF),
	 "vcpupin 0=6 vcpupin 1=14 vcpupin 2=7 vcpupin 3=15 emulatorpin=3,11 memory=strict 1 ",
	 "node 1 has 2 free CPUs off the interrupts for 4 vCPUs: CPUs that other guests' emulators "
	 "are pinned to are used as well"},
	{"vCPUs' CPUs last", FLAT, 1, "", "14-15", "8-13", "", NULL, DOMAIN(VCPUS(3) VF),
	 "vcpupin 0=8 vcpupin 1=9 vcpupin 2=10 emulatorpin=7 memory=strict 1 ",
	 "CPUs that other guests' vCPUs are pinned to are used as well"},

	/* what the domain says and agrees is kept */
	{"good pins are kept", SMT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(4) "<cputune><vcpupin vcpu='1' cpuset='7'/><vcpupin vcpu='2' cpuset='5,13'/>"
			 "<emulatorpin cpuset='6'/></cputune>" VF),
	 "vcpupin 0=4 vcpupin 1=7 vcpupin 2=5,13 vcpupin 3=12 emulatorpin=6 memory=strict 1 ",
	 NULL},
	{"pins to the whole node, to others' CPUs, to one CPU twice and elsewhere are not", SMT, 1,
	 "", "6", "", "", NULL,
	 DOMAIN(VCPUS(5) "<cputune><vcpupin vcpu='0' cpuset='4-5,7,12-13,15'/>"
			 "<vcpupin vcpu='1' cpuset='6'/><vcpupin vcpu='2' cpuset='0'/>"
			 "<vcpupin vcpu='3' cpuset='15'/><vcpupin vcpu='4' cpuset='15'/>"
			 "<emulatorpin cpuset='14'/></cputune>" VF),
	 "vcpupin 0=4 vcpupin 1=12 vcpupin 2=5 vcpupin 3=15 vcpupin 4=13 emulatorpin=7 "
	 "memory=strict 1 ",
	 NULL},
	{"a pool of CPUs for some vCPUs is kept", FLAT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(2) "<cputune><vcpupin vcpu='0' cpuset='10-12'/><vcpupin vcpu='1' "
			 "cpuset='10-12'/></cputune>" VF),
	 "vcpupin 0=10-12 vcpupin 1=10-12 emulatorpin=15 memory=strict 1 ", NULL},
	{"a mode is kept", FLAT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(1) "<numatune><memory mode='preferred' nodeset='0'/></numatune>" VF),
	 "vcpupin 0=8 emulatorpin=15 memory=preferred 1 ", NULL},
	{"unless another is asked for", FLAT, 1, "", "", "", "", "restrictive",
	 DOMAIN(VCPUS(1) "<numatune><memory mode='preferred' nodeset='1'/></numatune>" VF),
	 "vcpupin 0=8 emulatorpin=15 memory=restrictive 1 ", NULL},
	{"IOThreads are with the emulator", FLAT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(1) "<iothreads>2</iothreads><iothreadids><iothread id='4'/></iothreadids>"
			 "<cputune><iothreadpin iothread='1' cpuset='12'/></cputune>" VF),
	 "vcpupin 0=8 emulatorpin=13-15 iothreadpin 4=13-15 iothreadpin 1=12 memory=strict 1 ",
	 NULL},

	/* cells */
	{"the first cell gets the NIC's node", SMT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(4) CELLS VF),
	 "vcpupin 0=4 vcpupin 1=12 vcpupin 2=0 vcpupin 3=8 emulatorpin=7,15 memory=strict 0-1 "
	 "memnode 0=strict 1 memnode 1=strict 0 ",
	 NULL},
	{"unless another is there already", SMT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(4) "<numatune><memory mode='preferred' nodeset='0-1'/><memnode cellid='1' "
			 "mode='preferred' nodeset='1'/></numatune>" CELLS VF),
	 "vcpupin 0=0 vcpupin 1=8 vcpupin 2=4 vcpupin 3=12 emulatorpin=7,15 memory=preferred 0-1 "
	 "memnode 0=preferred 0 memnode 1=preferred 1 ",
	 NULL},
	{"or pinned there", SMT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(4) "<cputune><vcpupin vcpu='2' cpuset='6'/></cputune>" CELLS VF),
	 "vcpupin 0=0 vcpupin 1=8 vcpupin 2=6 vcpupin 3=4 emulatorpin=7,15 memory=strict 0-1 "
	 "memnode 0=strict 0 memnode 1=strict 1 ",
	 NULL},
	{"cells that are nowhere near the NIC move", FOUR, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(
		 4) "<numatune><memnode cellid='0' mode='strict' nodeset='0'/><memnode cellid='1' "
		    "mode='strict' nodeset='2'/></numatune>" CELLS VF),
	 "vcpupin 0=2 vcpupin 1=3 vcpupin 2=6 vcpupin 3=7 emulatorpin=0-1 memory=strict 1,3 "
	 "memnode 0=strict 1 memnode 1=strict 3 ",
	 NULL},
	{"more cells than nodes", ONE, 0, "", "", "", "", NULL, DOMAIN(VCPUS(4) CELLS VF),
	 "vcpupin 0=0 vcpupin 1=1 vcpupin 2=2 vcpupin 3=3 emulatorpin=3 memory=strict 0 "
	 "memnode 0=strict 0 memnode 1=strict 0 ",
	 NULL},
	{"one cell is not said twice", FLAT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(
		 1) "<cpu><numa><cell id='0' cpus='0' memory='2' unit='GiB'/></numa></cpu>" VF),
	 "vcpupin 0=8 emulatorpin=15 memory=strict 1 ", NULL},

	/* memory */
	{"enough hugepages", SMT, 1, "", "", "", "", NULL, DOMAIN(VCPUS(1) HUGE VF),
	 "vcpupin 0=4 emulatorpin=7,15 memory=strict 1 ", NULL},
	{"too few hugepages", SMT, 0, "", "", "", "", NULL, DOMAIN(VCPUS(1) HUGE VF),
	 "vcpupin 0=0 emulatorpin=3,11 memory=strict 0 ",
	 "node 0 has 512 free hugepages of 2048 KiB, the guest needs 1024: it will not start"},
	{"none of that size", ONE, 0, "", "", "", "", NULL, DOMAIN(VCPUS(1) HUGE VF),
	 "vcpupin 0=0 emulatorpin=3 memory=strict 0 ",
	 "node 0 has no hugepages of 2048 KiB, which the guest asks for"},
	{"more memory than the node has", ONE, 0, "", "", "", "", NULL,
	 "<domain><memory unit='GB'>5</memory>" VCPUS(1) VF "</domain>",
	 "vcpupin 0=0 emulatorpin=3 memory=strict 0 ",
	 "node 0 has 4096 MiB of memory, 4768 MiB of the guest are to be on it"},
	{"vhost-user needs shared memory", FLAT, 1, "", "", "", "", NULL,
	 DOMAIN(VCPUS(1) "<devices><interface type='vhostuser'/></devices>"),
	 "vcpupin 0=8 emulatorpin=15 memory=strict 1 access=shared ", NULL},
};

static void list(const char *text, struct cpuset *out)
{
	assert_int_equal(cpuset_parse(text, out), 0);
}

/* Places the row's domain, as it is or (@domain) as given. The caller clears all of it. */
static int place(const struct row *row, const char *domain, struct topology *topology,
		 struct tune_domain *dom, struct tune_target *target, struct sriov_error *err)
{
	const struct host *host = &hosts[row->host];
	struct sriov_node node[4];
	struct tune_facts facts = {
		.nic_node = row->node, .nic = "VF 0000:81:10.0", .mode = row->mode};

	memcpy(node, host->node, sizeof(node));
	for (size_t i = 0; i < host->n; i++) {
		node[i].core = (struct sriov_core *)host->core[i];
		node[i].ncores = host->ncores;
	}
	assert_int_equal(topology_build(node, host->n, topology, err), 0);
	assert_int_equal(tune_domain_read(domain, dom, err), 0);
	facts.topology = topology;
	facts.node = node;
	facts.nnodes = host->n;
	facts.domain = dom;
	list(row->excluded, &facts.excluded);
	list(row->interrupts, &facts.interrupts);
	list(row->vcpus, &facts.vcpus);
	list(row->emulators, &facts.emulators);
	return tune_place(&facts, target, err);
}

static char *in_words(const struct tune_target *target)
{
	char *text = strdup("");

	for (size_t i = 0; i < target->nitems; i++) {
		_free_ char *old = text, *then = tune_wanted(&target->item[i]);
		char what[24];

		tune_what(target->item[i].kind, target->item[i].number, what);
		text = core_printf("%s%s=%s ", old, what, then);
		assert_true(*target->item[i].why);
	}
	return text;
}

static void test_place(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_tune_target_ struct tune_target target = {0};
		_topology_ struct topology topology = {0};
		_tune_domain_ struct tune_domain dom = {0};
		_free_ char *text = NULL;
		struct sriov_error err;
		bool noted = false;

		if (place(&rows[i], rows[i].domain, &topology, &dom, &target, &err) < 0)
			fail_msg("%s: %s", rows[i].what, err.message);
		text = in_words(&target);
		if (strcmp(text, rows[i].expect) != 0)
			fail_msg("%s:\n  expected %s\n  found    %s", rows[i].what, rows[i].expect,
				 text);
		for (size_t k = 0; k < target.nnotes; k++) {
			noted |= rows[i].note && strstr(target.note[k], rows[i].note);
			if (!rows[i].note)
				fail_msg("%s: note: %s", rows[i].what, target.note[k]);
		}
		if (rows[i].note && !noted)
			fail_msg("%s: no note '%s', but %s", rows[i].what, rows[i].note,
				 target.nnotes ? target.note[0] : "none");
	}
}

/* What is written into the domain is what is read back, and placing that again finds nothing to change. */
static void test_written_and_placed_again(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_tune_target_ struct tune_target target = {0}, again = {0};
		_topology_ struct topology topology = {0}, same = {0};
		_tune_domain_ struct tune_domain dom = {0}, tuned = {0};
		_free_ char *xml = NULL, *first = NULL, *second = NULL;
		char *vcpu[8] = {NULL}, *nodes = NULL, *emulator = NULL;
		struct tune_edit_cell cell[2] = {0};
		struct tune_edit_thread thread[2] = {0};
		struct tune_edit edit = {.vcpu = vcpu, .cell = cell, .iothread = thread};
		struct sriov_error err;

		assert_int_equal(place(&rows[i], rows[i].domain, &topology, &dom, &target, &err),
				 0);
		edit.vcpus = dom.vcpus;
		for (size_t k = 0; k < target.nitems; k++) {
			struct tune_item *item = &target.item[k];

			switch (item->kind) {
			case TUNE_VCPU:
				vcpu[item->number] = cpuset_text(&item->to);
				break;
			case TUNE_EMULATOR:
				edit.emulator = emulator = cpuset_text(&item->to);
				break;
			case TUNE_IOTHREAD:
				thread[edit.niothreads++] = (struct tune_edit_thread){
					item->number, cpuset_text(&item->to)};
				break;
			case TUNE_MEMORY:
				edit.nodes = nodes = cpuset_text(&item->to);
				edit.mode = item->mode;
				break;
			case TUNE_MEMNODE:
				cell[edit.ncells++] = (struct tune_edit_cell){
					item->number, item->mode, cpuset_text(&item->to)};
				break;
			case TUNE_ACCESS:
				edit.shared = true;
				break;
			}
		}
		assert_int_equal(tune_domain_edit(rows[i].domain, &edit, &xml, &err), 0);
		assert_int_equal(place(&rows[i], xml, &same, &tuned, &again, &err), 0);
		first = in_words(&target);
		second = in_words(&again);
		/* one CPU for two vCPUs is not kept for the second, but chosen for it again */
		if (strcmp(first, second) != 0)
			fail_msg("%s:\n  first  %s\n  second %s\n%s", rows[i].what, first, second,
				 xml);
		for (size_t k = 0; k < again.nitems; k++) {
			_free_ char *said = tune_said(&tuned, again.item[k].kind,
						      again.item[k].number);
			_free_ char *wanted = tune_wanted(&again.item[k]);

			assert_string_equal(said, wanted);
		}
		for (size_t k = 0; k < ARRAY_SIZE(vcpu); k++)
			free(vcpu[k]);
		for (size_t k = 0; k < edit.ncells; k++)
			free((char *)cell[k].nodes);
		for (size_t k = 0; k < edit.niothreads; k++)
			free((char *)thread[k].cpus);
		free(nodes);
		free(emulator);
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct row row;
		int r;
		const char *message;
	} bad[] = {
		{{"", SMT, 1, "4-7", "", "", "", NULL, DOMAIN(VCPUS(1) VF), NULL, NULL},
		 -ENOSPC,
		 "node 1 has no CPU that its vCPUs may have"},
		{{"", ONE, 3, "", "", "", "", NULL, DOMAIN(VCPUS(1) VF), NULL, NULL},
		 -ENODEV,
		 "VF 0000:81:10.0 is on node 3, which this host does not have"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_tune_target_ struct tune_target target = {0};
		_topology_ struct topology topology = {0};
		_tune_domain_ struct tune_domain dom = {0};
		struct sriov_error err;

		assert_int_equal(
			place(&bad[i].row, bad[i].row.domain, &topology, &dom, &target, &err),
			bad[i].r);
		assert_string_equal(err.message, bad[i].message);
		assert_true(*err.hint);
		assert_int_equal(target.nitems, 0);
	}
}

static void test_bad_domains(void **state)
{
	static const struct {
		const char *xml, *message;
	} bad[] = {
		{"<domain><vcpu>0</vcpu></domain>",
		 "<vcpu>0</vcpu> is not a number from 1 to 4096"},
		{DOMAIN("<iothreads>9999</iothreads>"),
		 "<iothreads>: the count '9999' is not a number"},
		{DOMAIN("<cputune><emulatorpin cpuset='x'/></cputune>"),
		 "<emulatorpin cpuset='x'> is not a list"},
		{DOMAIN("<cputune><vcpupin vcpu='a' cpuset='1'/></cputune>"),
		 "<vcpupin>: vcpu 'a' is not a number"},
		{DOMAIN("<iothreads>1</iothreads><cputune><iothreadpin iothread='1' cpuset=''/></cputune>"),
		 "<iothreadpin cpuset=''> is not a list"},
		{DOMAIN("<cpu><numa><cell id='0' cpus='0' memory='much'/></numa></cpu>"),
		 "<cell>: memory is not an amount"},
		{DOMAIN("<cpu><numa><cell id='999' cpus='0' memory='1'/></numa></cpu>"),
		 "<cell>: id '999' is not a number"},
		{DOMAIN("<memoryBacking><hugepages><page size='2' unit='furlong'/></hugepages>"
			"</memoryBacking>"),
		 "<page>: size is not an amount"},
		{DOMAIN("<numatune><memory nodeset='a-b'/></numatune>"),
		 "<memory nodeset='a-b'> is not a list"},
		{DOMAIN("<devices><interface type='hostdev'><source><address bus='999'/></source>"
			"</interface></devices>"),
		 "the PCI address of a <interface> is malformed"},
		{DOMAIN("<devices><interface type='bridge'><model type='virtio'/><driver queues='9999'/>"
			"</interface></devices>"),
		 "<driver>: queues '9999' is not a number"},
		{"<domain><memory unit='?'>1</memory></domain>", "<memory>: it is not an amount"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_tune_domain_ struct tune_domain dom = {.vcpus = 77};
		struct sriov_error err;

		assert_int_equal(tune_domain_read(bad[i].xml, &dom, &err), -EINVAL);
		if (!strstr(err.message, bad[i].message))
			fail_msg("'%s' is not in '%s'", bad[i].message, err.message);
		assert_int_equal(dom.vcpus, 77);
	}
}

static void test_edit_layout(void **state)
{
	static const char before[] =
		"<domain>\n"
		"  <name>web1</name>\n"
		"  <memory unit='MiB'>64</memory>\n"
		"  <vcpu placement='auto'>2</vcpu>\n"
		"  <numatune>\n"
		"    <memory mode='strict' placement='auto'/>\n"
		"  </numatune>\n"
		"  <cpu>\n"
		"    <numa>\n"
		"      <cell id='0' cpus='0-1' memory='64' unit='MiB' memAccess='private'/>\n"
		"    </numa>\n"
		"  </cpu>\n"
		"</domain>\n";
	static const char after[] =
		"<domain>\n"
		"  <name>web1</name>\n"
		"  <memory unit=\"MiB\">64</memory>\n"
		"  <memoryBacking>\n"
		"    <source type=\"memfd\"/>\n"
		"    <access mode=\"shared\"/>\n"
		"  </memoryBacking>\n"
		"  <vcpu placement=\"static\">2</vcpu>\n"
		"  <cputune>\n"
		"    <vcpupin vcpu=\"1\" cpuset=\"3\"/>\n"
		"    <emulatorpin cpuset=\"0-1\"/>\n"
		"  </cputune>\n"
		"  <numatune>\n"
		"    <memory mode=\"preferred\" placement=\"static\" nodeset=\"1\"/>\n"
		"    <memnode cellid=\"0\" mode=\"preferred\" nodeset=\"1\"/>\n"
		"  </numatune>\n"
		"  <cpu>\n"
		"    <numa>\n"
		"      <cell id=\"0\" cpus=\"0-1\" memory=\"64\" unit=\"MiB\" memAccess=\"shared\"/>\n"
		"    </numa>\n"
		"  </cpu>\n"
		"</domain>\n";
	char one[] = "3";
	char *const vcpu[] = {NULL, one};
	const struct tune_edit_cell cell = {0, "preferred", "1"};
	const struct tune_edit edit = {.vcpu = vcpu,
				       .vcpus = 2,
				       .emulator = "0-1",
				       .mode = "preferred",
				       .nodes = "1",
				       .cell = &cell,
				       .ncells = 1,
				       .shared = true};
	_free_ char *xml = NULL;
	struct sriov_error err;

	assert_int_equal(tune_domain_edit(before, &edit, &xml, &err), 0);
	assert_string_equal(xml, after);
}

/* 256 CPUs, 128 vCPUs: far above what a guest has, and below a millisecond without sanitizers. */
static void test_large(void **state)
{
	struct sriov_core core[2][64];
	struct sriov_node node[2] = {
		{.id = 0, .cpus = "0-63,128-191", .core = core[0], .ncores = 64},
		{.id = 1, .cpus = "64-127,192-255", .core = core[1], .ncores = 64}};
	_tune_target_ struct tune_target target = {0};
	_topology_ struct topology topology = {0};
	_tune_domain_ struct tune_domain dom = {0};
	struct tune_facts facts = {.nic_node = 1,
				   .nic = "VF",
				   .topology = &topology,
				   .node = node,
				   .nnodes = 2,
				   .domain = &dom};
	struct timespec from, to;
	struct sriov_error err;

	for (unsigned i = 0; i < 128; i++)
		snprintf(core[i / 64][i % 64].cpus, sizeof(core[0][0].cpus), "%u,%u", i, i + 128);
	assert_int_equal(topology_build(node, 2, &topology, &err), 0);
	assert_int_equal(tune_domain_read(DOMAIN(VCPUS(120) VF), &dom, &err), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(tune_place(&facts, &target, &err), 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("figure: placing 120 vCPUs on 256 CPUs (this build): %ld us\n",
	       (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000);
	assert_int_equal(target.nitems, 122);
	for (unsigned i = 0; i < 120; i++)
		assert_int_equal(cpuset_only(&target.item[i].to), 64 + i / 2 + i % 2 * 128);
}

static void test_topology(void **state)
{
	struct sriov_node node = {.id = 0, .cpus = "0-3"}, bad = {.id = 7, .cpus = "x"};
	_topology_ struct topology topology = {0};
	struct sriov_error err;

	assert_int_equal(topology_build(NULL, 0, &topology, &err), -ENODATA);
	assert_int_equal(topology_build(&bad, 1, &topology, &err), -EINVAL);
	assert_string_equal(err.message, "node 7: 'x' is not a list of CPUs");
	assert_int_equal(topology.ncores, 0);
	assert_int_equal(topology_build(&node, 1, &topology, &err), 0);
	assert_int_equal(topology.ncores, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),       cmocka_unit_test(test_written_and_placed_again),
		cmocka_unit_test(test_refused),     cmocka_unit_test(test_bad_domains),
		cmocka_unit_test(test_edit_layout), cmocka_unit_test(test_large),
		cmocka_unit_test(test_topology),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
