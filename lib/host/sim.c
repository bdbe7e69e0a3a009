/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated host. A file is the host: a snapshot (snapshot.c) with members more. Every effect locks,
 * loads, changes and atomically replaces it, so that each happens wholly or not at all, whoever is killed, and
 * several processes can share the host. Beside FILE stands FILE.state/ with its lock, the database and the
 * locks of PFs; reading creates nothing.
 *
 *   "domains": [{"name": "web1", "uuid": "…", "state": "running" | "paused" | "defined",
 *                "vfs": ["0000:81:10.2"], "xml": "<domain…", "live": "<domain…", "answers": false}]
 *       Guests. They become uses of the VFs they name. While a running one has a VF on vfio-pci, deleting or
 *       unbinding that VF does not come back from the kernel until the domain is gone from the file.
 *       "xml" is the persistent definition, "live" the XML of the running one (without: the definition's). "vfs"
 *       is the short form of a domain without XML, and where both are there they must name the same. A guest that
 *       is paused, or does not answer, never lets a device go. A domain that is set to "defined" has been stopped:
 *       its VFs are given back as libvirt does, from what it kept in "saved" when it gave them.
 *
 *   "nic" of a PF: what its driver keeps besides the rules (input sets, counters, slots), if it is not what the
 *       rules give when they are put into a freshly loaded driver by location. See sim_rules.c.
 *
 *   "ovs": Open vSwitch; without it there is none. See lib/vswitch/sim_state.c.
 *
 *   "sim": {
 *     "clock_ms": 1500      Time is simulated: an effect takes 1 ms, wait() jumps to the next event or to its
 *                           deadline, pause() ahead. Nothing sleeps.
 *     "landed": 7           events so far
 *     "pending": [{"at_ms": 4000, "event": "link" | "netdev" | "ready", "pf": "0000:81:00.0", "vf": 3}]
 *                           what lands later: the link rises, a VF's driver and netdev appear, the reset of a
 *                           VF ends (i40e answers EAGAIN until then)
 *     "stuck": [{"pf": "…", "op": "numvfs", "vfs": 0}]
 *                           calls that the kernel has not come back from; "vfs" is the VF count or VF index
 *     "ops": {"numvfs": 1}  how often each operation was called: the effects below, wait, pause, and, with
 *                           "count_reads": true, read, read_attrs (dumps of VF attributes) and read_rules. Only
 *                           then does reading write the file.
 *     "netdevs": [{"name": "ens2f0.100", "mac": "…", "kind": "vlan", "lower": "ens2f0", "vlan": 100, "master": "br100",
 *                  "up": true, "ours": true, "half": false, "addressed": false}]
 *                           netdevs besides: struct host_link; of a PF's only which bridge it is in ("master")
 *     "deviate": [{"op": "vf_set", "pf": "0000:81:00.0", "vf": 3, "skip": 1, "times": 1, "errno": "EIO"}]
 *   }
 *   A deviation is for every PF, or VF, unless it names one; it lets the first "skip" calls pass and is gone
 *   after "times" (without: it stays). It says one of
 *       "errno": NAME   the call fails and changes nothing (every op but link, wait and pause)
 *       "lie": true     the call says that it succeeded and changes nothing (effects)
 *       "hang": true    numvfs, unbind, probe do not come back; when the deviation is gone, the kernel finishes
 *       "never": true   with op "link": a link that should rise does not; with op "virt_detach": the guest does
 *                       not answer; with op "virt_attach": it does not use what it gets
 *   Effects: link_set autoprobe numvfs vf_set override unbind probe ntuple rule_insert rule_delete
 *   rss_set fdb_set link_make link_delete vf_up frames; of libvirt (virt_sim.c) virt_attach virt_detach virt_limit virt_define virt_pin
 *   virt_memory; of OVS (lib/vswitch/sim.c) ovs_port_add ovs_port_del ovs_port_set ovs_bridge_add ovs_bridge_del ovs_flows
 *   ovs_meter_set ovs_meter_del.
 *
 * In the file, speed_mbps is the speed the link has when it is up and queues the count without VFs; reading
 * shows what a driver would; "rss" of a PF is there once a table was set. Drivers behave by the facts of nic.c; PFs of other drivers can only be read.
 */
#include "lib/host/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define FILE_MAX (16u << 20)

struct sim_host {
	char *file;       /* absolute, without symbolic links */
	int64_t clock_ms; /* as last seen */
	int64_t landed;   /* events that wait() has told of; negative = none yet */
	/* the file as it was read last: a plan reads it many times, and large ones take long to parse */
	json_t *json;
	struct stat seen;
	struct sim_texts texts;
	bool whole; /* all of it was decoded once, so that errors in it are known */
};

static void sim_freep(struct sim **sim)
{
	sim_free(*sim);
}

static int no_such_snapshot(const char *file, int code, struct sriov_error *err)
{
	if (code != -ENOENT)
		return core_errno(err, code, file, "cannot read the simulated host");
	sriov_error_set(err, code, file, "no such snapshot");
	return sriov_error_hint(err, "`sriovctl host snapshot` writes one of this host");
}

/* Whoever changes the file replaces it, or writes it at another time. */
static bool is_seen(const struct sim_host *host, const struct stat *now)
{
	const struct stat *then = &host->seen;

	return host->json && now->st_dev == then->st_dev && now->st_ino == then->st_ino &&
	       now->st_size == then->st_size && now->st_mtim.tv_sec == then->st_mtim.tv_sec &&
	       now->st_mtim.tv_nsec == then->st_mtim.tv_nsec;
}

/* The file's JSON into host->json. */
static int parse(struct sim_host *host, struct sriov_error *err)
{
	_free_ char *text = NULL;
	json_error_t where;
	struct stat now;
	size_t size;
	int r;

	if (stat(host->file, &now) < 0)
		return no_such_snapshot(host->file, -errno, err);
	if (is_seen(host, &now))
		return 0;
	json_decref(core_steal(host->json));
	host->whole = false;
	r = core_read_file(AT_FDCWD, host->file, FILE_MAX, &text, &size);
	if (r < 0)
		return no_such_snapshot(host->file, r, err);
	host->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	host->seen = now;
	if (!host->json) {
		sriov_error_set(err, -EINVAL, host->file, "line %d, column %d: %s", where.line,
				where.column, where.text);
		sriov_error_hint(err,
				 "a simulated host is a snapshot in JSON: `sriovctl host snapshot` "
				 "writes one");
		return -EINVAL;
	}
	return 0;
}

/* The host without the rules of other PFs than @pf: decoding thousands takes longer than all the rest. */
static json_t *without_rules(const json_t *host, const char *pf)
{
	json_t *copy = json_copy((json_t *)host), *pfs = json_array(), *item;
	size_t i;

	json_array_foreach(json_object_get(host, "pfs"), i, item) {
		bool asked = !strcmp(core_json_text(item, "address", "", NULL), pf) ||
			     !strcmp(core_json_text(item, "netdev", "", NULL), pf);
		json_t *bare = asked ? json_incref(item) : json_copy(item);

		if (!asked) {
			json_object_del(bare, "rules");
			json_object_del(bare, "nic");
		}
		json_array_append_new(pfs, bare);
	}
	json_object_set_new(copy, "pfs", pfs);
	return copy;
}

/* @pf: whose rules are looked at, NULL = all PFs'. */
static int load_for(struct sim_host *host, const char *pf, struct sim **out,
		    struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	_json_ json_t *part = NULL;
	int r = parse(host, err);

	if (r < 0)
		return r;
	if (pf && host->whole && !(part = without_rules(host->json, pf)))
		return core_oom(err);
	r = sim_decode(part ?: host->json, &host->texts, &sim, err);
	host->whole = !r;
	if (r < 0) {
		if (err)
			core_copy(err->object, sizeof(err->object), host->file);
		return r;
	}
	sim_settle(sim);
	host->clock_ms = sim->clock_ms;
	*out = core_steal(sim);
	return 0;
}

static int load(struct sim_host *host, struct sim **out, struct sriov_error *err)
{
	return load_for(host, NULL, out, err);
}

int sim_load(struct sriov_host *host, struct sim **out, struct sriov_error *err)
{
	return load(host->priv, out, err);
}

static int save(struct sim_host *host, const struct sim *sim, struct sriov_error *err)
{
	_json_ json_t *json = sim_encode(sim);
	_free_ char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	struct stat st;
	int r;

	if (!text)
		return core_oom(err);
	if (stat(host->file, &st) < 0)
		return no_such_snapshot(host->file, -errno, err);
	r = core_replace_file(AT_FDCWD, host->file, text, strlen(text), st.st_mode & 0777);
	if (r < 0)
		return core_errno(err, r, host->file, "cannot write the simulated host");
	host->clock_ms = sim->clock_ms;
	return 0;
}

/* The lock of the whole file, held for one load-change-save; closing the descriptor ends it. */
static int lock(struct sriov_host *host, struct sriov_error *err)
{
	char path[sizeof(host->state_dir) + 16];
	_close_ int fd = -1;
	int r = core_make_dirs(host->state_dir, 0700);

	if (r < 0)
		return core_errno(err, r, host->state_dir, "cannot make the directory");
	snprintf(path, sizeof(path), "%s/host.lock", host->state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return core_errno(err, -errno, path, "cannot open the lock");
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return core_errno(err, -errno, path, "cannot lock");
	}
	return core_steal_fd(&fd);
}

/* An effect that fails has still taken its time, and what it did before it failed stays. */
int sim_run(struct sriov_host *host, const struct sim_call *call, struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	_close_ int locked = lock(host, err);
	int r, saved;

	if (locked < 0)
		return locked;
	r = load(host->priv, &sim, err);
	if (r < 0)
		return r;
	sim->clock_ms++;
	sim->ops[call->op]++;
	sim_settle(sim);
	r = sim_perform(sim, call, err);
	saved = save(host->priv, sim, r < 0 ? NULL : err);
	return r < 0 ? r : saved;
}

static int do_link_set(struct sriov_host *host, const struct sriov_pf *pf, bool up,
		       struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_LINK_SET, pf, .on = up}, err);
}

static int do_autoprobe(struct sriov_host *host, const struct sriov_pf *pf, bool on,
			struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_AUTOPROBE, pf, .on = on}, err);
}

static int do_numvfs(struct sriov_host *host, const struct sriov_pf *pf, unsigned n,
		     int64_t deadline_ms, struct sriov_error *err)
{
	return sim_run(
		host, &(struct sim_call){SIM_NUMVFS, pf, .vf = n, .deadline_ms = deadline_ms}, err);
}

static int do_vf_set(struct sriov_host *host, const struct sriov_pf *pf, unsigned vf,
		     const struct sriov_vf_attrs *attrs, struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_VF_SET, pf, .vf = vf, .attrs = attrs}, err);
}

static int do_override(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		       const char *driver, int64_t deadline_ms, struct sriov_error *err)
{
	return sim_run(host,
		       &(struct sim_call){SIM_OVERRIDE, pf, .address = address, .driver = driver},
		       err);
}

static int do_unbind(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		     int64_t deadline_ms, struct sriov_error *err)
{
	return sim_run(
		host,
		&(struct sim_call){SIM_UNBIND, pf, .address = address, .deadline_ms = deadline_ms},
		err);
}

static int do_probe(struct sriov_host *host, const struct sriov_pf *pf, const char *address,
		    int64_t deadline_ms, struct sriov_error *err)
{
	return sim_run(
		host,
		&(struct sim_call){SIM_PROBE, pf, .address = address, .deadline_ms = deadline_ms},
		err);
}

static int do_ntuple(struct sriov_host *host, const struct sriov_pf *pf, bool on,
		     struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_NTUPLE, pf, .on = on}, err);
}

static int do_rule_insert(struct sriov_host *host, const struct sriov_pf *pf,
			  const struct sriov_entry *entry, struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_RULE_INSERT, pf, .entry = entry}, err);
}

static int do_rule_delete(struct sriov_host *host, const struct sriov_pf *pf, uint32_t loc,
			  struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_RULE_DELETE, pf, .loc = loc}, err);
}

static int do_vf_up(struct sriov_host *host, const struct sriov_pf *pf, unsigned vf, bool up,
		    struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_VF_UP, pf, .vf = vf, .on = up}, err);
}

static int do_netdev(struct sriov_host *host, const char *name, struct netdev_facts *out,
		     struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	int r = load(host->priv, &sim, err);

	return r < 0 ? r : sim_netdev(sim, name, out, err);
}

static int do_mac_user(struct sriov_host *host, const uint8_t mac[6], char *name, size_t size,
		       struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	int r = load(host->priv, &sim, err);

	return r < 0 ? r : sim_mac_user(sim, mac, name, size);
}

static int do_fdb_has(struct sriov_host *host, const struct sriov_pf *pf, const uint8_t mac[6],
		      bool *out, struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	int r = load(host->priv, &sim, err);

	if (!r)
		*out = sim_fdb_has(sim, pf, mac);
	return r;
}

static int do_fdb_set(struct sriov_host *host, const struct sriov_pf *pf, const uint8_t mac[6],
		      bool on, struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_FDB_SET, pf, .mac = mac, .on = on}, err);
}

static int do_vf_driven(struct sriov_host *host, const char *address, bool *out,
			struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	struct sim_deviation d;
	int r = load(host->priv, &sim, err);

	(void)address; /* a guest takes what it is given, or it does not */
	if (!r)
		*out = !sim_deviate(sim, SIM_VIRT_ATTACH, "", -1, SIM_DEVIATE_NEVER, &d);
	return r;
}

static int do_pci_place(struct sriov_host *host, const char *address, struct pci_place *out,
			struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	int r = load(host->priv, &sim, err);

	return r < 0 ? r : sim_pci_place(sim, address, out, err);
}

static enum host_nature do_nature(struct sriov_host *host, const struct sriov_pf *pf, char *why,
				  size_t size)
{
	snprintf(why, size, "the host is simulated");
	return NATURE_SIMULATED;
}

static int do_rss_set(struct sriov_host *host, const struct sriov_pf *pf, const uint32_t *table,
		      size_t n, struct sriov_error *err)
{
	return sim_run(host, &(struct sim_call){SIM_RSS_SET, pf, .rss = table, .nrss = n}, err);
}

static int do_read(struct sriov_host *host, const char *pf, unsigned what,
		   struct sriov_inventory *inv, struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	int r = load_for(host->priv, pf, &sim, err), saved;

	if (r < 0)
		return r;
	if (sim_read_counts(sim)) {
		_close_ int locked = lock(host, err);

		if (locked < 0)
			return locked;
		sim_free(core_steal(sim));
		r = load(host->priv, &sim, err);
		if (r < 0)
			return r;
		r = sim_read_count(sim, pf, what, err);
		saved = save(host->priv, sim, r < 0 ? NULL : err);
		if (r < 0 || saved < 0)
			return r < 0 ? r : saved;
	}
	return sim_read(sim, pf, what, inv, err);
}

static bool do_hangs(struct sriov_host *host, const struct sriov_pf *pf)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;

	return !load(host->priv, &sim, NULL) && sim_stuck_on(sim, pf);
}

static int do_watch(struct sriov_host *host, struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	struct sim_host *priv = host->priv;
	int r = load(priv, &sim, err);

	if (!r)
		priv->landed = sim->landed;
	return r;
}

static int do_wait(struct sriov_host *host, int64_t deadline_ms, struct sriov_error *err)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	struct sim_host *priv = host->priv;
	_close_ int locked = lock(host, err);
	int64_t until = deadline_ms;
	int r;

	if (locked < 0)
		return locked;
	r = load(priv, &sim, err);
	if (r < 0)
		return r;
	if (priv->landed < 0)
		priv->landed = sim->landed;
	if (sim->landed == priv->landed && sim->nevents && sim->event[0].at_ms < until)
		until = sim->event[0].at_ms;
	if (sim->landed == priv->landed && sim->clock_ms < until)
		sim->clock_ms = until;
	sim_settle(sim);
	sim->ops[SIM_WAIT]++;
	r = save(priv, sim, err);
	if (r < 0)
		return r;
	if (sim->landed == priv->landed)
		return sriov_error_set(err, -ETIMEDOUT, "host", "nothing happened in time");
	priv->landed = sim->landed;
	return 0;
}

/* Tries again at each event until all links are there. */
static int do_exchange(struct sriov_host *host, const struct sriov_pf *pf, struct exchange *what,
		       int64_t deadline_ms, struct sriov_error *err)
{
	struct sim_host *priv = host->priv;
	int r;

	for (;;) {
		r = sim_run(host, &(struct sim_call){SIM_FRAMES, pf, .exchange = what}, err);
		if (r != -ENOLINK || priv->clock_ms >= deadline_ms)
			return r;
		do_wait(host, deadline_ms, NULL);
	}
}

/* Cannot fail, as sleeping cannot; a file that is gone shows at the next read. */
static void do_pause(struct sriov_host *host, unsigned ms)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	_close_ int locked = lock(host, NULL);

	if (locked < 0 || load(host->priv, &sim, NULL) < 0)
		return;
	sim->clock_ms += ms;
	sim->ops[SIM_PAUSE]++;
	sim_settle(sim);
	save(host->priv, sim, NULL);
}

static int64_t do_now_ms(struct sriov_host *host)
{
	_cleanup_(sim_freep)
	struct sim *sim = NULL;
	struct sim_host *priv = host->priv;

	load(priv, &sim, NULL); /* other processes move the clock too */
	return priv->clock_ms;
}

static void do_close(struct sriov_host *host)
{
	struct sim_host *priv = host->priv;

	json_decref(priv->json);
	sim_texts_clear(&priv->texts);
	free(priv->file);
	free(priv);
}

int host_sim_open(struct sriov_host *host, const char *file, struct sriov_error *err)
{
	_free_ struct sim_host *priv = calloc(1, sizeof(*priv));
	_free_ char *real = realpath(file, NULL);

	if (!priv)
		return core_oom(err);
	if (!real)
		return no_such_snapshot(file, -errno, err);
	if (strlen(real) + sizeof(".state") > sizeof(host->state_dir))
		return sriov_error_set(err, -ENAMETOOLONG, file,
				       "the path of a simulated host is limited to %zu bytes",
				       sizeof(host->state_dir) - sizeof(".state"));
	snprintf(host->state_dir, sizeof(host->state_dir), "%s.state", real);
	core_copy(host->lock_dir, sizeof(host->lock_dir), host->state_dir);
	priv->landed = -1;
	priv->file = core_steal(real);
	host->priv = core_steal(priv);
	host->ops = &host_sim_ops;
	return 0;
}

const struct host_ops host_sim_ops = {
	.name = "simulated",
	.close = do_close,
	.read = do_read,
	.link_set = do_link_set,
	.autoprobe = do_autoprobe,
	.numvfs = do_numvfs,
	.vf_set = do_vf_set,
	.override = do_override,
	.unbind = do_unbind,
	.probe = do_probe,
	.ntuple = do_ntuple,
	.rule_insert = do_rule_insert,
	.rule_delete = do_rule_delete,
	.vf_up = do_vf_up,
	.exchange = do_exchange,
	.netdev = do_netdev,
	.mac_user = do_mac_user,
	.fdb_has = do_fdb_has,
	.fdb_set = do_fdb_set,
	.links = sim_do_links,
	.link_make = sim_do_link_make,
	.link_delete = sim_do_link_delete,
	.vf_driven = do_vf_driven,
	.pci_place = do_pci_place,
	.nature = do_nature,
	.rss_set = do_rss_set,
	.hangs = do_hangs,
	.watch = do_watch,
	.wait = do_wait,
	.pause = do_pause,
	.now_ms = do_now_ms,
};
