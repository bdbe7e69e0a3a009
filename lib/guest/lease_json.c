/* SPDX-License-Identifier: Apache-2.0 */
/* Leases as JSON, both ways: what `--json` prints and what the journal keeps. */
#include "lib/guest/guest.h"
#include "lib/host/fields.h"

#include <errno.h>
#include <limits.h>

static const struct field lease_fields[] = {
	FIELD(struct sriov_lease, id, FIELD_INT, .max = INT64_MAX),
	FIELD(struct sriov_lease, guest, FIELD_TEXT, .required = true),
	FIELD(struct sriov_lease, uuid, FIELD_TEXT),
	FIELD(struct sriov_lease, state, FIELD_TEXT),
	FIELD(struct sriov_lease, generation, FIELD_INT, .max = INT_MAX),
	FIELD(struct sriov_lease, path, FIELD_TEXT),
	FIELD(struct sriov_lease, kind, FIELD_TEXT),
	FIELD(struct sriov_lease, net, FIELD_TEXT),
	FIELD(struct sriov_lease, pf, FIELD_PCI, .required = true),
	FIELD(struct sriov_lease, vf, FIELD_INT, .min = -1, .max = SRIOV_VF_MAX - 1),
	FIELD(struct sriov_lease, epoch, FIELD_INT, .max = INT_MAX),
	FIELD(struct sriov_lease, address, FIELD_TEXT),
	FIELD(struct sriov_lease, node, FIELD_INT, .min = -1, .max = 1023),
	FIELD(struct sriov_lease, mac, FIELD_MAC),
	FIELD(struct sriov_lease, vlan, FIELD_INT, .max = 4095),
	FIELD(struct sriov_lease, below, FIELD_TEXT),
	FIELD(struct sriov_lease, socket, FIELD_TEXT),
	FIELD(struct sriov_lease, queues, FIELD_INT, .max = 256),
	FIELD(struct sriov_lease, pool, FIELD_TEXT),
	FIELD(struct sriov_lease, reason, FIELD_TEXT),
	{.key = "attrs", .kind = FIELD_CHILD},
	{.key = "found", .kind = FIELD_CHILD},
	FIELD(struct sriov_lease, uri, FIELD_TEXT),
	FIELD(struct sriov_lease, created, FIELD_TEXT),
	FIELD_END,
};

json_t *lease_encode(const struct sriov_lease *lease)
{
	_json_ json_t *json = fields_encode(lease_fields, lease, 0);

	if (!json || !json_put(json, "attrs", vf_attrs_encode(&lease->attrs)) ||
	    !json_put(json, "found", vf_attrs_encode(&lease->found)))
		return NULL;
	return core_steal(json);
}

int lease_decode(const json_t *json, struct sriov_lease *out, struct sriov_error *err)
{
	struct reader r = {.subject = "lease", .err = err};
	struct sriov_lease lease = {0};
	const json_t *found = json_object_get(json, "found"),
		     *attrs = json_object_get(json, "attrs");

	if (fields_decode(&r, json, "", lease_fields, &lease, NULL) < 0)
		return r.code;
	if ((found && vf_attrs_decode(found, &lease.found, err) < 0) ||
	    (attrs && vf_attrs_decode(attrs, &lease.attrs, err) < 0))
		return -EINVAL;
	*out = lease;
	return 0;
}

SRIOV_EXPORT int sriov_lease_json(const struct sriov_lease *lease, char **out,
				  struct sriov_error *err)
{
	_json_ json_t *json = lease_encode(lease);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	if (!text)
		return core_oom(err);
	*out = text;
	return 0;
}
