/* SPDX-License-Identifier: Apache-2.0 */
/* The questions of probes, and what counts make of them. See probe.h. */
#include "flows/nic/replay.h"
#include "lib/plan/probe.h"

#include <stdio.h>
#include <string.h>

static bool is_82599(const struct sriov_pf *pf)
{
	return nic_mac_of(pf->driver, pf->device) == NIC_82599;
}

/*
 * What drivers' code and vendors' guides leave open. redirect: the vendor's guide says "VF Flow Director
 * supported" of the 500 series and "routing to VF not supported" of the 700 series, the kernel's documents
 * say other things. switched: IXGBE_MRQC_L3L4TXSWEN is of X550 and later. drop-ports: DPDK refuses it on
 * 82599 (ixgbe_flow.c), the kernel's ixgbe does not. reach and drop-vfs: rules without a scope are said to
 * act before the switch chooses, and no document says so.
 */
const struct question probe_questions[PROBE_QUESTIONS] = {
	{
		.name = "redirect",
		.text = "does `vf N` redirect frames that are addressed to the PF?",
		.from = END_WIRE,
		.to = END_PF,
		.action = PROBE_TO_VF,
		.by_ports = true,
		.yes = END_VF,
		.means_yes = "a rule for a VF takes frames whatever their MAC address",
		.means_no = "`vf N` does not redirect: frames go where the switch sends them",
	},
	{
		.name = "switched",
		.text = "are frames that the NIC switches from a VF to the PF classified?",
		.from = END_VF,
		.to = END_PF,
		.action = PROBE_DROP,
		.yes = END_NOWHERE,
		.means_yes = "rules act between the functions of the port too",
		.means_no = "rules act only on what comes from the wire",
	},
	{
		.name = "drop-ports",
		.text = "does a drop by port numbers drop?",
		.driver = "ixgbe",
		.open = is_82599,
		.from = END_WIRE,
		.to = END_PF,
		.action = PROBE_DROP,
		.by_ports = true,
		.yes = END_NOWHERE,
		.means_yes = "a drop may match ports",
		.means_no = "a drop that matches ports is accepted and drops nothing",
	},
	{
		.name = "reach",
		.text = "does `queue N` without a scope take frames that are addressed to a VF?",
		.driver = "i40e",
		.from = END_WIRE,
		.to = END_VF,
		.action = PROBE_TO_QUEUE,
		.by_ports = true,
		.yes = END_PF,
		.means_yes = "a queue of the PF takes VFs' frames too",
		.means_no = "a queue of the PF takes only what the switch gives to the PF",
	},
	{
		.name = "drop-vfs",
		.text = "does a drop without a scope drop frames that are addressed to a VF?",
		.from = END_WIRE,
		.to = END_VF,
		.action = PROBE_DROP,
		.yes = END_NOWHERE,
		.means_yes = "a drop protects the VFs too",
		.means_no = "a drop protects the PF alone",
	},
};

static const struct {
	const char *driver;
	bool full; /* the input set of a flow type outlives its rules: only the default one is used */
} drivers[] = {
	{"ixgbe", false},
	/* i40e_check_fdir_input_set() writes the registers, and nothing puts them back */
	{"i40e", true},
};

/* RFC 5737: for documentation, of no network; and "SRIOV" with the locally administered bit. */
const uint8_t probe_src_ip[4] = {192, 0, 2, 9}, probe_dst_ip[4] = {198, 51, 100, 9};
const uint8_t probe_src_mac[6] = {0x02, 'S', 'R', 'I', 'O', 'V'};

bool probe_has_driver(const char *driver)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i].driver, driver))
			return true;
	return false;
}

bool probe_applies(const struct question *question, const struct sriov_pf *pf)
{
	return probe_has_driver(pf->driver) &&
	       (!question->driver || !strcmp(question->driver, pf->driver)) &&
	       (!question->open || question->open(pf));
}

static bool wants_full(const char *driver)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i].driver, driver))
			return drivers[i].full;
	return false;
}

void probe_entry(const struct question *question, const char *driver, unsigned vf, uint32_t loc,
		 struct sriov_entry *out)
{
	static const uint64_t cookies[] = {[PROBE_TO_QUEUE] = 0, [PROBE_DROP] = SRIOV_COOKIE_DROP};

	*out = (struct sriov_entry){.loc = loc, .type = SRIOV_FLOW_UDP4};
	memcpy(out->value.src_ip, probe_src_ip, sizeof(probe_src_ip));
	memcpy(out->value.dst_ip, probe_dst_ip, sizeof(probe_dst_ip));
	memset(out->mask.src_ip, 0xff, sizeof(probe_src_ip));
	memset(out->mask.dst_ip, 0xff, sizeof(probe_dst_ip));
	if (question->by_ports || wants_full(driver)) {
		out->value.src_port = PROBE_SRC_PORT;
		out->value.dst_port = PROBE_DST_PORT;
		out->mask.src_port = out->mask.dst_port = 0xffff;
	}
	out->cookie = question->action == PROBE_TO_VF ? (uint64_t)(vf + 1) << 32
						      : cookies[question->action];
}

/* Whether all that was sent came in at @end, and nowhere else. */
static bool all_at(const struct exchange *round, enum probe_end end)
{
	for (unsigned i = 0; i < EXCHANGE_PLACES; i++)
		if (round->arrived[i] != (i == (unsigned)end ? round->sent : 0))
			return false;
	return round->sent;
}

const char *probe_judge(const struct question *question, const struct exchange *round)
{
	/* a way that is not sure without the rule says nothing with it */
	if (!all_at(&round[ROUND_BEFORE], question->to) ||
	    !all_at(&round[ROUND_AFTER], question->to))
		return "unclear";
	if (all_at(&round[ROUND_WITH], question->yes))
		return "yes";
	return all_at(&round[ROUND_WITH], question->to) ? "no" : "unclear";
}

void probe_counts(const struct exchange *round, char *buf, size_t size)
{
	static const char *const words[] = {"without the rule", "with it", "without it again"};
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < PROBE_ROUNDS && used < size; i++) {
		used += snprintf(buf + used, size - used, "%s%s %u sent: PF %u, VF %u",
				 i ? "; " : "", words[i], round[i].sent, round[i].arrived[END_PF],
				 round[i].arrived[END_VF]);
		if (round[i].hit >= 0 && used < size)
			used += snprintf(buf + used, size - used, ", %s +%lld", round[i].hits,
					 (long long)round[i].hit);
	}
}

static const struct question *find(const char *name)
{
	for (size_t i = 0; i < PROBE_QUESTIONS; i++)
		if (!strcmp(probe_questions[i].name, name))
			return &probe_questions[i];
	return NULL;
}

SRIOV_EXPORT const char *sriov_probe_question(const char *question)
{
	const struct question *known = find(question);

	return known ? known->text : "";
}

SRIOV_EXPORT const char *sriov_probe_meaning(const char *question, const char *answer)
{
	const struct question *known = find(question);

	if (!known)
		return "";
	return !strcmp(answer, "yes")  ? known->means_yes
	       : !strcmp(answer, "no") ? known->means_no
				       : "";
}
