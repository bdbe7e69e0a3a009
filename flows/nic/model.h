/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the replay models (replay.h): what the three drivers have in common. One driver a file,
 * NAME_replay.c; replay.c calls them.
 */
#ifndef SRIOV_FLOWS_NIC_MODEL_H
#define SRIOV_FLOWS_NIC_MODEL_H

#include "flows/nic/replay.h"

/*
 * The driver's list of rules, in order of location as each driver keeps it. Each driver has its own
 * rule; all begin with the location.
 */
struct nic_rule {
	uint32_t loc;
};

/* Each driver's model begins with this. */
struct nic_model {
	const struct nic_driver *driver;
	struct nic_device device;
	bool hw_fail; /* commands to the hardware fail */
	char *rules;
	size_t n, room;
};

struct nic_driver {
	size_t model_size, rule_size;
	unsigned envs;                          /* bit per enum nic_env that means something */
	void (*start)(struct nic_model *model); /* after a driver's load; NULL: nothing to do */
	uint32_t (*table_size)(const struct nic_model *model);
	/* Return the errno of @out. At least one rule more fits without memory being asked for. */
	int (*add)(struct nic_model *model, const struct ethtool_rx_flow_spec *spec,
		   struct nic_outcome *out);
	int (*del)(struct nic_model *model, uint16_t loc, struct nic_outcome *out);
	void (*env)(struct nic_model *model, enum nic_env env, uint64_t v);
	void (*get)(const struct nic_model *model, const struct nic_rule *rule,
		    struct ethtool_rx_flow_spec *out);
	void (*event)(struct nic_model *model, enum nic_event event, bool running);
	/* See nic_model_load(); room is as for add(). */
	void (*adopt)(struct nic_model *model, const struct ethtool_rx_flow_spec *spec);
	/* What is not to be seen in the rules; NULL: nothing is. restore() comes after the rules. */
	json_t *(*save)(const struct nic_model *model);
	int (*restore)(struct nic_model *model, const json_t *hidden, struct sriov_error *err);
	bool (*match)(const struct nic_model *model, const struct nic_packet *packet,
		      struct nic_hit *out);
};
extern const struct nic_driver nic_replay_ixgbe, nic_replay_i40e, nic_replay_igb;

/* Fills @out and returns @err. */
int nic_refused(struct nic_outcome *out, int err, const char *why);

/* Makes room for one rule more: 0 or -ENOMEM. */
int nic_rules_reserve(struct nic_model *model);
/* The position of the first rule at or behind @loc. */
size_t nic_rules_find(const struct nic_model *model, uint32_t loc);
/* The rule at that position; the caller knows its driver's kind. */
static inline void *nic_rules_at(const struct nic_model *model, size_t i)
{
	return model->rules + i * model->driver->rule_size;
}
/* The rule at @loc, or NULL. */
void *nic_rules_get(const struct nic_model *model, uint32_t loc);
void nic_rules_remove(struct nic_model *model, size_t i);
/* Puts a copy of @rule in its place, instead of what is at its location. */
void nic_rules_put(struct nic_model *model, const void *rule);

/* state.c: numbers up to @max as an array; @n: exactly so many. */
json_t *nic_numbers_write(const uint64_t *numbers, size_t n);
int nic_numbers_read(const json_t *hidden, const char *key, uint64_t max, uint64_t *out, size_t n,
		     struct sriov_error *err);
/* Refuses members of @hidden that are not in @keys, which ends with NULL. */
int nic_members_check(const json_t *hidden, const char *const *keys, struct sriov_error *err);

#endif
