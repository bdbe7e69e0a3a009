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

/* An entry that comes, or that goes. */
struct sriov_rte_step {
	bool created;
	const struct sriov_rte_row *row;
};

/* What became of a list, or would: entries that go, then those that come; and what should be known of new rules. */
struct sriov_rte_told {
	struct sriov_rte_step *step;
	size_t nsteps;
	char **note; /* as sriov_compiled_tell() */
	size_t nnotes;
};
/* Of the last sriov_rte_apply() or sriov_rte_validate(), empty if it failed. Valid until the next. */
const struct sriov_rte_told *sriov_rte_told(const struct sriov_rte *port);

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

/* ---- libsriov: sriov-rte, the owner of ports that no application has ---- */

#define SRIOV_RTE_SOCKET "/run/sriovctl/rte.sock"
/* A message is a line of JSON of at most so many bytes. */
#define SRIOV_RTE_MESSAGE_MAX (16 << 20)
#define SRIOV_RTE_VERSION 1

enum sriov_rte_do {
	SRIOV_RTE_QUERY,    /* ports, their rules and counters */
	SRIOV_RTE_VALIDATE, /* what APPLY would do, asked of the driver too */
	SRIOV_RTE_APPLY,    /* make rules the port's list, and remember it */
	SRIOV_RTE_ISOLATE, /* only packets of rules come to the port, or all again; remembered too */
	SRIOV_RTE_DOS,
};

/*
 * {"version": 1, "do": "apply", "port": "0000:03:00.0", "rules": "flow-type …\n…", "allow": ["broader"],
 * "partial": true, "force": true}, {"version": 1, "do": "isolate", "port": …, "on": true}, {"version": 1, "do": "query"}.
 * Rules are in the words of sriov_rules_parse(), without guests.
 */
struct sriov_rte_request {
	enum sriov_rte_do what;
	char port[64]; /* PCI address or DPDK's name; "" = the owner's only one, or all (QUERY) */
	struct sriov_rules rules;
	unsigned allow; /* as struct sriov_compile */
	bool partial, on;
	bool force; /* an empty list may take the place of one with rules */
};
void sriov_rte_request_clear(struct sriov_rte_request *request);
/*
 * The request as a line without its end, which the caller frees. -EINVAL: a rule that cannot be written; -EOPNOTSUPP:
 * one about a guest.
 */
int sriov_rte_request_format(const struct sriov_rte_request *request, char **line,
			     struct sriov_error *err);
/*
 * The reverse, for text from strangers: unknown members, other types and versions are refused. -EINVAL,
 * -EPROTO (another version), -EOPNOTSUPP (a rule about a guest), or as sriov_rules_parse(). The caller clears @out.
 */
int sriov_rte_request_parse(const char *line, size_t size, struct sriov_rte_request *out,
			    struct sriov_error *err);

/*
 * Asks the owner at @socket (NULL = SRIOV_RTE_SOCKET) and waits for its answer: *@result is the "result" of it as JSON
 * text, which the caller frees. Errors of the owner are given back as they are; -ENOENT or -ECONNREFUSED: no owner
 * runs; -EPERM: it takes requests of root only; -EMSGSIZE: more than SRIOV_RTE_MESSAGE_MAX.
 */
int sriov_rte_call(const char *socket, const struct sriov_rte_request *request, char **result,
		   struct sriov_error *err);

/* An answer as a line: @result (JSON text, may be NULL = {}) or, if @err is not NULL, that. The caller frees *@line. */
int sriov_rte_answer_format(const char *result, const struct sriov_error *err, char **line);

/*
 * What the owner keeps of a port in the host's database, to bring it back when it starts again. Recording is durable
 * when it returns. @port as the owner calls it. sriov_rte_recorded(): -ENOENT (no error is set) if nothing is.
 */
int sriov_rte_record(struct sriov_host *host, const char *port, const char *line,
		     struct sriov_error *err);
int sriov_rte_recorded(struct sriov_host *host, const char *port, char **line,
		       struct sriov_error *err);

#ifdef __cplusplus
}
#endif
#endif
