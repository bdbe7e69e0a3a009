/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What drivers of DPDK say, made into what is wrong: their text is that of the last parser that they asked, and some
 * numbers are none.
 */
#include "flows/to/rte.h"
#include "lib/core/core.h"

#include <errno.h>
#include <rte_version.h>
#include <stdio.h>
#include <string.h>

/* Numbers that mean something of their own with a driver; NULL: with every other. */
static const struct known {
	const char *driver;
	int number;
	enum sriov_filter filter; /* NONE: any */
	const char *what, *hint;
} knowns[] = {
	{"net_ixgbe", ENOSYS, SRIOV_FILTER_TUPLE5, "all 5-tuple filters of the port are taken",
	 "rules that did not come through here take some: destroy those first"},
	{"net_ixgbe", ENOSPC, SRIOV_FILTER_ETHERTYPE, "all EtherType filters of the port are taken",
	 "rules that did not come through here take some: destroy those first"},
	{"net_ixgbe", ENOTSUP, SRIOV_FILTER_FDIR_MARK,
	 "Flow Director of the port is in another mode, or has no such queue",
	 "the first rule for Flow Director that was validated or created has pinned the mode: "
	 "close the port and start it again"},
	{"net_ixgbe", ENOTSUP, SRIOV_FILTER_FDIR_MAC,
	 "Flow Director of the port is in another mode, or has no such queue",
	 "the first rule for Flow Director that was validated or created has pinned the mode: "
	 "close the port and start it again"},
	{"net_ixgbe", 0, SRIOV_FILTER_FDIR_MARK,
	 "rules that did not come through here have given Flow Director another mask",
	 "destroy those first"},
	{"net_i40e", ENOBUFS, SRIOV_FILTER_FDIR, "Flow Director of the port is full",
	 "other functions of the NIC and rules that did not come through here take room there"},
	{"net_i40e", EINVAL, SRIOV_FILTER_FDIR,
	 "rules that did not come through here match other fields of these packets, or the very "
	 "same",
	 "destroy those first"},
	{"net_e1000_igb", ENOSYS, SRIOV_FILTER_NONE, "all filters of that kind are taken",
	 "rules that did not come through here take some: destroy those first"},
	{"net_tap", EEXIST, SRIOV_FILTER_NONE,
	 "the kernel refused the filter: it has the very same already, or no cls_flower for it",
	 "modprobe -a cls_flower act_gact act_skbedit sch_multiq sch_ingress"},
	{"net_tap", EOPNOTSUPP, SRIOV_FILTER_NONE, "the kernel has not what net_tap needs for it",
	 "modprobe -a cls_flower act_gact act_skbedit sch_multiq sch_ingress"},
	{NULL, ENOSYS, SRIOV_FILTER_NONE, "the driver has no such function", NULL},
	{NULL, EEXIST, SRIOV_FILTER_NONE,
	 "the application has the same rule already, made by itself", "destroy that first"},
};

static const struct known *find_known(const struct rte_failure *f, int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(knowns); i++)
		if (knowns[i].number == number &&
		    (!knowns[i].driver || !strcmp(knowns[i].driver, f->pf->driver)) &&
		    (!knowns[i].filter || knowns[i].filter == f->filter))
			return &knowns[i];
	return NULL;
}

/* "rule web", "udp4 dst-port 53 -> queue 1", or the port. */
static void name_object(const struct rte_failure *f, char *buf, size_t size)
{
	char words[256] = "";

	if (f->rule[0]) {
		snprintf(buf, size, "rule %s", f->rule);
		return;
	}
	if (f->entry)
		sriov_entry_format(f->entry, words, sizeof(words));
	snprintf(buf, size, "%s", words[0] ? words : f->pf->netdev);
}

int rte_failed(const struct rte_failure *f, const struct rte_flow_error *error,
	       struct sriov_error *err)
{
	/* net_ixgbe gives back what memcmp() said of two masks */
	int number = f->number > 0 && f->number < 4096 ? f->number : 0;
	const struct known *known = find_known(f, number);
	const char *filter = sriov_filter_word(f->filter);
	char object[96];

	name_object(f, object, sizeof(object));
	sriov_error_set(err, number ? -number : -EIO, object, "%s refused to %s it%s%s%s%s%s",
			f->pf->driver, f->what, filter ? " (as " : "", filter ?: "",
			filter ? ")" : "", known ? ": " : "", known ? known->what : "");
	sriov_error_kernel(err, "%s: %s%s", f->pf->driver, error->message ?: "no reason",
			   number ? "" : ", and no error number");
	if (known)
		return known->hint ? sriov_error_hint(err, "%s", known->hint)
				   : (number ? -number : -EIO);
	return sriov_error_hint(
		err,
		"the driver's words are those of the last filter that it tried; rules "
		"here are for DPDK 22.11, and this is %s",
		rte_version());
}
