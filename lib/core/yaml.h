/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as a tree with places, for files that people write. What such files do not need and others abuse is
 * refused: anchors, aliases, tags, several documents, keys given twice, great depth.
 */
#ifndef SRIOV_CORE_YAML_H
#define SRIOV_CORE_YAML_H

#include "lib/core/core.h"

#define CORE_YAML_SIZE_MAX (4 << 20)
#define CORE_YAML_DEPTH_MAX 12
#define CORE_YAML_CHILDREN_MAX 1024 /* of one list or mapping */

enum core_yaml_kind { CORE_YAML_TEXT, CORE_YAML_LIST, CORE_YAML_MAP };

struct core_yaml {
	enum core_yaml_kind kind;
	unsigned line, column; /* where it begins, from 1 on */
	/* of a member of a mapping: its key and where that stands */
	char *key;
	unsigned key_line, key_column;
	char *text;         /* of a TEXT; never NULL there */
	bool literal;       /* it is a block after `|`, whose lines begin behind its own */
	unsigned last_line; /* of a TEXT: where it ends */
	struct core_yaml *child;
	size_t n;
};

/*
 * Reads one document. @file is for errors ("FILE:LINE:COLUMN"). An empty document is an empty mapping. The caller
 * frees *@out with core_yaml_free().
 */
int core_yaml_parse(const char *text, const char *file, struct core_yaml **out,
		    struct sriov_error *err);
void core_yaml_free(struct core_yaml *tree);
/* An error at a place of @file. */
int core_yaml_error(struct sriov_error *err, int code, const char *file, unsigned line,
		    unsigned column, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* The member of that key, or NULL. */
const struct core_yaml *core_yaml_find(const struct core_yaml *map, const char *key);

#endif
