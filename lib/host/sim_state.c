/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a simulated host from and to JSON: the member "sim" beside the snapshot's, and "nic" of PFs;
 * "domains" is in sim_domains.c.
 */
#include "lib/host/fields.h"
#include "lib/host/sim.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <string.h>

#define LIST_MAX 4096

const char *const sim_op_words[SIM_OPS + 1] = {
	[SIM_LINK_SET] = "link_set",
	[SIM_AUTOPROBE] = "autoprobe",
	[SIM_NUMVFS] = "numvfs",
	[SIM_VF_SET] = "vf_set",
	[SIM_OVERRIDE] = "override",
	[SIM_UNBIND] = "unbind",
	[SIM_PROBE] = "probe",
	[SIM_NTUPLE] = "ntuple",
	[SIM_RULE_INSERT] = "rule_insert",
	[SIM_RULE_DELETE] = "rule_delete",
	[SIM_VF_UP] = "vf_up",
	[SIM_FRAMES] = "frames",
	[SIM_RSS_SET] = "rss_set",
	[SIM_FDB_SET] = "fdb_set",
	[SIM_LINK_MAKE] = "link_make",
	[SIM_LINK_DELETE] = "link_delete",
	[SIM_VIRT_ATTACH] = "virt_attach",
	[SIM_VIRT_DETACH] = "virt_detach",
	[SIM_VIRT_LIMIT] = "virt_limit",
	[SIM_VIRT_DEFINE] = "virt_define",
	[SIM_VIRT_PIN] = "virt_pin",
	[SIM_VIRT_MEMORY] = "virt_memory",
	[SIM_OVS_PORT_ADD] = "ovs_port_add",
	[SIM_OVS_PORT_DEL] = "ovs_port_del",
	[SIM_OVS_PORT_SET] = "ovs_port_set",
	[SIM_OVS_BRIDGE_ADD] = "ovs_bridge_add",
	[SIM_OVS_BRIDGE_DEL] = "ovs_bridge_del",
	[SIM_OVS_FLOWS] = "ovs_flows",
	[SIM_OVS_METER_SET] = "ovs_meter_set",
	[SIM_OVS_METER_DEL] = "ovs_meter_del",
	[SIM_LINK] = "link",
	[SIM_READ] = "read",
	[SIM_READ_ATTRS] = "read_attrs",
	[SIM_READ_RULES] = "read_rules",
	[SIM_WAIT] = "wait",
	[SIM_PAUSE] = "pause",
};
static const char *const event_words[] = {"link", "netdev", "ready", NULL};

#define HAS_VF 1

static const struct field sim_fields[] = {
	FIELD(struct sim, clock_ms, FIELD_INT, .max = INT64_MAX / 2),
	FIELD(struct sim, landed, FIELD_INT, .max = INT64_MAX / 2),
	FIELD(struct sim, count_reads, FIELD_BOOL),
	{.key = "pending", .kind = FIELD_CHILD},
	{.key = "deviate", .kind = FIELD_CHILD},
	{.key = "stuck", .kind = FIELD_CHILD},
	{.key = "netdevs", .kind = FIELD_CHILD},
	{.key = "fdb", .kind = FIELD_CHILD},
	{.key = "ops", .kind = FIELD_CHILD},
	FIELD_END,
};

static const struct field fdb_fields[] = {
	FIELD(struct sim_fdb, pf, FIELD_PCI, .required = true),
	FIELD(struct sim_fdb, mac, FIELD_MAC, .required = true),
	FIELD_END,
};

static const struct field netdev_fields[] = {
	FIELD(struct sim_netdev, name, FIELD_NAME, .required = true),
	FIELD(struct sim_netdev, mac, FIELD_MAC),
	FIELD(struct sim_netdev, kind, FIELD_NAME),
	FIELD(struct sim_netdev, lower, FIELD_NAME),
	FIELD(struct sim_netdev, master, FIELD_NAME),
	FIELD(struct sim_netdev, vlan, FIELD_INT, .max = 4094),
	FIELD(struct sim_netdev, up, FIELD_BOOL),
	FIELD(struct sim_netdev, ours, FIELD_BOOL),
	FIELD(struct sim_netdev, half, FIELD_BOOL),
	FIELD(struct sim_netdev, addressed, FIELD_BOOL),
	FIELD_END,
};

static const struct field event_fields[] = {
	FIELD(struct sim_event, at_ms, FIELD_INT, .required = true, .max = INT64_MAX / 2),
	FIELD(struct sim_event, event, FIELD_WORD, .required = true, .words = event_words),
	FIELD(struct sim_event, pf, FIELD_PCI, .required = true),
	FIELD(struct sim_event, vf, FIELD_INT, .has = HAS_VF, .max = SRIOV_VF_MAX - 1),
	FIELD_END,
};

static const struct field deviation_fields[] = {
	FIELD(struct sim_deviation, op, FIELD_WORD, .required = true, .words = sim_op_words),
	FIELD(struct sim_deviation, pf, FIELD_PCI, .has = SIM_DEVIATE_PF),
	FIELD(struct sim_deviation, vf, FIELD_INT, .has = SIM_DEVIATE_VF, .max = SRIOV_VF_MAX - 1),
	FIELD(struct sim_deviation, skip, FIELD_INT, .has = SIM_DEVIATE_SKIP, .max = INT_MAX),
	FIELD(struct sim_deviation, times, FIELD_INT, .has = SIM_DEVIATE_TIMES, .min = 1,
	      .max = INT_MAX),
	FIELD_AS(struct sim_deviation, errno_name, "errno", FIELD_TEXT, .has = SIM_DEVIATE_ERRNO),
	FIELD(struct sim_deviation, lie, FIELD_BOOL, .has = SIM_DEVIATE_LIE),
	FIELD(struct sim_deviation, hang, FIELD_BOOL, .has = SIM_DEVIATE_HANG),
	FIELD(struct sim_deviation, never, FIELD_BOOL, .has = SIM_DEVIATE_NEVER),
	FIELD_END,
};

static const struct field stuck_fields[] = {
	FIELD(struct sim_stuck, pf, FIELD_PCI, .required = true),
	FIELD(struct sim_stuck, op, FIELD_WORD, .required = true, .words = sim_op_words),
	FIELD(struct sim_stuck, vfs, FIELD_INT, .max = SRIOV_VF_MAX),
	FIELD_END,
};

/* Counters are members named after the operation: all, or (@sim) those that counted something. */
static void ops_fields(struct field fields[SIM_OPS + 1], const struct sim *sim)
{
	size_t n = 0;

	for (unsigned i = 0; i < SIM_OPS; i++) {
		if (!sim || sim->ops[i])
			fields[n++] = (struct field){.key = sim_op_words[i],
						     .kind = FIELD_INT,
						     .offset = i * sizeof(sim->ops[0]),
						     .size = sizeof(sim->ops[0]),
						     .max = INT64_MAX / 2};
	}
	fields[n] = (struct field)FIELD_END;
}

int sim_errno(const char *name)
{
	for (int code = 1; code <= EHWPOISON; code++) {
		const char *known = strerrorname_np(code);

		if (known && !strcmp(known, name))
			return code;
	}
	return 0;
}

static int deviation_check(struct reader *r, const char *path, const struct sim_deviation *d)
{
	/* How an operation can deviate; the others just fail. */
	static const unsigned ways[SIM_OPS] = {
		[SIM_LINK_SET] = SIM_DEVIATE_LIE,
		[SIM_AUTOPROBE] = SIM_DEVIATE_LIE,
		[SIM_NUMVFS] = SIM_DEVIATE_LIE | SIM_DEVIATE_HANG,
		[SIM_VF_SET] = SIM_DEVIATE_LIE,
		[SIM_OVERRIDE] = SIM_DEVIATE_LIE,
		[SIM_UNBIND] = SIM_DEVIATE_LIE | SIM_DEVIATE_HANG,
		[SIM_PROBE] = SIM_DEVIATE_LIE | SIM_DEVIATE_HANG,
		[SIM_NTUPLE] = SIM_DEVIATE_LIE,
		[SIM_RULE_INSERT] = SIM_DEVIATE_LIE,
		[SIM_RULE_DELETE] = SIM_DEVIATE_LIE,
		[SIM_VF_UP] = SIM_DEVIATE_LIE,
		[SIM_FRAMES] = SIM_DEVIATE_LIE,
		[SIM_RSS_SET] = SIM_DEVIATE_LIE,
		[SIM_FDB_SET] = SIM_DEVIATE_LIE,
		[SIM_VIRT_ATTACH] = SIM_DEVIATE_LIE | SIM_DEVIATE_NEVER,
		[SIM_VIRT_DETACH] = SIM_DEVIATE_LIE | SIM_DEVIATE_NEVER,
		[SIM_VIRT_LIMIT] = SIM_DEVIATE_LIE,
		[SIM_VIRT_DEFINE] = SIM_DEVIATE_LIE,
		[SIM_VIRT_PIN] = SIM_DEVIATE_LIE,
		[SIM_VIRT_MEMORY] = SIM_DEVIATE_LIE,
		[SIM_LINK_MAKE] = SIM_DEVIATE_LIE,
		[SIM_LINK_DELETE] = SIM_DEVIATE_LIE,
		[SIM_OVS_PORT_ADD] = SIM_DEVIATE_LIE,
		[SIM_OVS_PORT_DEL] = SIM_DEVIATE_LIE,
		[SIM_OVS_PORT_SET] = SIM_DEVIATE_LIE,
		[SIM_OVS_BRIDGE_ADD] = SIM_DEVIATE_LIE,
		[SIM_OVS_BRIDGE_DEL] = SIM_DEVIATE_LIE,
		[SIM_OVS_FLOWS] = SIM_DEVIATE_LIE,
		[SIM_OVS_METER_SET] = SIM_DEVIATE_LIE,
		[SIM_OVS_METER_DEL] = SIM_DEVIATE_LIE,
		[SIM_LINK] = SIM_DEVIATE_NEVER,
	};
	unsigned allowed = ways[d->op] | (d->op == SIM_LINK ? 0 : SIM_DEVIATE_ERRNO);
	unsigned how = d->has &
		       (SIM_DEVIATE_ERRNO | SIM_DEVIATE_LIE | SIM_DEVIATE_HANG | SIM_DEVIATE_NEVER);

	if (!how || how & (how - 1))
		return reader_fail(r, -EINVAL, path, NULL,
				   "needs exactly one of errno, lie, hang, never");
	if (how & ~allowed || d->op >= SIM_WAIT)
		return reader_fail(r, -EINVAL, path, "op", "'%s' cannot deviate in that way",
				   sim_op_words[d->op]);
	if (!(how & SIM_DEVIATE_ERRNO))
		return d->lie || d->hang || d->never
			       ? 0
			       : reader_fail(r, -EINVAL, path, NULL, "deviates in no way");
	return sim_errno(d->errno_name)
		       ? 0
		       : reader_fail(r, -EINVAL, path, "errno",
				     "'%s' is not the name of an error (EIO)", d->errno_name);
}

static int deviations_decode(struct reader *r, const json_t *json, struct sim *sim)
{
	const json_t *array = reader_array(r, json, "sim", "deviate", LIST_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sim_deviation *d = core_grow(&sim->deviation, &sim->ndeviations, sizeof(*d));

		if (!d)
			return r->code = core_oom(r->err);
		reader_path(path, "sim", "deviate", i);
		if (fields_decode(r, element, path, deviation_fields, d, &d->has) < 0 ||
		    deviation_check(r, path, d) < 0)
			return r->code;
	}
	return r->code;
}

static int events_decode(struct reader *r, const json_t *json, struct sim *sim)
{
	const json_t *array = reader_array(r, json, "sim", "pending", LIST_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sim_event event = {0};

		reader_path(path, "sim", "pending", i);
		if (fields_decode(r, element, path, event_fields, &event, &event.has) < 0)
			return r->code;
		if ((event.event != SIM_EVENT_LINK) != !!(event.has & HAS_VF))
			return reader_fail(r, -EINVAL, path, "vf",
					   "is for netdev and ready events");
		if (sim_schedule(sim, event) < 0)
			return r->code = core_oom(r->err);
	}
	return r->code;
}

static int stuck_decode(struct reader *r, const json_t *json, struct sim *sim)
{
	const json_t *array = reader_array(r, json, "sim", "stuck", LIST_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sim_stuck *stuck = core_grow(&sim->stuck, &sim->nstuck, sizeof(*stuck));

		if (!stuck)
			return r->code = core_oom(r->err);
		reader_path(path, "sim", "stuck", i);
		if (fields_decode(r, element, path, stuck_fields, stuck, NULL) < 0)
			return r->code;
		if (stuck->op != SIM_NUMVFS && stuck->op != SIM_UNBIND && stuck->op != SIM_PROBE)
			return reader_fail(r, -EINVAL, path, "op", "'%s' cannot be stuck",
					   sim_op_words[stuck->op]);
	}
	return r->code;
}

static int netdevs_decode(struct reader *r, const json_t *json, struct sim *sim)
{
	const json_t *array = reader_array(r, json, "sim", "netdevs", LIST_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sim_netdev *netdev = core_grow(&sim->netdev, &sim->nnetdevs,
						      sizeof(*netdev));

		if (!netdev)
			return r->code = core_oom(r->err);
		fields_decode(r, element, reader_path(path, "sim", "netdevs", i), netdev_fields,
			      netdev, NULL);
	}
	return r->code;
}

static int fdb_decode(struct reader *r, const json_t *json, struct sim *sim)
{
	const json_t *array = reader_array(r, json, "sim", "fdb", LIST_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sim_fdb *fdb = core_grow(&sim->fdb, &sim->nfdb, sizeof(*fdb));

		if (!fdb)
			return r->code = core_oom(r->err);
		fields_decode(r, element, reader_path(path, "sim", "fdb", i), fdb_fields, fdb,
			      NULL);
	}
	return r->code;
}

static int extras_decode(struct reader *r, const json_t *json, struct sim_texts *texts,
			 struct sim *sim)
{
	const json_t *extras = json_object_get(json, "sim"), *ops;
	struct field fields[SIM_OPS + 1];

	if (sim_domains_decode(r, json, texts, sim) < 0 || !extras)
		return r->code;
	if (fields_decode(r, extras, "sim", sim_fields, sim, NULL) < 0 ||
	    events_decode(r, extras, sim) < 0 || deviations_decode(r, extras, sim) < 0 ||
	    stuck_decode(r, extras, sim) < 0 || netdevs_decode(r, extras, sim) < 0 ||
	    fdb_decode(r, extras, sim) < 0)
		return r->code;
	ops = json_object_get(extras, "ops");
	ops_fields(fields, NULL);
	return ops ? fields_decode(r, ops, "sim.ops", fields, sim->ops, NULL) : 0;
}

static void sim_freep(struct sim **sim)
{
	sim_free(*sim);
}

/* A driver reports every attribute: what a file leaves out is as at the VF's creation. */
static void attrs_complete(struct sriov_vf_attrs *attrs)
{
	if (!(attrs->has & SRIOV_VF_SPOOFCHK))
		attrs->spoofchk = true;
	if (!(attrs->has & SRIOV_VF_VLAN))
		attrs->vlan_proto = ETH_P_8021Q;
	attrs->has = SRIOV_VF_ALL;
}

static int nics_decode(struct reader *r, const json_t *json, struct sim *sim)
{
	const json_t *pfs = json_object_get(json, "pfs");

	sim->nic = calloc(sim->inv->npfs + 1, sizeof(*sim->nic));
	if (!sim->nic)
		return r->code = core_oom(r->err);
	sim->nnics = sim->inv->npfs;
	for (size_t i = 0; i < sim->nnics; i++) {
		struct sriov_error nested;
		char path[READER_PATH];
		int code;

		sim->nic[i] = json_incref(json_object_get(json_array_get(pfs, i), "nic"));
		code = sim_rules_check(sim, &sim->inv->pf[i], &nested);
		if (code < 0)
			return reader_fail(r, code, reader_path(path, "", "pfs", i), "nic", "%s",
					   nested.message);
	}
	return 0;
}

int sim_decode(const json_t *json, struct sim_texts *texts, struct sim **out,
	       struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = calloc(1, sizeof(*sim));
	struct reader r = {.subject = "snapshot", .err = err};
	int code;

	if (!sim)
		return core_oom(err);
	code = inventory_decode(json, &sim->inv, err);
	if (code < 0)
		return code;
	for (size_t i = 0; i < sim->inv->npfs; i++) {
		const struct sriov_pf *pf = &sim->inv->pf[i];

		if (pf->vfs && !pf->vf) {
			sriov_error_set(
				err, -ENODATA, "snapshot",
				"pfs[%zu].vf: is missing: the snapshot was taken without VFs", i);
			return sriov_error_hint(err, "take it with `sriovctl host snapshot`");
		}
		for (unsigned v = 0; v < pf->vfs; v++)
			attrs_complete(&pf->vf[v].attrs);
	}
	sim->ovs = json_incref(json_object_get(json, "ovs"));
	if (nics_decode(&r, json, sim) < 0 || extras_decode(&r, json, texts, sim) < 0)
		return r.code;
	*out = core_steal(sim);
	return 0;
}

static json_t *extras_encode(const struct sim *sim)
{
	_json_ json_t *json = fields_encode(sim_fields, sim, 0);
	json_t *pending = json_array(), *deviate = json_array(), *stuck = json_array(),
	       *netdevs = json_array(), *fdb = json_array();
	struct field fields[SIM_OPS + 1];
	bool ok;

	ops_fields(fields, sim);
	/* every json_put() runs: it takes the array over, also when it fails */
	ok = json_put(json, "pending", pending);
	ok = json_put(json, "deviate", deviate) && ok;
	ok = json_put(json, "stuck", stuck) && ok;
	ok = (sim->nnetdevs ? json_put(json, "netdevs", netdevs) : (json_decref(netdevs), true)) &&
	     ok;
	ok = (sim->nfdb ? json_put(json, "fdb", fdb) : (json_decref(fdb), true)) && ok;
	ok = json_put(json, "ops", fields_encode(fields, sim->ops, 0)) && ok;
	for (size_t i = 0; ok && i < sim->nevents; i++)
		ok = json_add(pending,
			      fields_encode(event_fields, &sim->event[i], sim->event[i].has));
	for (size_t i = 0; ok && i < sim->ndeviations; i++)
		ok = json_add(deviate, fields_encode(deviation_fields, &sim->deviation[i],
						     sim->deviation[i].has));
	for (size_t i = 0; ok && i < sim->nstuck; i++)
		ok = json_add(stuck, fields_encode(stuck_fields, &sim->stuck[i], 0));
	for (size_t i = 0; ok && i < sim->nnetdevs; i++)
		ok = json_add(netdevs, fields_encode(netdev_fields, &sim->netdev[i], 0));
	for (size_t i = 0; ok && i < sim->nfdb; i++)
		ok = json_add(fdb, fields_encode(fdb_fields, &sim->fdb[i], 0));
	return ok ? core_steal(json) : NULL;
}

json_t *sim_encode(const struct sim *sim)
{
	_json_ json_t *json = inventory_encode(sim->inv);

	if (!json_put(json, "domains", sim_domains_encode(sim)))
		return NULL;
	for (size_t i = 0; i < sim->nnics; i++) {
		json_t *pf = json_array_get(json_object_get(json, "pfs"), i);

		if (sim->nic[i] && json_object_set(pf, "nic", sim->nic[i]))
			return NULL;
	}
	if (sim->ovs && json_object_set(json, "ovs", sim->ovs))
		return NULL;
	return json_put(json, "sim", extras_encode(sim)) ? core_steal(json) : NULL;
}

void sim_free(struct sim *sim)
{
	if (!sim)
		return;
	for (size_t i = 0; i < sim->ndomains; i++)
		sim_domain_clear(&sim->domain[i]);
	for (size_t i = 0; i < sim->nnics; i++)
		json_decref(sim->nic[i]);
	free(sim->nic);
	free(sim->domain);
	free(sim->event);
	free(sim->deviation);
	free(sim->stuck);
	free(sim->netdev);
	free(sim->fdb);
	json_decref(sim->ovs);
	sriov_inventory_free(sim->inv);
	free(sim);
}
