/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the values and masks of fields; parse.c puts the words around them. */
#ifndef SRIOV_FLOWS_VALUE_H
#define SRIOV_FLOWS_VALUE_H

#include "flows/words.h"

/*
 * A decimal or 0x number up to @max. Leading zeros are refused: ethtool(8) reads 010 as eight,
 * people as ten. Returns 0, -EINVAL or -ERANGE.
 */
int value_number(const char *text, uint64_t max, uint64_t *out);
/*
 * "1000-2000", or one number, up to @max. Returns 0, -EINVAL, or -EDOM (and both ends) if the first is
 * above the last.
 */
int value_range(const char *text, uint64_t max, uint64_t *first, uint64_t *last);
/* Reads a value of @field, or bits in the same form, into @match. Returns 0 or -EINVAL. */
int value_read(const struct flow_field *field, const char *text, struct sriov_match *match);
/* The mask of an address with prefix length @text. Returns 0 or -EINVAL. */
int value_prefix(const struct flow_field *field, const char *text, void *mask);
void value_invert(const struct flow_field *field, struct sriov_match *match);
/* What a value and a mask of @field look like, for errors. */
const char *value_expected(const struct flow_field *field);
const char *value_expected_mask(const struct flow_field *field);

#endif
