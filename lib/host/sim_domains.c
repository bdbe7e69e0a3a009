/* SPDX-License-Identifier: Apache-2.0 */
/* The domains of a simulated host from and to JSON, and which VFs they name. */
#include "lib/host/fields.h"
#include "lib/host/sim.h"

#include <errno.h>
#include <string.h>

#define DOMAINS_MAX 16384

const char *const sim_domain_words[] = {
	[SIM_DEFINED] = "defined", [SIM_RUNNING] = "running", [SIM_PAUSED] = "paused", NULL};

static const struct field domain_fields[] = {
	FIELD(struct sim_domain, name, FIELD_TEXT, .required = true),
	FIELD(struct sim_domain, uuid, FIELD_TEXT),
	FIELD(struct sim_domain, state, FIELD_WORD, .words = sim_domain_words),
	FIELD(struct sim_domain, answers, FIELD_BOOL, .has = SIM_DOMAIN_ANSWERS),
	{.key = "vfs", .kind = FIELD_CHILD},
	{.key = "xml", .kind = FIELD_CHILD},
	{.key = "live", .kind = FIELD_CHILD},
	{.key = "saved", .kind = FIELD_CHILD},
	{.key = "process", .kind = FIELD_CHILD},
	FIELD_END,
};

static const struct field saved_fields[] = {
	FIELD(struct sim_saved, vf, FIELD_PCI, .required = true),
	FIELD(struct sim_saved, mac, FIELD_MAC),
	FIELD(struct sim_saved, vlan, FIELD_INT, .max = 4095),
	FIELD(struct sim_saved, net, FIELD_BOOL),
	FIELD(struct sim_saved, bound, FIELD_BOOL),
	FIELD_END,
};

void sim_domain_clear(struct sim_domain *domain)
{
	free(domain->xml);
	free(domain->live);
	free(domain->vf);
	free(domain->saved);
	sim_process_free(domain->process);
}

static int add_vf(struct sim_domain *domain, const char *address, bool running, bool net)
{
	struct sim_domain_vf *vf;

	for (size_t i = 0; i < domain->nvfs; i++)
		if (!strcmp(domain->vf[i].address, address) && domain->vf[i].running == running)
			return 0;
	vf = core_grow(&domain->vf, &domain->nvfs, sizeof(*vf));
	if (!vf)
		return -ENOMEM;
	core_copy(vf->address, sizeof(vf->address), address);
	vf->running = running;
	vf->net = net;
	return 0;
}

static int add_named(struct sim_domain *domain, const char *xml, bool running,
		     struct sriov_error *err)
{
	_free_ struct guest_pci *devices = NULL;
	size_t n = 0;
	int r = xml ? guest_xml_pci(xml, &devices, &n, err) : 0;

	for (size_t i = 0; i < n && !r; i++)
		r = add_vf(domain, devices[i].address, running, devices[i].interface);
	return r == -ENOMEM ? core_oom(err) : r;
}

int sim_domain_vfs(struct sim_domain *domain, struct sriov_error *err)
{
	int r;

	if (!domain->xml && !domain->live)
		return 0;
	free(domain->vf);
	domain->vf = NULL;
	domain->nvfs = 0;
	r = add_named(domain, domain->state ? domain->live : NULL, true, err);
	return r < 0 ? r : add_named(domain, domain->xml, false, err);
}

/* What the XML says of itself is what the member says. */
static int check_identity(struct reader *r, const char *path, const char *key, const char *xml,
			  struct sim_domain *domain)
{
	char name[SRIOV_NAME_LEN], uuid[40];
	struct sriov_error nested;
	int code = guest_xml_identity(xml, name, uuid, &nested);

	if (code < 0)
		return reader_fail(r, code, path, key, "%s", nested.message);
	if (strcmp(name, domain->name) != 0)
		return reader_fail(r, -EINVAL, path, key, "is of a domain '%s'", name);
	if (domain->uuid[0] && uuid[0] && strcmp(uuid, domain->uuid) != 0)
		return reader_fail(r, -EINVAL, path, key, "has the UUID %s", uuid);
	if (!domain->uuid[0])
		core_copy(domain->uuid, sizeof(domain->uuid), uuid);
	return 0;
}

static int xml_decode(struct reader *r, const json_t *json, const char *path, const char *key,
		      struct sim_domain *domain, char **out)
{
	const json_t *text = json_object_get(json, key);

	if (!text)
		return 0;
	if (!json_is_string(text))
		return reader_fail(r, -EINVAL, path, key, "must be a string");
	/* an embedded NUL would hide what stands behind it */
	if (strlen(json_string_value(text)) != json_string_length(text))
		return reader_fail(r, -EINVAL, path, key, "has a NUL in it");
	if (check_identity(r, path, key, json_string_value(text), domain) < 0)
		return r->code;
	*out = strdup(json_string_value(text));
	return *out ? 0 : (r->code = core_oom(r->err));
}

static int saved_decode(struct reader *r, const json_t *json, const char *parent,
			struct sim_domain *domain)
{
	const json_t *array = reader_array(r, json, parent, "saved", SRIOV_VF_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sim_saved *saved = core_grow(&domain->saved, &domain->nsaved,
						    sizeof(*saved));

		if (!saved)
			return r->code = core_oom(r->err);
		reader_path(path, parent, "saved", i);
		if (fields_decode(r, element, path, saved_fields, saved, NULL) < 0)
			return r->code;
	}
	return r->code;
}

static bool names(const struct sim_domain *domain, const char *address)
{
	for (size_t i = 0; i < domain->nvfs; i++)
		if (!strcmp(domain->vf[i].address, address))
			return true;
	return false;
}

/* The short form, and that it names what the XML does. */
static int vfs_decode(struct reader *r, const json_t *json, const char *parent,
		      struct sim_domain *domain)
{
	const json_t *array = reader_array(r, json, parent, "vfs", SRIOV_VF_MAX), *element;
	bool with_xml = domain->xml || domain->live;
	_cleanup_(sim_domain_clear)
	struct sim_domain given = {.state = domain->state};
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		char address[SRIOV_PCI_LEN];

		reader_path(path, parent, "vfs", i);
		if (sriov_pci_parse(json_string_value(element), address) < 0)
			return reader_fail(r, -EINVAL, path, NULL,
					   "is not a PCI address (dddd:bb:dd.f)");
		if (with_xml && !names(domain, address))
			return reader_fail(r, -EINVAL, path, NULL,
					   "is not in the domain's XML, which is given too");
		/* the common kind: <interface type='hostdev'> */
		if (add_vf(&given, address, given.state, true) < 0)
			return r->code = core_oom(r->err);
	}
	for (i = 0; array && i < domain->nvfs; i++) {
		if (!names(&given, domain->vf[i].address))
			return reader_fail(r, -EINVAL, parent, "vfs",
					   "lacks %s, which the domain's XML has",
					   domain->vf[i].address);
	}
	if (!with_xml) {
		domain->vf = core_steal(given.vf);
		domain->nvfs = given.nvfs;
	}
	return r->code;
}

static int domain_decode(struct reader *r, const json_t *json, const char *path,
			 struct sim_domain *domain)
{
	struct sriov_error nested;
	int code;

	if (fields_decode(r, json, path, domain_fields, domain, &domain->has) < 0 ||
	    xml_decode(r, json, path, "xml", domain, &domain->xml) < 0 ||
	    xml_decode(r, json, path, "live", domain, &domain->live) < 0)
		return r->code;
	if (domain->state && domain->xml && !domain->live) {
		domain->live = strdup(domain->xml);
		if (!domain->live)
			return r->code = core_oom(r->err);
	}
	code = sim_domain_vfs(domain, &nested);
	if (code < 0)
		return reader_fail(r, code, path, NULL, "%s", nested.message);
	if (vfs_decode(r, json, path, domain) < 0 || saved_decode(r, json, path, domain) < 0)
		return r->code;
	return sim_process_decode(r, json, path, &domain->process);
}

int sim_domains_decode(struct reader *r, const json_t *json, struct sim *sim)
{
	const json_t *array = reader_array(r, json, "", "domains", DOMAINS_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sim_domain *domain = core_grow(&sim->domain, &sim->ndomains,
						      sizeof(*domain));

		if (!domain)
			return r->code = core_oom(r->err);
		domain_decode(r, element, reader_path(path, "", "domains", i), domain);
	}
	return r->code;
}

static json_t *domain_encode(const struct sim_domain *domain)
{
	_json_ json_t *json = fields_encode(domain_fields, domain, domain->has);
	bool with_xml = domain->xml || domain->live;
	json_t *list;

	if (domain->xml && !json_put(json, "xml", json_string(domain->xml)))
		return NULL;
	if (domain->live && !json_put(json, "live", json_string(domain->live)))
		return NULL;
	list = with_xml ? NULL : json_array();
	if (!with_xml && !json_put(json, "vfs", list))
		return NULL;
	for (size_t i = 0; list && i < domain->nvfs; i++) {
		if (!json_add(list, json_string(domain->vf[i].address)))
			return NULL;
	}
	if (domain->process && !json_put(json, "process", sim_process_encode(domain->process)))
		return NULL;
	list = domain->nsaved ? json_array() : NULL;
	if (domain->nsaved && !json_put(json, "saved", list))
		return NULL;
	for (size_t i = 0; i < domain->nsaved; i++) {
		if (!json_add(list, fields_encode(saved_fields, &domain->saved[i], 0)))
			return NULL;
	}
	return core_steal(json);
}

json_t *sim_domains_encode(const struct sim *sim)
{
	_json_ json_t *domains = json_array();

	for (size_t i = 0; i < sim->ndomains; i++) {
		if (!json_add(domains, domain_encode(&sim->domain[i])))
			return NULL;
	}
	return core_steal(domains);
}
