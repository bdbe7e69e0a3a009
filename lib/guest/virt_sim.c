/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt of a simulated host: the domains of its file. What libvirt 9.0 and its QEMU driver do to XML and VFs is
 * done here, and refused in the same words.
 */
#include "lib/core/cpuset.h"
#include "lib/guest/libvirt.h"
#include "lib/guest/virt_simvf.h"
#include "lib/guest/virt_simxml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void sim_freep(struct sim **sim)
{
	sim_free(*sim);
}

/* ---- which domain ---- */

/* A domain of the short form may have no UUID: then one that is the same each time. */
static const char *uuid_of(const struct sim_domain *domain, char buf[40])
{
	uint64_t a = core_hash(CORE_HASH_SEED, domain->name, strlen(domain->name));
	uint64_t b = core_hash(a, "uuid", 4);

	if (domain->uuid[0])
		core_copy(buf, 40, domain->uuid);
	else
		snprintf(buf, 40, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(a >> 32),
			 (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
			 (unsigned)(b >> 48 & 0xfff), (unsigned long long)(b & 0xffffffffffff));
	return buf;
}

static struct sim_domain *find_domain(const struct sim *sim, const char *name)
{
	char wanted[40] = "", uuid[40];

	guest_uuid_parse(name, wanted);
	for (size_t i = 0; i < sim->ndomains; i++)
		if (*wanted && !strcmp(uuid_of(&sim->domain[i], uuid), wanted))
			return &sim->domain[i];
	for (size_t i = 0; i < sim->ndomains; i++)
		if (!strcmp(sim->domain[i].name, name))
			return &sim->domain[i];
	return NULL;
}

/* Gives a domain of the short form the XML that it stands for. */
static int spell_out(const struct sim *sim, struct sim_domain *domain, struct sriov_error *err)
{
	_free_ struct guest_device *devices = NULL;
	char uuid[40];
	char *xml;
	int r;

	if (domain->xml || domain->live)
		return 0;
	devices = calloc(domain->nvfs + 1, sizeof(*devices));
	if (!devices)
		return core_oom(err);
	for (size_t i = 0; i < domain->nvfs; i++) {
		struct sriov_vf *vf = NULL;
		struct sriov_pf *pf;

		devices[i].path = GUEST_VF;
		core_copy(devices[i].address, sizeof(devices[i].address), domain->vf[i].address);
		if (!simvf_find(sim, domain->vf[i].address, &pf, &vf)) {
			memcpy(devices[i].mac, vf->attrs.mac, sizeof(devices[i].mac));
			devices[i].vlan = vf->attrs.vlan;
		}
		/* libvirt makes up a MAC where none is given */
		if (sriov_mac_is_zero(devices[i].mac))
			memcpy(devices[i].mac, (uint8_t[]){0x52, 0x54, 0, 0, i >> 8, i}, 6);
	}
	uuid_of(domain, uuid);
	r = simxml_domain(domain->name, uuid, devices, domain->nvfs, &xml, err);
	if (r < 0)
		return r;
	core_copy(domain->uuid, sizeof(domain->uuid), uuid);
	domain->xml = xml;
	if (domain->state) {
		domain->live = strdup(xml);
		if (!domain->live)
			return core_oom(err);
	}
	return sim_domain_vfs(domain, err);
}

/* ---- reading ---- */

static int describe(const struct sim *sim, struct sim_domain *domain, bool with_xml,
		    struct virt_domain *out, struct sriov_error *err)
{
	_virt_domain_ struct virt_domain is = {.running = domain->state,
					       .paused = domain->state == SIM_PAUSED};
	int r = spell_out(sim, domain, err);

	if (r < 0)
		return r;
	core_copy(is.name, sizeof(is.name), domain->name);
	uuid_of(domain, is.uuid);
	is.persistent = domain->xml;
	if (with_xml) {
		is.config = domain->xml ? strdup(domain->xml) : NULL;
		is.live = domain->live ? strdup(domain->live) : NULL;
		if ((domain->xml && !is.config) || (domain->live && !is.live))
			return core_oom(err);
	}
	*out = is;
	is = (struct virt_domain){0};
	return 0;
}

static int list_all(const struct sim *sim, bool with_xml, struct virt_domains *out,
		    struct sriov_error *err)
{
	_virt_domains_ struct virt_domains list = {0};

	for (size_t i = 0; i < sim->ndomains; i++) {
		struct virt_domain *domain = core_grow(&list.at, &list.n, sizeof(*domain));
		int r = domain ? describe(sim, &sim->domain[i], with_xml, domain, err)
			       : core_oom(err);

		if (r < 0)
			return r;
	}
	virt_domains_sort(&list);
	*out = list;
	list = (struct virt_domains){0};
	return 0;
}

static int do_list(struct sriov_host *host, bool with_xml, struct virt_domains *out,
		   struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	int r = sim_load(host, &sim, err);

	return r < 0 ? r : list_all(sim, with_xml, out, err);
}

/* The domain, with XML. */
static int need_domain(const struct sim *sim, const char *name, struct sim_domain **out,
		       struct sriov_error *err)
{
	_virt_domains_ struct virt_domains all = {0};
	struct sim_domain *domain = find_domain(sim, name);
	int r = domain ? spell_out(sim, domain, err) : list_all(sim, false, &all, err);

	if (r < 0)
		return r;
	if (!domain)
		return virt_unknown(&all, name, err);
	*out = domain;
	return 0;
}

static int do_find(struct sriov_host *host, const char *name, struct virt_domain *out,
		   struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	struct sim_domain *domain;
	int r = sim_load(host, &sim, err);

	if (!r)
		r = need_domain(sim, name, &domain, err);
	return r < 0 ? r : describe(sim, domain, true, out, err);
}

static int do_process(struct sriov_host *host, const char *uuid, struct process *out,
		      struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	struct sim_domain *domain;
	int r = sim_load(host, &sim, err);

	if (!r)
		r = need_domain(sim, uuid, &domain, err);
	if (r < 0)
		return r;
	if (!domain->state || !domain->process)
		return sriov_error_set(err, -ESRCH, uuid,
				       "the domain is simulated, and its host file shows no "
				       "process of it");
	return sim_process_copy(domain->process, out) < 0 ? core_oom(err) : 0;
}

static int do_pid(struct sriov_host *host, const char *uuid, long *out, struct sriov_error *err)
{
	_process_ struct process process = {0};
	int r = do_process(host, uuid, &process, err);

	if (!r)
		*out = process.pid;
	return r;
}

/* ---- effects ---- */

static const char *object_of(const struct sim_domain *domain, char buf[80])
{
	snprintf(buf, 80, "domain %s", domain->name);
	return buf;
}

/* The domain of a call, and the XML that it is about. */
static int target(struct sim *sim, const struct sim_call *call, const char *doing,
		  struct sim_domain **out, char ***xml, struct sriov_error *err)
{
	struct sim_domain *domain;
	char object[80];
	int r = need_domain(sim, call->uuid, &domain, err);

	if (r < 0)
		return r;
	*xml = call->where == VIRT_LIVE ? &domain->live : &domain->xml;
	if (!**xml && call->device && call->where == VIRT_LIVE)
		return virt_not_running(object_of(domain, object), err);
	if (!**xml)
		return libvirt_error(
			err, object_of(domain, object), doing, VIR_ERR_OPERATION_INVALID,
			VIR_FROM_QEMU,
			call->where == VIRT_LIVE
				? "Requested operation is not valid: domain is not running"
				: "Requested operation is not valid: transient domains "
				  "do not have any persistent config");
	*out = domain;
	return 0;
}

static int replace(struct sim_domain *domain, char **xml, char *text, struct sriov_error *err)
{
	free(*xml);
	*xml = text;
	return sim_domain_vfs(domain, err);
}

#define ATTACHING "attaching the device"

static int attach_live(struct sim *sim, struct sim_domain *domain, const char *object,
		       const struct guest_device *device, struct sriov_error *err)
{
	struct sriov_pf *pf = NULL;
	struct sriov_vf *vf = NULL;
	bool there = true;
	char *text = NULL;
	int r = device->path == GUEST_VF ? simvf_check(sim, object, device, &pf, &vf, err) : 0;

	if (!r && device->path == GUEST_MACVTAP)
		r = sim_virt_has_link(sim, device->netdev, &there, err);
	if (r < 0)
		return r;
	if (!there)
		return libvirt_error(err, object, ATTACHING, VIR_ERR_SYSTEM_ERROR, VIR_FROM_NONE,
				     "Cannot get interface MAC: No such device");
	r = simxml_plug(domain->live, device, &text, err);
	if (r == -ENOSPC)
		return libvirt_error(err, object, ATTACHING, VIR_ERR_INTERNAL_ERROR, VIR_FROM_NONE,
				     "internal error: No more available PCI slots");
	if (!r && vf)
		r = simvf_give(sim, domain, device, pf, vf, err);
	if (r < 0) {
		free(text);
		return r;
	}
	return replace(domain, &domain->live, text, err);
}

int sim_virt_attach(struct sim *sim, struct sriov_pf *none, const struct sim_call *call,
		    struct sriov_error *err)
{
	struct sim_domain *domain;
	bool found = false;
	char object[80], **xml, *text;
	int r = target(sim, call, ATTACHING, &domain, &xml, err);

	if (!r)
		r = guest_device_find(*xml, call->device, &found, NULL, err);
	if (r < 0)
		return r;
	object_of(domain, object);
	if (found)
		return virt_has_already(object, call->device, err);
	if (call->where == VIRT_LIVE)
		return attach_live(sim, domain, object, call->device, err);
	r = simxml_append(*xml, call->device, &text, err);
	return r < 0 ? r : replace(domain, xml, text, err);
}

int sim_virt_detach(struct sim *sim, struct sriov_pf *none, const struct sim_call *call,
		    struct sriov_error *err)
{
	struct sim_deviation d;
	struct sim_domain *domain;
	_free_ char *own = NULL;
	char object[80], **xml, *text;
	int r = target(sim, call, "detaching the device", &domain, &xml, err);

	if (!r)
		r = guest_device_text(*xml, call->device, &own, err);
	if (r < 0)
		return r;
	if (call->where == VIRT_LIVE &&
	    (domain->state == SIM_PAUSED ||
	     (domain->has & SIM_DOMAIN_ANSWERS && !domain->answers) ||
	     sim_deviate(sim, SIM_VIRT_DETACH, "", -1, SIM_DEVIATE_NEVER, &d))) {
		if (sim->clock_ms < call->deadline_ms)
			sim->clock_ms = call->deadline_ms;
		return virt_not_detached(object_of(domain, object), call->device, false, err);
	}
	r = guest_device_remove(*xml, call->device, &text, err);
	if (!r)
		r = replace(domain, xml, text, err);
	if (!r && call->where == VIRT_LIVE && call->device->path == GUEST_VF)
		simvf_take_back(sim, domain, call->device->address);
	return r;
}

int sim_virt_limit(struct sim *sim, struct sriov_pf *none, const struct sim_call *call,
		   struct sriov_error *err)
{
	struct sim_domain *domain;
	char **xml, *text;
	int r = target(sim, call, "limiting the device", &domain, &xml, err);

	if (!r)
		r = guest_device_limit(*xml, call->device, &text, err);
	return r < 0 ? r : replace(domain, xml, text, err);
}

int sim_virt_define(struct sim *sim, struct sriov_pf *none, const struct sim_call *call,
		    struct sriov_error *err)
{
	char name[SRIOV_NAME_LEN], uuid[40], other[40], object[80], words[160];
	struct sim_domain *domain, *fresh = NULL;
	char *text;
	int r = guest_xml_identity(call->xml, name, uuid, err);

	if (r < 0)
		return r;
	snprintf(object, sizeof(object), "domain %s", name);
	if (!*name)
		return libvirt_error(err, "domain XML", "defining it", VIR_ERR_XML_ERROR,
				     VIR_FROM_DOMAIN, "XML error: missing domain name information");
	domain = *uuid ? find_domain(sim, uuid) : NULL;
	if (domain && strcmp(domain->name, name) != 0)
		snprintf(words, sizeof(words),
			 "operation failed: domain '%s' is already defined with uuid %s",
			 domain->name, uuid);
	else if (!domain && (domain = find_domain(sim, name)) &&
		 (!*uuid || strcmp(uuid_of(domain, other), uuid) != 0))
		snprintf(words, sizeof(words),
			 "operation failed: domain '%s' already exists with uuid %s", name,
			 uuid_of(domain, other));
	else
		words[0] = '\0';
	if (*words)
		return libvirt_error(err, object, "defining it", VIR_ERR_OPERATION_FAILED,
				     VIR_FROM_QEMU, words);
	/* the running one goes on as it is */
	if (domain)
		r = spell_out(sim, domain, err);
	else
		domain = fresh = core_grow(&sim->domain, &sim->ndomains, sizeof(*fresh));
	text = strdup(call->xml);
	if (r < 0 || !domain || !text) {
		free(text);
		return r < 0 ? r : core_oom(err);
	}
	if (fresh) {
		core_copy(fresh->name, sizeof(fresh->name), name);
		core_copy(fresh->uuid, sizeof(fresh->uuid), uuid);
	}
	return replace(domain, &domain->xml, text, err);
}

int sim_virt_pin(struct sim *sim, struct sriov_pf *none, const struct sim_call *call,
		 struct sriov_error *err)
{
	static const enum process_role roles[] = {[VIRT_VCPU] = PROCESS_VCPU,
						  [VIRT_EMULATOR] = PROCESS_EMULATOR,
						  [VIRT_IOTHREAD] = PROCESS_IOTHREAD};
	bool live = call->where == VIRT_LIVE;
	struct sim_domain *domain;
	char object[80], words[128], **xml, *text;
	unsigned count = 0;
	int r = target(sim, call, virt_pinning[call->thread], &domain, &xml, err);

	if (r < 0)
		return r;
	r = simxml_pin(*xml, call->thread, call->number, call->cpus, &count, &text, err);
	if (r == -ERANGE) {
		if (call->thread == VIRT_VCPU)
			snprintf(words, sizeof(words),
				 "invalid argument: vcpu %u is out of range of %s cpu count %u",
				 call->number, live ? "live" : "persistent", count);
		else
			snprintf(words, sizeof(words), "invalid argument: iothread%s %u not found",
				 live ? "" : "id", call->number);
		return libvirt_error(err, object_of(domain, object), virt_pinning[call->thread],
				     VIR_ERR_INVALID_ARG, VIR_FROM_QEMU, words);
	}
	if (r < 0)
		return r;
	if (live && domain->process)
		sim_process_pin(domain->process, roles[call->thread], call->number, call->cpus);
	return replace(domain, xml, text, err);
}

int sim_virt_memory(struct sim *sim, struct sriov_pf *none, const struct sim_call *call,
		    struct sriov_error *err)
{
	bool live = call->where == VIRT_LIVE;
	struct sim_domain *domain;
	const char *words = NULL;
	char object[80], was[16], **xml, *text;
	int r = target(sim, call, "binding its memory", &domain, &xml, err);

	if (!r)
		r = simxml_memory(*xml, call->mode, call->nodeset, &text, was, err);
	if (r < 0)
		return r;
	if (live && call->mode && strcmp(call->mode, was) != 0)
		words = "Requested operation is not valid: can't change numatune mode for running "
			"domain";
	else if (live && strcmp(was, "restrictive") != 0)
		words = "Requested operation is not valid: change of nodeset for running domain "
			"requires restrictive numa mode";
	if (words) {
		free(text);
		return libvirt_error(err, object_of(domain, object), "binding its memory",
				     VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU, words);
	}
	return replace(domain, xml, text, err);
}

/* ---- the table ---- */

static int do_device(struct sriov_host *host, enum sim_op op, const char *uuid, const char *text,
		     enum virt_where where, int64_t deadline_ms, struct sriov_error *err)
{
	struct guest_device device;
	int r = guest_device_parse(text, &device, err);

	return r < 0 ? r
		     : sim_run(host,
			       &(struct sim_call){.op = op,
						  .uuid = uuid,
						  .device = &device,
						  .where = where,
						  .deadline_ms = deadline_ms},
			       err);
}

static int do_attach(struct sriov_host *host, const char *uuid, const char *text,
		     enum virt_where where, struct sriov_error *err)
{
	return do_device(host, SIM_VIRT_ATTACH, uuid, text, where, 0, err);
}

static int do_detach(struct sriov_host *host, const char *uuid, const char *text,
		     enum virt_where where, int64_t deadline_ms, struct sriov_error *err)
{
	return do_device(host, SIM_VIRT_DETACH, uuid, text, where, deadline_ms, err);
}

static int do_limit(struct sriov_host *host, const char *uuid, const char *text,
		    enum virt_where where, struct sriov_error *err)
{
	return do_device(host, SIM_VIRT_LIMIT, uuid, text, where, 0, err);
}

static int do_define(struct sriov_host *host, const char *xml, struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){.op = SIM_VIRT_DEFINE, .xml = xml}, err);
}

static int do_pin(struct sriov_host *host, const char *uuid, enum virt_thread thread,
		  unsigned number, const char *cpus, enum virt_where where, struct sriov_error *err)
{
	struct cpuset set;
	int r = virt_cpus(cpus, &set, err);

	return r < 0 ? r
		     : sim_run(host,
			       &(struct sim_call){.op = SIM_VIRT_PIN,
						  .uuid = uuid,
						  .thread = thread,
						  .number = number,
						  .cpus = cpus,
						  .where = where},
			       err);
}

static int do_memory(struct sriov_host *host, const char *uuid, const char *mode,
		     const char *nodeset, enum virt_where where, struct sriov_error *err)
{
	int r = mode ? virt_numa_mode(mode, err) : 0;

	return r < 0 ? r
		     : sim_run(host,
			       &(struct sim_call){.op = SIM_VIRT_MEMORY,
						  .uuid = uuid,
						  .mode = mode,
						  .nodeset = nodeset,
						  .where = where},
			       err);
}

static void do_close(struct sriov_host *host)
{
}

const struct virt_ops virt_sim_ops = {
	.name = "simulated",
	.close = do_close,
	.find = do_find,
	.list = do_list,
	.pid = do_pid,
	.process = do_process,
	.attach = do_attach,
	.detach = do_detach,
	.limit = do_limit,
	.define = do_define,
	.pin = do_pin,
	.memory = do_memory,
};
