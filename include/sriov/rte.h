/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules on ports that DPDK owns. They live in the process that owns the port and end with it; this header has no
 * types of DPDK.
 *
 * An application that owns a port calls sriov_rte_open() and sriov_rte_apply(), which are in libsriov-rte. For a
 * port that no application wants there is sriov-rte, the owner, and the functions of libsriov that talk to it:
 * sriov_rte_call(). Neither is safe for several threads on one port.
 */
#ifndef SRIOV_RTE_H
#define SRIOV_RTE_H

#include <sriov/flow.h>
#include <sriov/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- libsriov-rte: a port of this process ---- */

struct sriov_rte;

/* What an apply did, in rte_flow rules. */
struct sriov_rte_count {
	unsigned created, destroyed, kept;
};

/* An entry that is installed. */
struct sriov_rte_row {
	char rule[SRIOV_NAME_LEN]; /* its rule's name, "" = none */
	struct sriov_entry entry;
	enum sriov_filter filter;
};

/*
 * The configured port @port_id, with its queues as they are now; its VFs are those that the kernel shows of the
 * device. -ENODEV: there is no such port; -EOPNOTSUPP: its driver has no rte_flow; -ENOTSUP: its driver is not
 * modelled. The caller frees it with sriov_rte_close(), which leaves the rules where they are.
 */
int sriov_rte_open(unsigned port_id, struct sriov_rte **out, struct sriov_error *err);
void sriov_rte_close(struct sriov_rte *port);
/* The port as sriov_rules_compile() takes it. Valid until the close. */
const struct sriov_pf *sriov_rte_port(const struct sriov_rte *port);

/*
 * Makes @rules the port's list: creates what is missing, destroys what is not in it any more, leaves the rest. All
 * or nothing: what fails is undone, and if even that fails, the error has status SRIOV_INCOMPLETE and says what is
 * missing. In between, packets of rules that change meet none. Rules that the application made by itself are
 * not known and not touched. -ENOTSUP as sriov_rules_compile(); errors of the driver carry its words.
 * @opts (NULL = none) as sriov_rules_compile() takes it, but for its entries of ours. @count may be NULL.
 *
 * net_ixgbe: a rule in Flow Director carries a MARK, a number of its own; without it the driver would take some for
 * 5-tuples, and two with one hash could not be told apart when one is destroyed. Mbufs may show it.
 */
int sriov_rte_apply(struct sriov_rte *port, const struct sriov_rules *rules,
		    const struct sriov_compile *opts, struct sriov_rte_count *count,
		    struct sriov_error *err);
/*
 * What sriov_rte_apply() would do, asked of the driver too (rte_flow_validate()). net_ixgbe and net_i40e set Flow
 * Director up for that.
 */
int sriov_rte_validate(struct sriov_rte *port, const struct sriov_rules *rules,
		       const struct sriov_compile *opts, struct sriov_rte_count *count,
		       struct sriov_error *err);
/*
 * rte_flow_isolate(): only packets of rules come to the port. -EOPNOTSUPP: the driver cannot, as those of ixgbe, i40e
 * and igb.
 */
int sriov_rte_isolate(struct sriov_rte *port, bool on, struct sriov_error *err);
/* What is installed; valid until the next change. */
const struct sriov_rte_row *sriov_rte_rows(const struct sriov_rte *port, size_t *n);

#ifdef __cplusplus
}
#endif
#endif
