/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the simulated host: its state while it is loaded, and who changes it. See sim.c for the whole. */
#ifndef SRIOV_SIM_H
#define SRIOV_SIM_H

#include "flows/nic/replay.h"
#include "lib/guest/device.h"
#include "lib/guest/virt.h"

/* What is counted and can be told to deviate; the first ones are effects. */
enum sim_op {
	SIM_LINK_SET,
	SIM_AUTOPROBE,
	SIM_NUMVFS,
	SIM_VF_SET,
	SIM_OVERRIDE,
	SIM_UNBIND,
	SIM_PROBE,
	SIM_NTUPLE,
	SIM_RULE_INSERT,
	SIM_RULE_DELETE,
	SIM_VF_UP,
	SIM_FRAMES,
	SIM_RSS_SET,
	SIM_FDB_SET,
	SIM_LINK_MAKE,
	SIM_LINK_DELETE,
	SIM_VIRT_ATTACH,
	SIM_VIRT_DETACH,
	SIM_VIRT_LIMIT,
	SIM_VIRT_DEFINE,
	SIM_VIRT_PIN,
	SIM_VIRT_MEMORY,
	SIM_OVS_PORT_ADD,
	SIM_OVS_PORT_DEL,
	SIM_OVS_PORT_SET,
	SIM_OVS_BRIDGE_ADD,
	SIM_OVS_BRIDGE_DEL,
	SIM_OVS_FLOWS,
	SIM_OVS_METER_SET,
	SIM_OVS_METER_DEL,
	SIM_EFFECTS,
	SIM_LINK = SIM_EFFECTS, /* a link that should rise; only for deviations */
	SIM_READ,
	SIM_READ_ATTRS,
	SIM_READ_RULES,
	SIM_WAIT,
	SIM_PAUSE,
	SIM_OPS,
};
extern const char *const sim_op_words[SIM_OPS + 1];

enum sim_what_event { SIM_EVENT_LINK, SIM_EVENT_NETDEV, SIM_EVENT_READY };

/* Something that lands later. */
struct sim_event {
	unsigned has;
	int64_t at_ms;
	unsigned event; /* enum sim_what_event */
	char pf[SRIOV_PCI_LEN];
	unsigned vf; /* not of SIM_EVENT_LINK */
};

enum sim_deviation_has {
	SIM_DEVIATE_PF = 1 << 0,
	SIM_DEVIATE_VF = 1 << 1,
	SIM_DEVIATE_SKIP = 1 << 2,
	SIM_DEVIATE_TIMES = 1 << 3,
	/* exactly one of these */
	SIM_DEVIATE_ERRNO = 1 << 4,
	SIM_DEVIATE_LIE = 1 << 5,
	SIM_DEVIATE_HANG = 1 << 6,
	SIM_DEVIATE_NEVER = 1 << 7,
};

struct sim_deviation {
	unsigned has;
	unsigned op;
	char pf[SRIOV_PCI_LEN];
	unsigned vf;
	unsigned skip, times;
	char errno_name[24];
	bool lie, hang, never;
};

/* A system call that does not come back. */
struct sim_stuck {
	char pf[SRIOV_PCI_LEN];
	unsigned op;  /* SIM_NUMVFS, SIM_UNBIND, SIM_PROBE */
	unsigned vfs; /* count of SIM_NUMVFS, VF index of the others */
};

/* A VF that a domain names. */
struct sim_domain_vf {
	char address[SRIOV_PCI_LEN];
	bool running; /* a running guest has it; else the definition names it */
	bool net;     /* <interface type='hostdev'> */
};

/* What libvirt keeps of a VF that it gave to a running guest, to put it back. */
struct sim_saved {
	char vf[SRIOV_PCI_LEN];
	uint8_t mac[6];
	unsigned vlan;
	bool net;   /* MAC and VLAN were set */
	bool bound; /* vfio-pci was bound by libvirt */
};

enum sim_domain_state { SIM_DEFINED, SIM_RUNNING, SIM_PAUSED };
extern const char *const sim_domain_words[];

struct sim_domain {
	unsigned has;
	char name[SRIOV_NAME_LEN];
	char uuid[40];
	unsigned state; /* enum sim_domain_state */
	bool answers;   /* with SIM_DOMAIN_ANSWERS; else yes */
	char *xml, *live;
	struct sim_domain_vf *vf;
	size_t nvfs;
	struct sim_saved *saved;
	size_t nsaved;
	struct process *process; /* QEMU's; NULL: the file has none */
};
#define SIM_DOMAIN_ANSWERS 1

/* What the XML of a domain says. A command reads its host a dozen times, and to parse all texts anew is most of its time. */
struct sim_text {
	char *xml;
	char name[SRIOV_NAME_LEN], uuid[40];
	struct guest_pci *device;
	size_t ndevices;
};
/* Of each domain, by its number, the definition's and the running one's. */
struct sim_texts {
	struct sim_text *at;
	size_t n;
};

/*
 * A netdev of the host that is neither a PF's nor a VF's: a macvlan, for one; as struct host_link has it. Of one that
 * is a PF's only the master counts.
 */
struct sim_netdev {
	char name[16];
	uint8_t mac[6];
	char kind[16], lower[16], master[16];
	uint16_t vlan;
	bool up, ours, half, addressed;
};

/* An address that a PF takes frames for beside its own. */
struct sim_fdb {
	char pf[SRIOV_PCI_LEN];
	uint8_t mac[6];
};

struct sim {
	struct sriov_inventory *inv;
	json_t **nic; /* of each PF what its driver keeps besides rules, or NULL: sim_rules.c */
	size_t nnics;
	bool count_reads;
	int64_t clock_ms;
	int64_t landed;          /* events so far: how wait() knows that it missed one */
	struct sim_event *event; /* by time */
	size_t nevents;
	struct sim_deviation *deviation;
	size_t ndeviations;
	struct sim_stuck *stuck;
	size_t nstuck;
	struct sim_domain *domain;
	size_t ndomains;
	struct sim_netdev *netdev;
	size_t nnetdevs;
	struct sim_fdb *fdb;
	size_t nfdb;
	json_t *ovs; /* "ovs", or NULL: lib/vswitch/sim_state.c */
	int64_t ops[SIM_OPS];
};

/* An effect as called; which members count depends on @op. */
struct sim_call {
	enum sim_op op;
	const struct sriov_pf *pf;
	bool on;
	unsigned vf; /* index; of numvfs the count */
	const char *address, *driver;
	const struct sriov_vf_attrs *attrs;
	const struct sriov_entry *entry;
	struct exchange *exchange;
	uint32_t loc;
	const uint32_t *rss;
	size_t nrss;
	const uint8_t *mac;           /* of fdb_set */
	const struct host_link *link; /* of link_make (@on: it is there) and link_delete */
	int64_t deadline_ms;
	/* of libvirt; pf is NULL */
	const char *uuid, *xml, *cpus, *mode, *nodeset;
	const struct guest_device *device;
	enum virt_where where;
	enum virt_thread thread;
	unsigned number;
	const struct sim_ovs_call *ovs; /* of OVS: lib/vswitch/sim.h; pf is NULL */
};
typedef int sim_effect_fn(struct sim *sim, struct sriov_pf *pf, const struct sim_call *call,
			  struct sriov_error *err);

/* sim_state.c: the state from and to JSON. @texts is kept from one reading to the next. */
int sim_decode(const json_t *json, struct sim_texts *texts, struct sim **out,
	       struct sriov_error *err);
json_t *sim_encode(const struct sim *sim);
void sim_free(struct sim *sim);
int sim_errno(const char *name); /* 5 for "EIO", 0 if there is none of that name */

/* sim_domains.c: the member "domains". */
struct reader;
int sim_domains_decode(struct reader *r, const json_t *json, struct sim_texts *texts,
		       struct sim *sim);
void sim_texts_clear(struct sim_texts *texts);
json_t *sim_domains_encode(const struct sim *sim);
/* Which VFs the domain names, anew after its XML changed. */
int sim_domain_vfs(struct sim_domain *domain, struct sriov_error *err);
void sim_domain_clear(struct sim_domain *domain);
/* sim_process.c: the member "process" of a domain. */
int sim_process_decode(struct reader *r, const json_t *json, const char *path,
		       struct process **out);
json_t *sim_process_encode(const struct process *process);
int sim_process_copy(const struct process *process, struct process *out); /* 0 or -ENOMEM */
void sim_process_free(struct process *process);
/* The threads that a pin of libvirt moves: a vCPU, an IOThread, or all others (the emulator's). */
void sim_process_pin(struct process *process, enum process_role role, unsigned number,
		     const char *cpus);

/* sim.c: the file, read and settled; one effect on it, which is one durable write. */
int sim_load(struct sriov_host *host, struct sim **out, struct sriov_error *err);
int sim_run(struct sriov_host *host, const struct sim_call *call, struct sriov_error *err);
/* sim_links.c: what is on a netdev goes with it; and members of host_ops. */
int sim_links(const struct sim *sim, struct host_links *out, struct sriov_error *err);
struct host_link *sim_link_add(struct host_links *links, const char *name, const char *kind);
void sim_links_gone(struct sim *sim, const char *name);
sim_effect_fn sim_link_make, sim_link_delete;
int sim_do_links(struct sriov_host *host, struct host_links *out, struct sriov_error *err);
int sim_do_link_make(struct sriov_host *host, const struct sriov_pf *pf,
		     const struct host_link *want, bool there, struct sriov_error *err);
int sim_do_link_delete(struct sriov_host *host, const struct sriov_pf *pf, const char *name,
		       struct sriov_error *err);
/* lib/guest/virt_simlinks.c: adds what libvirt has made for the guests that run. */
int sim_virt_links(const struct sim *sim, struct host_links *links, struct sriov_error *err);
int sim_virt_has_link(const struct sim *sim, const char *name, bool *out, struct sriov_error *err);

/* sim_perform.c */
int sim_perform(struct sim *sim, const struct sim_call *call, struct sriov_error *err);

/* lib/guest/virt_sim.c: effects of libvirt, and what it does when a guest has stopped. */
sim_effect_fn sim_virt_attach, sim_virt_detach, sim_virt_limit, sim_virt_define, sim_virt_pin,
	sim_virt_memory;
void sim_virt_settle(struct sim *sim);
/* lib/vswitch/sim.c: effects of OVS. */
sim_effect_fn sim_ovs_effect;

/* sim_time.c: events, stuck calls, deviations. */
int sim_schedule(struct sim *sim, struct sim_event event); /* 0 or -ENOMEM */
/* Forgets the events of that kind of @pf, of VF @vf or (negative) of every VF. */
void sim_cancel(struct sim *sim, const struct sriov_pf *pf, enum sim_what_event event, int vf);
bool sim_pending(const struct sim *sim, const struct sriov_pf *pf, enum sim_what_event event,
		 int vf);
/* Lets everything land that is due at the clock, and calls return whose obstacle is gone. */
void sim_settle(struct sim *sim);
/* The first deviation for this, counted down, or NULL. *@out holds it: it may be gone from the state. */
const struct sim_deviation *sim_deviate(struct sim *sim, enum sim_op op, const char *pf, int vf,
					unsigned kinds, struct sim_deviation *out);
/* The running guest that keeps the kernel from taking @vf away, or NULL. */
const char *sim_holder(const struct sim *sim, const struct sriov_vf *vf);
/* Marks the call as stuck, moves the clock to its deadline, and says so. */
int sim_stick(struct sim *sim, const struct sriov_pf *pf, const struct sim_call *call, int vf,
	      const char *why, struct sriov_error *err);
/* The stuck call that @pf's device lock is held by, or NULL. */
const struct sim_stuck *sim_stuck_on(const struct sim *sim, const struct sriov_pf *pf);

/* sim_port.c, sim_vfs.c, sim_attrs.c, sim_rules.c, sim_rss.c: effects. */
sim_effect_fn sim_link_set, sim_autoprobe, sim_numvfs, sim_vf_set, sim_override, sim_unbind,
	sim_probe, sim_ntuple, sim_rule_insert, sim_rule_delete, sim_rss_set, sim_vf_up, sim_frames;
/* sim_probe.c: -ENODEV if there is none of that name. */
int sim_netdev(const struct sim *sim, const char *name, struct netdev_facts *out,
	       struct sriov_error *err);
/* sim_find.c: see host_ops. */
int sim_mac_user(const struct sim *sim, const uint8_t mac[6], char *name, size_t size);
bool sim_fdb_has(const struct sim *sim, const struct sriov_pf *pf, const uint8_t mac[6]);
sim_effect_fn sim_fdb_set;
int sim_pci_place(const struct sim *sim, const char *address, struct pci_place *out,
		  struct sriov_error *err);
/* The link goes down and comes back after what the driver takes; nothing on a port that is down. */
int sim_port_reset(struct sim *sim, struct sriov_pf *pf);
/* Forgets a table that was set, on a driver that refills it at each reset. */
void sim_rss_lost(struct sriov_pf *pf);
/* The table as a driver fills it, where none was set. 0 or -ENOMEM. */
int sim_rss_show(struct sriov_pf *pf);
/* What happens to the port's rules; 0 or -ENOMEM. */
int sim_rules_event(struct sim *sim, struct sriov_pf *pf, enum nic_event event,
		    struct sriov_error *err);
/* As a driver that is loaded anew. */
void sim_rules_forget(struct sim *sim, struct sriov_pf *pf);
/* That "nic" of the PF can be read. */
int sim_rules_check(const struct sim *sim, const struct sriov_pf *pf, struct sriov_error *err);
/* What @packet meets; *@out is as it was unless *@hit. */
int sim_rules_match(const struct sim *sim, const struct sriov_pf *pf,
		    const struct nic_packet *packet, struct nic_hit *out, bool *hit,
		    struct sriov_error *err);
/* pf->rules as the driver reads them back; 0 or -ENOMEM. */
int sim_show_rules(const struct sim *sim, struct sriov_pf *pf);
/* The second halves of calls that were stuck. */
void sim_vfs_removed(struct sim *sim, struct sriov_pf *pf);

/* ---- sim_pf.c ---- */

/* Whether the kernel's driver does not have the PF; and what is then not to be seen of it. */
bool sim_pf_away(const struct sriov_pf *pf);
void sim_pf_hide(struct sriov_pf *pf);
/* Whether the call is about the PF's own driver, which is modelled. */
bool sim_pf_binds(const struct sriov_pf *pf, const struct sim_call *call);
int sim_pf_override(struct sriov_pf *pf, const struct sim_call *call);
int sim_pf_unbind(struct sim *sim, struct sriov_pf *pf, struct sriov_error *err);
int sim_pf_probe(struct sim *sim, struct sriov_pf *pf);

int sim_vfs_created(struct sim *sim, struct sriov_pf *pf, unsigned n, struct sriov_error *err);
void sim_vf_unbound(struct sim *sim, struct sriov_pf *pf, struct sriov_vf *vf);
int sim_vf_probed(struct sim *sim, struct sriov_pf *pf, struct sriov_vf *vf);
/* A netdev of @vf appears, named as udev would. */
void sim_vf_netdev(struct sim *sim, struct sriov_pf *pf, struct sriov_vf *vf);

/*
 * sim_read.c: what the host shows, handed over from @sim, which is then only good for sim_free(). The file
 * is written by a read only if reads are counted or told to fail: then sim_read_count() and a save come first.
 */
bool sim_read_counts(const struct sim *sim);
int sim_read_count(struct sim *sim, const char *pf, unsigned what, struct sriov_error *err);
int sim_read(struct sim *sim, const char *pf, unsigned what, struct sriov_inventory *inv,
	     struct sriov_error *err);
/* The port as its driver shows it now: speed only with a link, queues as VFs leave them. */
void sim_show_port(struct sriov_pf *pf);

/* "vf 3 of 0000:81:00.0", or the PF alone for a negative @vf. */
const char *sim_object(char buf[96], const char *pf, int vf);

#endif
