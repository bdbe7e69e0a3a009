/* SPDX-License-Identifier: Apache-2.0 */
/* The hash of a port's RSS in a snapshot: see snapshot.h. */
#include "lib/host/snapshot.h"

#include "flows/flows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* rx-flow-hash of ethtool(8) */
static const struct {
	char letter;
	uint8_t field;
} letters[] = {
	{'s', SRIOV_HASH_SRC_IP},
	{'d', SRIOV_HASH_DST_IP},
	{'f', SRIOV_HASH_SRC_PORT},
	{'n', SRIOV_HASH_DST_PORT},
};

static json_t *encode_key(const struct sriov_pf *pf)
{
	char text[2 * SRIOV_RSS_KEY_MAX + 1] = "";

	for (size_t i = 0; i < pf->nrss_key; i++)
		snprintf(text + 2 * i, 3, "%02x", pf->rss_key[i]);
	return json_string(text);
}

static json_t *encode_fields(const uint8_t fields[SRIOV_FLOW_TYPES])
{
	json_t *object = json_object();

	for (unsigned type = 0; type < SRIOV_FLOW_TYPES; type++) {
		char text[ARRAY_SIZE(letters) + 1] = "";
		size_t n = 0;

		for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
			if (fields[type] & letters[i].field)
				text[n++] = letters[i].letter;
		if (n && !json_put(object, sriov_flow_type_word(type), json_string(text))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

bool hash_encode(const struct sriov_pf *pf, json_t *json)
{
	bool any = false;

	for (unsigned type = 0; type < SRIOV_FLOW_TYPES; type++)
		any |= pf->rss_fields[type];
	return (!pf->nrss_key || json_put(json, "rss_key", encode_key(pf))) &&
	       (!any || json_put(json, "rss_fields", encode_fields(pf->rss_fields)));
}

static int decode_key(struct reader *r, const json_t *json, const char *path, struct sriov_pf *pf)
{
	const char *text = json_string_value(json);
	size_t len = text ? strlen(text) : 0;

	if (!text || len % 2 || strspn(text, "0123456789abcdefABCDEF") != len)
		return reader_fail(r, -EINVAL, path, "rss_key", "must be bytes in hexadecimal");
	if (len > 2 * sizeof(pf->rss_key))
		return reader_fail(r, -ERANGE, path, "rss_key",
				   "has %zu bytes, at most %zu are allowed", len / 2,
				   sizeof(pf->rss_key));
	for (size_t i = 0; i < len / 2; i++) {
		char byte[] = {text[2 * i], text[2 * i + 1], '\0'};

		pf->rss_key[i] = strtoul(byte, NULL, 16);
	}
	pf->nrss_key = len / 2;
	return 0;
}

static int decode_fields(struct reader *r, const json_t *json, const char *path,
			 struct sriov_pf *pf)
{
	const char *word;
	json_t *value;

	if (!json_is_object(json))
		return reader_fail(r, -EINVAL, path, "rss_fields", "must be an object");
	json_object_foreach((json_t *)json, word, value) {
		const char *text = json_string_value(value);
		enum sriov_flow_type type = flow_type_find(word);

		if (!type)
			return reader_fail(r, -EINVAL, path, "rss_fields",
					   "'%s' is not a flow type", word);
		if (!text || !*text || strspn(text, "sdfn") != strlen(text))
			return reader_fail(r, -EINVAL, path, "rss_fields",
					   "'%s' must be letters of s, d, f and n", word);
		for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
			if (strchr(text, letters[i].letter))
				pf->rss_fields[type] |= letters[i].field;
	}
	return 0;
}

int hash_decode(struct reader *r, const json_t *json, const char *path, struct sriov_pf *pf)
{
	const json_t *key = json_object_get(json, "rss_key");
	const json_t *fields = json_object_get(json, "rss_fields");

	if (key && decode_key(r, key, path, pf) < 0)
		return r->code;
	return fields ? decode_fields(r, fields, path, pf) : r->code;
}
