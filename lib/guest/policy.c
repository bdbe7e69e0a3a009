/* SPDX-License-Identifier: Apache-2.0 */
/* How guests are placed, as far as it is said: in words, and one saying over another. See place.h. */
#include "lib/guest/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const numa_words[] = {
	[SRIOV_NUMA_PREFERRED] = "preferred",
	[SRIOV_NUMA_REQUIRED] = "required",
	[SRIOV_NUMA_SOCKET] = "socket",
	[SRIOV_NUMA_ANY] = "any",
};

SRIOV_EXPORT const char *sriov_numa_word(enum sriov_numa numa)
{
	return (unsigned)numa < ARRAY_SIZE(numa_words) ? numa_words[numa] : "?";
}

void policy_format(const struct sriov_policy *policy, char paths[POLICY_TEXT],
		   char numa[POLICY_TEXT])
{
	paths[0] = '\0';
	for (size_t i = 0; i < policy->npaths; i++) {
		size_t used = strlen(paths);

		snprintf(paths + used, POLICY_TEXT - used, "%s%s", i ? "," : "",
			 sriov_path_word(policy->path[i]));
	}
	snprintf(numa, POLICY_TEXT, "%s", policy->has_numa ? sriov_numa_word(policy->numa) : "");
}

int policy_parse(const char *paths, const char *numa, struct sriov_policy *out)
{
	struct sriov_policy policy = {.has_numa = numa[0]};

	while (policy.has_numa && strcmp(sriov_numa_word(policy.numa), numa) != 0)
		if (++policy.numa == ARRAY_SIZE(numa_words))
			return -EINVAL;
	while (*paths) {
		size_t len = strcspn(paths, ",");
		enum sriov_path path = 0;

		while (path < SRIOV_PATHS && (strlen(sriov_path_word(path)) != len ||
					      strncmp(paths, sriov_path_word(path), len) != 0))
			path++;
		if (path == SRIOV_PATHS || policy.npaths == SRIOV_PATHS)
			return -EINVAL;
		policy.path[policy.npaths++] = path;
		paths += len + !!paths[len];
	}
	*out = policy;
	return 0;
}

bool policy_same(const struct sriov_policy *a, const struct sriov_policy *b)
{
	if (a->npaths != b->npaths || a->has_numa != b->has_numa ||
	    (a->has_numa && a->numa != b->numa))
		return false;
	for (size_t i = 0; i < a->npaths; i++)
		if (a->path[i] != b->path[i])
			return false;
	return true;
}

void policy_merge(struct sriov_policy *policy, const struct sriov_policy *over)
{
	if (over->npaths) {
		memcpy(policy->path, over->path, sizeof(policy->path));
		policy->npaths = over->npaths;
	}
	if (over->has_numa)
		policy->numa = over->numa;
	policy->has_numa |= over->has_numa;
}
