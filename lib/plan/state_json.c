/* SPDX-License-Identifier: Apache-2.0 */
/* PF states as JSON text: the form in the journal and in the database. */
#include "lib/plan/state_json.h"
#include "lib/guest/guest.h"
#include "lib/guest/place.h"

#include <errno.h>
#include <string.h>

static const struct {
	unsigned bit;
	const char *key;
	size_t offset;
} flags[] = {
	{STATE_UP, "up", offsetof(struct pf_state, up)},
	{STATE_AUTOPROBE, "autoprobe", offsetof(struct pf_state, autoprobe)},
	{STATE_NTUPLE, "ntuple", offsetof(struct pf_state, ntuple)},
};

static const char *const guest_where[] = {"config", "live"};
static const char *const guest_limit[] = {"config_limit", "live_limit"};

static void write_vf(struct core_doc *doc, const struct vf_state *vf)
{
	_json_ json_t *attrs = vf_attrs_encode(&vf->attrs);

	core_doc_open(doc, NULL, '{');
	core_doc_int(doc, "index", vf->index);
	core_doc_json(doc, "attrs", attrs);
	if (vf->has_driver)
		core_doc_text(doc, "driver", vf->driver);
	if (vf->has_up)
		core_doc_bool(doc, "up", vf->up);
	if (vf->lent)
		core_doc_bool(doc, "lent", true);
	core_doc_close(doc, '}');
}

static void write_rss(struct core_doc *doc, const struct pf_state *state)
{
	core_doc_open(doc, "rss", '[');
	for (size_t i = 0; i < state->nrss; i++)
		core_doc_int(doc, NULL, state->rss[i]);
	core_doc_close(doc, ']');
}

/* {"lease": …, "leased": …, "config": devices there, "live": …, "config_limit": kbyte/s, "live_limit": …} */
static void write_guest(struct core_doc *doc, const char *key, const struct guest_state *guest)
{
	_json_ json_t *lease = lease_encode(&guest->lease);

	core_doc_open(doc, key, '{');
	core_doc_json(doc, "lease", lease);
	core_doc_bool(doc, "leased", guest->leased);
	for (size_t i = 0; i < ARRAY_SIZE(guest_where); i++)
		if (guest->speaks[i])
			core_doc_int(doc, guest_where[i], guest->there[i]);
	for (size_t i = 0; i < ARRAY_SIZE(guest_limit); i++)
		if (guest->limited[i])
			core_doc_int(doc, guest_limit[i], guest->limit[i]);
	core_doc_close(doc, '}');
}

static void write_pools(struct core_doc *doc, const struct pf_state *state)
{
	core_doc_open(doc, "pools", '[');
	for (size_t i = 0; i < state->npools; i++) {
		core_doc_open(doc, NULL, '{');
		core_doc_int(doc, "first", state->pools[i].first);
		core_doc_int(doc, "last", state->pools[i].last);
		core_doc_text(doc, "name", state->pools[i].name);
		core_doc_close(doc, '}');
	}
	core_doc_close(doc, ']');
}

static const struct {
	const char *key;
	size_t offset;
} net_flags[] = {
	{"recorded", offsetof(struct net_state, recorded)},
	{"made", offsetof(struct net_state, made)},
	{"linked", offsetof(struct net_state, linked)},
};

static void write_net(struct core_doc *doc, const struct net_state *net)
{
	const struct sriov_physnet *is = &net->net;
	char paths[POLICY_TEXT], numa[POLICY_TEXT];

	core_doc_open(doc, "net", '{');
	core_doc_text(doc, "name", is->name);
	core_doc_text(doc, "bridge", is->bridge);
	core_doc_int(doc, "uplink", is->uplink);
	core_doc_text(doc, "port", is->port);
	core_doc_text(doc, "uplink_pf", is->uplink_pf);
	core_doc_int(doc, "uplink_vf", is->uplink_vf);
	core_doc_text(doc, "sockets", is->sockets);
	policy_format(&is->policy, paths, numa);
	core_doc_text(doc, "paths", paths);
	core_doc_text(doc, "numa", numa);
	for (size_t i = 0; i < ARRAY_SIZE(net_flags); i++)
		core_doc_bool(doc, net_flags[i].key,
			      *((const bool *)((const char *)net + net_flags[i].offset)));
	core_doc_open(doc, "pfs", '[');
	for (size_t i = 0; i < is->npfs; i++)
		core_doc_text(doc, NULL, is->pf[i]);
	core_doc_close(doc, ']');
	core_doc_close(doc, '}');
}

static int write_state(struct core_doc *doc, const struct pf_state *state,
		       const struct pf_state *like, const struct state_text *known,
		       struct state_text *out, struct sriov_error *err)
{
	int r;

	core_doc_open(doc, NULL, '{');
	core_doc_text(doc, "pf", state->address);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (state->has & flags[i].bit)
			core_doc_bool(doc, flags[i].key,
				      *((const bool *)((const char *)state + flags[i].offset)));
	if (state->has & STATE_COUNT)
		core_doc_int(doc, "count", state->count);
	if (state->has & STATE_DRIVER)
		core_doc_text(doc, "driver", state->driver);
	if (state->pool[0])
		core_doc_text(doc, "pool", state->pool);
	if (state->passing)
		core_doc_bool(doc, "passing", true);
	if (state->self[0])
		core_doc_text(doc, "self", state->self);
	if (state->apart)
		core_doc_bool(doc, "apart", true);
	if (state->image)
		core_doc_bool(doc, "image", true);
	if (state->bridge)
		core_doc_bool(doc, "bridge", true);
	if (state->links)
		core_doc_bool(doc, "links", true);
	core_doc_open(doc, "vf", '[');
	for (size_t i = 0; i < state->nvf; i++)
		write_vf(doc, &state->vf[i]);
	core_doc_close(doc, ']');
	r = state_write_rules(doc, state, like, known, out, err);
	if (state->has & STATE_RSS)
		write_rss(doc, state);
	if (state->guest)
		write_guest(doc, "guest", state->guest);
	if (state->other)
		write_guest(doc, "other", state->other);
	if (state->net)
		write_net(doc, state->net);
	if (state->has_pools)
		write_pools(doc, state);
	if (state->replaces)
		core_doc_bool(doc, "replaces", true);
	if (state->record)
		core_doc_text(doc, "record", state->record);
	core_doc_close(doc, '}');
	return r;
}

int state_write(const struct pf_state *state, const struct pf_state *like,
		const struct state_text *known, struct state_text *out, struct sriov_error *err)
{
	struct state_text written = {0};
	struct core_doc doc = {0};
	int r = write_state(&doc, state, like, known, &written, err);

	written.text = core_doc_take(&doc);
	if (!r && !written.text)
		r = core_oom(err);
	if (r < 0)
		free(written.text);
	else
		*out = written;
	return r;
}

int state_encode(const struct pf_state *state, char **out, struct sriov_error *err)
{
	struct state_text written;
	int r = state_write(state, NULL, NULL, &written, err);

	if (!r)
		*out = written.text;
	return r;
}

static int decode_vf(const json_t *json, struct pf_state *state, struct sriov_error *err)
{
	int64_t index = core_json_int(json, "index", -1, NULL);
	const char *driver = core_json_text(json, "driver", NULL, NULL);
	struct vf_state *vf;

	if (index < 0 || index >= SRIOV_VF_MAX)
		return -EINVAL;
	vf = state_vf(state, index);
	if (!vf)
		return core_oom(err);
	vf->has_driver = driver;
	core_copy(vf->driver, sizeof(vf->driver), driver);
	vf->has_up = json_object_get(json, "up");
	vf->up = core_json_bool(json, "up", false, NULL);
	vf->lent = core_json_bool(json, "lent", false, NULL);
	return vf_attrs_decode(json_object_get(json, "attrs"), &vf->attrs, err);
}

static int decode_rss(const json_t *json, struct pf_state *state, struct sriov_error *err)
{
	const json_t *array = json_object_get(json, "rss"), *item;
	size_t i;

	if (!array)
		return 0;
	state->has |= STATE_RSS;
	json_array_foreach(array, i, item) {
		uint32_t *queue = core_grow(&state->rss, &state->nrss, sizeof(*queue));

		if (!queue)
			return core_oom(err);
		if (!json_is_integer(item) || json_integer_value(item) < 0 ||
		    json_integer_value(item) > UINT16_MAX)
			return -EINVAL;
		*queue = json_integer_value(item);
	}
	return state->nrss ? 0 : -EINVAL;
}

static int decode_guest(const json_t *part, struct guest_state *guest, struct sriov_error *err)
{
	if (!guest)
		return core_oom(err);
	guest->leased = core_json_bool(part, "leased", false, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(guest_where); i++) {
		guest->speaks[i] = json_object_get(part, guest_where[i]);
		guest->there[i] = core_json_int(part, guest_where[i], 0, NULL);
		guest->limited[i] = json_object_get(part, guest_limit[i]);
		guest->limit[i] = core_json_int(part, guest_limit[i], 0, NULL);
	}
	return lease_decode(json_object_get(part, "lease"), &guest->lease, err);
}

static int decode_pools(const json_t *json, struct pf_state *state, struct sriov_error *err)
{
	const json_t *array = json_object_get(json, "pools"), *item;
	size_t i;

	state->has_pools = array;
	json_array_foreach(array, i, item) {
		struct pool_state *pool = core_grow(&state->pools, &state->npools, sizeof(*pool));
		int64_t first = core_json_int(item, "first", -1, NULL);
		int64_t last = core_json_int(item, "last", -1, NULL);

		if (!pool)
			return core_oom(err);
		if (first < 0 || last < first || last >= SRIOV_VF_MAX)
			return -EINVAL;
		pool->first = first;
		pool->last = last;
		core_copy(pool->name, sizeof(pool->name), core_json_text(item, "name", "", NULL));
	}
	return 0;
}

json_t *state_encode_net(const struct sriov_physnet *net)
{
	char paths[POLICY_TEXT], numa[POLICY_TEXT];
	json_t *pfs = json_array();

	policy_format(&net->policy, paths, numa);
	for (size_t i = 0; i < net->npfs; i++)
		json_array_append_new(pfs, json_string(net->pf[i]));
	return json_pack("{ss ss si ss ss si ss ss ss so}", "name", net->name, "bridge",
			 net->bridge, "uplink", (int)net->uplink, "port", net->port, "uplink_pf",
			 net->uplink_pf, "uplink_vf", (int)net->uplink_vf, "sockets", net->sockets,
			 "paths", paths, "numa", numa, "pfs", pfs);
}

int state_decode_net(const json_t *part, struct sriov_physnet *net, struct sriov_error *err)
{
	const struct {
		const char *key;
		char *at;
		size_t size;
	} texts[] = {
		{"name", net->name, sizeof(net->name)},
		{"bridge", net->bridge, sizeof(net->bridge)},
		{"port", net->port, sizeof(net->port)},
		{"uplink_pf", net->uplink_pf, sizeof(net->uplink_pf)},
		{"sockets", net->sockets, sizeof(net->sockets)},
	};
	const json_t *item;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		core_copy(texts[i].at, texts[i].size, core_json_text(part, texts[i].key, "", NULL));
	net->uplink = core_json_int(part, "uplink", 0, NULL);
	net->uplink_vf = core_json_int(part, "uplink_vf", 0, NULL);
	if (policy_parse(core_json_text(part, "paths", "", NULL),
			 core_json_text(part, "numa", "", NULL), &net->policy) < 0)
		return sriov_error_set(err, -EBADMSG, "database",
				       "how guests of %s are placed is not known", net->name);
	if (net->uplink >= SRIOV_UPLINKS)
		return sriov_error_set(err, -EBADMSG, "database",
				       "an uplink of kind %d is not known", (int)net->uplink);
	json_array_foreach(json_object_get(part, "pfs"), i, item) {
		char(*pf)[SRIOV_PCI_LEN] = core_grow(&net->pf, &net->npfs, sizeof(*pf));

		if (!pf)
			return core_oom(err);
		core_copy(*pf, sizeof(*pf), json_string_value(item) ?: "");
	}
	return 0;
}

static int decode_net(const json_t *part, struct net_state *net, struct sriov_error *err)
{
	if (!net)
		return core_oom(err);
	for (size_t i = 0; i < ARRAY_SIZE(net_flags); i++)
		*((bool *)((char *)net + net_flags[i].offset)) =
			core_json_bool(part, net_flags[i].key, false, NULL);
	return state_decode_net(part, &net->net, err);
}

static int decode_record(const json_t *json, struct pf_state *state, struct sriov_error *err)
{
	const char *record = core_json_text(json, "record", NULL, NULL);

	state->replaces = core_json_bool(json, "replaces", false, NULL);
	state->record = record ? strdup(record) : NULL;
	return record && !state->record ? core_oom(err) : 0;
}

static int decode_parts(const json_t *json, struct pf_state *state, struct sriov_error *err)
{
	const json_t *guest = json_object_get(json, "guest"),
		     *other = json_object_get(json, "other");
	const json_t *net = json_object_get(json, "net");
	int r = guest ? decode_guest(guest, state_guest(state), err) : 0;

	if (!r && other)
		r = decode_guest(other, state_other(state), err);
	return r || !net ? r : decode_net(net, state_net(state), err);
}

static int decode(const json_t *json, struct pf_state *state, struct sriov_error *err)
{
	int64_t count = core_json_int(json, "count", -1, NULL);
	const json_t *item;
	size_t i;
	int r = 0;

	core_copy(state->address, sizeof(state->address), core_json_text(json, "pf", "", NULL));
	if (json_object_get(json, "driver")) {
		state->has |= STATE_DRIVER;
		core_copy(state->driver, sizeof(state->driver),
			  core_json_text(json, "driver", "", NULL));
	}
	core_copy(state->pool, sizeof(state->pool), core_json_text(json, "pool", "", NULL));
	state->passing = core_json_bool(json, "passing", false, NULL);
	core_copy(state->self, sizeof(state->self), core_json_text(json, "self", "", NULL));
	state->apart = core_json_bool(json, "apart", false, NULL);
	state->image = core_json_bool(json, "image", false, NULL);
	state->bridge = core_json_bool(json, "bridge", false, NULL);
	state->links = core_json_bool(json, "links", false, NULL);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!json_object_get(json, flags[i].key))
			continue;
		state->has |= flags[i].bit;
		*((bool *)((char *)state + flags[i].offset)) = core_json_bool(json, flags[i].key,
									      false, NULL);
	}
	if (count > SRIOV_VF_MAX || !state->address[0])
		return -EINVAL;
	if (count >= 0) {
		state->has |= STATE_COUNT;
		state->count = count;
	}
	json_array_foreach(json_object_get(json, "vf"), i, item)
		if ((r = decode_vf(item, state, err)) < 0)
			return r;
	r = state_decode_rules(json, state, err);
	if (r >= 0)
		r = decode_rss(json, state, err);
	if (r >= 0)
		r = decode_parts(json, state, err);
	if (r >= 0)
		r = decode_pools(json, state, err);
	return r < 0 ? r : decode_record(json, state, err);
}

int state_decode(const char *text, struct pf_state *out, struct sriov_error *err)
{
	_json_ json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct pf_state state = {0};
	int r = decode(json, &state, err);

	if (r < 0) {
		state_clear(&state);
		sriov_error_set(err, -EBADMSG, "database", "a recorded PF state cannot be read");
		return sriov_error_hint(err,
					"see `sriovctl journal show`; `journal abandon` closes a "
					"change whose record is damaged");
	}
	*out = state;
	return 0;
}
