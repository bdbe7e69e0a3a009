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

static int add_named(struct sim_domain *domain, const struct guest_pci *device, size_t n,
		     bool running)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++)
		r = add_vf(domain, device[i].address, running, device[i].interface);
	return r;
}

static int add_of_xml(struct sim_domain *domain, const char *xml, bool running,
		      struct sriov_error *err)
{
	_free_ struct guest_pci *devices = NULL;
	size_t n = 0;
	int r = xml ? guest_xml_pci(xml, &devices, &n, err) : 0;

	if (r < 0)
		return r;
	return add_named(domain, devices, n, running) ? core_oom(err) : 0;
}

int sim_domain_vfs(struct sim_domain *domain, struct sriov_error *err)
{
	int r;

	if (!domain->xml && !domain->live)
		return 0;
	free(domain->vf);
	domain->vf = NULL;
	domain->nvfs = 0;
	r = add_of_xml(domain, domain->state ? domain->live : NULL, true, err);
	return r < 0 ? r : add_of_xml(domain, domain->xml, false, err);
}

/* ---- what XML says ---- */

static void text_clear(struct sim_text *text)
{
	free(text->xml);
	free(text->device);
	*text = (struct sim_text){0};
}

void sim_texts_clear(struct sim_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		text_clear(&texts->at[i]);
	free(texts->at);
	*texts = (struct sim_texts){0};
}

/* What @xml says, the text of number @at: parsed, if it is not the one that was there at the last reading. */
static const struct sim_text *text_at(struct sim_texts *texts, size_t at, const char *xml,
				      struct sriov_error *err)
{
	struct sim_text *text;
	int r;

	if (at >= texts->n &&
	    !core_grow_by(&texts->at, &texts->n, sizeof(*text), at + 1 - texts->n)) {
		core_oom(err);
		return NULL;
	}
	text = &texts->at[at];
	if (text->xml && !strcmp(text->xml, xml))
		return text;
	text_clear(text);
	r = guest_xml_identity(xml, text->name, text->uuid, err);
	if (!r)
		r = guest_xml_pci(xml, &text->device, &text->ndevices, err);
	if (r < 0)
		return NULL;
	text->xml = strdup(xml);
	if (!text->xml)
		core_oom(err);
	return text->xml ? text : NULL;
}

/* What the XML says of itself is what the member says. */
static int check_identity(struct reader *r, const char *path, const char *key,
			  const struct sim_text *text, struct sim_domain *domain)
{
	if (strcmp(text->name, domain->name) != 0)
		return reader_fail(r, -EINVAL, path, key, "is of a domain '%s'", text->name);
	if (domain->uuid[0] && text->uuid[0] && strcmp(text->uuid, domain->uuid) != 0)
		return reader_fail(r, -EINVAL, path, key, "has the UUID %s", text->uuid);
	if (!domain->uuid[0])
		core_copy(domain->uuid, sizeof(domain->uuid), text->uuid);
	return 0;
}

static int xml_decode(struct reader *r, const json_t *json, const char *path, const char *key,
		      struct sim_texts *texts, size_t at, struct sim_domain *domain, char **out)
{
	const json_t *value = json_object_get(json, key);
	const struct sim_text *text;
	struct sriov_error nested;

	if (!value)
		return 0;
	if (!json_is_string(value))
		return reader_fail(r, -EINVAL, path, key, "must be a string");
	/* an embedded NUL would hide what stands behind it */
	if (strlen(json_string_value(value)) != json_string_length(value))
		return reader_fail(r, -EINVAL, path, key, "has a NUL in it");
	text = text_at(texts, at, json_string_value(value), &nested);
	if (!text)
		return reader_fail(r, nested.code, path, key, "%s", nested.message);
	if (check_identity(r, path, key, text, domain) < 0)
		return r->code;
	*out = strdup(text->xml);
	return *out ? 0 : (r->code = core_oom(r->err));
}

/* The VFs that the texts of numbers @at and @at + 1 name. */
static int add_of_texts(struct sim_domain *domain, const struct sim_texts *texts, size_t at)
{
	const struct sim_text *xml = domain->xml ? &texts->at[at] : NULL,
			      *live = domain->live ? &texts->at[at + 1] : xml;
	int r = 0;

	if (domain->state && live)
		r = add_named(domain, live->device, live->ndevices, true);
	return r || !xml ? r : add_named(domain, xml->device, xml->ndevices, false);
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
			 struct sim_texts *texts, size_t number, struct sim_domain *domain)
{
	size_t at = 2 * number;

	if (fields_decode(r, json, path, domain_fields, domain, &domain->has) < 0 ||
	    xml_decode(r, json, path, "xml", texts, at, domain, &domain->xml) < 0 ||
	    xml_decode(r, json, path, "live", texts, at + 1, domain, &domain->live) < 0)
		return r->code;
	if (add_of_texts(domain, texts, at))
		return r->code = core_oom(r->err);
	if (domain->state && domain->xml && !domain->live) {
		domain->live = strdup(domain->xml);
		if (!domain->live)
			return r->code = core_oom(r->err);
	}
	if (vfs_decode(r, json, path, domain) < 0 || saved_decode(r, json, path, domain) < 0)
		return r->code;
	return sim_process_decode(r, json, path, &domain->process);
}

int sim_domains_decode(struct reader *r, const json_t *json, struct sim_texts *texts,
		       struct sim *sim)
{
	const json_t *array = reader_array(r, json, "", "domains", DOMAINS_MAX), *element;
	char path[READER_PATH];
	size_t i;

	json_array_foreach(array, i, element) {
		struct sim_domain *domain = core_grow(&sim->domain, &sim->ndomains,
						      sizeof(*domain));

		if (!domain)
			return r->code = core_oom(r->err);
		domain_decode(r, element, reader_path(path, "", "domains", i), texts, i, domain);
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
