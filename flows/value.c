/* SPDX-License-Identifier: Apache-2.0 */
/* Values of fields: see value.h. */
#include "flows/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

int value_number(const char *text, uint64_t max, uint64_t *out)
{
	if (text[0] == '0' && isdigit((unsigned char)text[1]))
		return -EINVAL;
	return core_number(text, 0, max, out);
}

int value_range(const char *text, uint64_t max, uint64_t *first, uint64_t *last)
{
	size_t len = strcspn(text, "-");
	char begin[32];

	if (len >= sizeof(begin))
		return -EINVAL;
	memcpy(begin, text, len);
	begin[len] = '\0';
	if (value_number(begin, max, first) ||
	    value_number(text[len] ? text + len + 1 : begin, max, last))
		return -EINVAL;
	return *first > *last ? -EDOM : 0;
}

int value_read(const struct flow_field *field, const char *text, struct sriov_match *match)
{
	uint8_t bytes[16];
	uint64_t number;
	int r;

	switch (field->kind) {
	case KIND_IP4:
	case KIND_IP6:
		r = inet_pton(field->kind == KIND_IP4 ? AF_INET : AF_INET6, text, bytes) == 1
			    ? 0
			    : -EINVAL;
		break;
	case KIND_MAC:
		r = sriov_mac_parse(text, bytes);
		break;
	case KIND_NUMBER:
	default:
		r = value_number(text, UINT64_MAX >> (64 - 8 * field->size), &number);
		if (!r)
			flow_field_set_number(field, match, number);
		return r;
	}
	if (!r)
		flow_field_set_bytes(field, match, bytes);
	return r;
}

int value_prefix(const struct flow_field *field, const char *text, void *mask)
{
	uint8_t *bytes = mask;
	uint64_t length;

	if (value_number(text, field->size * 8, &length))
		return -EINVAL;
	for (size_t i = 0; i < field->size; i++) {
		size_t left = length > i * 8 ? length - i * 8 : 0;

		bytes[i] = left >= 8 ? 0xff : (uint8_t)(0xff00 >> left);
	}
	return 0;
}

void value_invert(const struct flow_field *field, struct sriov_match *match)
{
	uint8_t bytes[16];

	for (size_t i = 0; i < field->size; i++)
		bytes[i] = ~flow_field_at(field, match)[i];
	flow_field_set_bytes(field, match, bytes);
}

/* By the size of the number; 0 stands for none. */
static const char *number_range(const struct flow_field *field)
{
	static const char *const ranges[] = {
		[1] = "a number from 0 to 255 (decimal without leading zeros, or 0x…)",
		[2] = "a number from 0 to 65535 (decimal without leading zeros, or 0x…)",
		[4] = "a number of 32 bits (decimal without leading zeros, or 0x…)",
		[8] = "a number of 64 bits (decimal without leading zeros, or 0x…)",
	};

	return ranges[field->size];
}

const char *value_expected(const struct flow_field *field)
{
	static const char *const expected[] = {
		[KIND_IP4] = "an IPv4 address such as 10.0.0.7 or 10.0.0.0/8",
		[KIND_IP6] = "an IPv6 address such as 2001:db8::7 or 2001:db8::/32",
		[KIND_MAC] = "a MAC address such as 52:54:00:00:00:01",
	};

	return field->kind == KIND_NUMBER ? number_range(field) : expected[field->kind];
}

const char *value_expected_mask(const struct flow_field *field)
{
	static const char *const expected[] = {
		[KIND_IP4] = "written as an IPv4 address, such as 0.0.0.255",
		[KIND_IP6] = "written as an IPv6 address, such as ::ffff",
		[KIND_MAC] = "written as a MAC address, such as 00:00:00:ff:ff:ff",
	};

	return field->kind == KIND_NUMBER ? number_range(field) : expected[field->kind];
}
