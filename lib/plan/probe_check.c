/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe is refused for: a port that is not idle, or that it could not be asked. See probe.h. */
#include "lib/guest/guest.h"
#include "lib/plan/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int not_idle(const char *object, const char *who, const char *how, const char *hint,
		    struct sriov_error *err)
{
	sriov_error_set(err, -EBUSY, object, "not idle: %s%s%s%s", who, *how ? " (" : "", how,
			*how ? ")" : "");
	sriov_error_hint(err, "%s", hint);
	return sriov_error_status(err, SRIOV_REFUSED);
}

static int check_users(const struct sriov_pf *pf, struct sriov_error *err)
{
	char object[64];

	if (pf->uses.n)
		return not_idle(pf_label(pf), pf->uses.at[0].who, pf->uses.at[0].how,
				"probe another port of the same NIC model, or move the host's "
				"traffic away first",
				err);
	for (unsigned i = 0; pf->vf && i < pf->vfs; i++) {
		const struct sriov_vf *vf = &pf->vf[i];

		snprintf(object, sizeof(object), "vf %u of %s", vf->index, pf_label(pf));
		if (vf->uses.n)
			return not_idle(object, vf->uses.at[0].who, vf->uses.at[0].how,
					"stop or release who uses it, or probe another port of the "
					"same NIC model",
					err);
	}
	return 0;
}

static int check_idle(const struct change *change, struct sriov_error *err)
{
	const struct sriov_pf *pf = change->pf;
	char words[256];
	int r = check_users(pf, err);

	if (r < 0)
		return r;
	if (change->intent.nrules)
		return not_idle(pf_label(pf), "it has rules of ours", "",
				"probe before there are rules, or `sriovctl flow delete` them",
				err);
	if (!pf->nrules)
		return 0;
	sriov_entry_format(&pf->rules[0], words, sizeof(words));
	return not_idle(pf_label(pf), "it has rules that somebody else made", words,
			"who made them deletes them: `ethtool -N`", err);
}

static int check_driver(const struct sriov_pf *pf, struct sriov_error *err)
{
	if (!probe_has_driver(pf->driver)) {
		sriov_error_set(err, -EOPNOTSUPP, pf_label(pf),
				"no question is open for driver '%s'", pf->driver);
		return sriov_error_hint(err, "probes know ixgbe and i40e");
	}
	if (!pf->netdev[0])
		return sriov_error_set(err, -ENODEV, pf->address, "the PF has no network device");
	if (pf->ntuple == SRIOV_NTUPLE_ON || pf->ntuple == SRIOV_NTUPLE_OFF)
		return 0;
	return sriov_error_set(err, -EOPNOTSUPP, pf_label(pf),
			       "the driver has no ntuple filters on this NIC, or does not say");
}

/* Frames that a netdev receives must go no further. */
static int check_receiver(struct sriov_host *host, const char *netdev, struct sriov_error *err)
{
	struct netdev_facts facts;
	int r = host->ops->netdev(host, netdev, &facts, err);

	if (r < 0 || !facts.forwards)
		return r;
	sriov_error_set(err, -EBUSY, netdev,
			"this host forwards IPv4 that comes in on it, and might answer the test "
			"frames out of another port");
	sriov_error_hint(err, "for the time of the probe: sysctl -w net.ipv4.conf.%s.forwarding=0",
			 netdev);
	return sriov_error_status(err, SRIOV_REFUSED);
}

static int check_wire(const struct probe *probe, struct sriov_error *err)
{
	const struct sriov_pf *pf = probe->change.pf;
	const char *wire = probe->want->wire;
	struct netdev_facts facts;
	bool own = !strcmp(wire, pf->netdev);
	int r;

	for (unsigned i = 0; pf->vf && i < pf->vfs; i++)
		own = own || !strcmp(wire, pf->vf[i].netdev);
	if (own) {
		sriov_error_set(err, -EINVAL, wire,
				"this is the port itself, not what is at the "
				"other end of its cable");
		return sriov_error_hint(err, "give a netdev that is cabled to %s", pf_label(pf));
	}
	r = probe->change.host->ops->netdev(probe->change.host, wire, &facts, err);
	if (r < 0 || facts.up)
		return r;
	sriov_error_set(err, -ENETDOWN, wire, "the netdev at the other end of the cable is down");
	return sriov_error_hint(err, "ip link set %s up", wire);
}

/* A driver registers the netdev of a VF after it is bound (iavf: from a work queue), and udev may load it first. */
static bool netdev_to_come(const struct sriov_pf *pf, const struct sriov_vf *vf)
{
	const struct sriov_driver *driver = sriov_driver_find(pf->driver);

	if (vf->netdev[0] || !driver)
		return false;
	return vf->driver[0] ? !strcmp(vf->driver, driver->vf_driver) : pf->autoprobe;
}

/* Why @vf cannot be used, and what to do about it; false if it can. @waits: only its netdev is still to come. */
static bool unfit(const struct probe *probe, const struct sriov_vf *vf, char why[256],
		  const char **hint, bool *waits)
{
	const struct sriov_pf *pf = probe->change.pf;
	const struct sriov_driver *driver = sriov_driver_find(pf->driver);
	/* a VF that is named may be of any pool */
	const char *pool = probe->want->vf < 0 ? NULL : vf->pool;

	*hint = "give another one: --vf N";
	*waits = false;
	if (guest_vf_taken(pf, vf, pool, why, 256))
		return true;
	if (!vf->netdev[0]) {
		snprintf(why, 256, "it has no netdev to send and count with");
		*waits = netdev_to_come(pf, vf);
		*hint = *waits && vf->driver[0]
				? "a container may have it; else its driver may say why: dmesg | tail"
				: "sriovctl vf bind PF N --driver default";
		return true;
	}
	/* where its end resets the VF, the VF's driver makes the next one up at once */
	if (driver && (driver->traits & SRIOV_ATTR_RESETS_VF) && sriov_mac_is_zero(vf->attrs.mac)) {
		snprintf(why, 256,
			 "it has no MAC, and one that its driver makes up when the netdev "
			 "is set up would stay");
		*hint = "sriovctl vf set PF N --mac auto";
		return true;
	}
	return false;
}

/* Until one of the VFs can be probed with, or none that cannot is to get its netdev. */
static int await_netdev(struct probe *probe, struct sriov_error *err)
{
	struct change *change = &probe->change;
	const struct host_ops *ops = change->host->ops;
	int64_t deadline = ops->now_ms(change->host) +
			   apply_timeout_ms(change->opts->kernel_timeout);
	const volatile sig_atomic_t *stop = change->opts->interrupted;
	bool watched = false;

	for (;;) {
		const struct sriov_pf *pf = change->pf;
		bool to_come = false;
		int r;

		for (unsigned i = 0; pf->vf && i < pf->vfs; i++) {
			const struct sriov_vf *vf = &pf->vf[i];
			const char *hint;
			char why[256];
			bool waits;

			if (probe->want->vf >= 0 && vf->index != (unsigned)probe->want->vf)
				continue;
			if (!unfit(probe, vf, why, &hint, &waits))
				return 0;
			to_come = to_come || waits;
		}
		if (!to_come)
			return 0;
		/* what appears before the watch begins is seen by one more look */
		r = watched ? ops->wait(change->host, deadline, err)
			    : ops->watch(change->host, err);
		watched = true;
		if (r == -ETIMEDOUT)
			return 0;
		if (!r && stop && *stop)
			return sriov_error_set(err, -EINTR, pf_label(pf), "stopped by a signal");
		if (!r)
			r = change_read(change, err);
		/* a port that is used meanwhile is refused at once */
		if (!r)
			r = check_idle(change, err);
		if (r < 0)
			return r;
	}
}

static int choose_vf(struct probe *probe, struct sriov_error *err)
{
	const struct sriov_pf *pf = probe->change.pf;
	const char *hint = "sriovctl vf create PF --count 1 --mac auto";
	int asked = probe->want->vf;
	char why[256];
	bool waits;

	for (unsigned i = 0; pf->vf && i < pf->vfs; i++) {
		const struct sriov_vf *vf = &pf->vf[i];

		if (asked >= 0 && vf->index != (unsigned)asked)
			continue;
		if (!unfit(probe, vf, why, &hint, &waits)) {
			probe->vf = vf;
			return 0;
		}
	}
	if (asked >= 0 && pf_vf(pf, asked))
		sriov_error_set(err, -ENODEV, pf_label(pf), "VF %d cannot be probed with: %s",
				asked, why);
	else if (asked >= 0)
		sriov_error_set(err, -ENODEV, pf_label(pf), "there is no VF %d: the PF has %u VFs",
				asked, pf->vfs);
	else if (!pf->vfs)
		sriov_error_set(err, -ENODEV, pf_label(pf), "a VF is needed, and there is none");
	else
		sriov_error_set(err, -ENODEV, pf_label(pf),
				"no VF can be probed with; the last: %s", why);
	return sriov_error_hint(err, "%s", hint);
}

int probe_check(struct probe *probe, struct sriov_error *err)
{
	struct sriov_host *host = probe->change.host;
	int r = check_driver(probe->change.pf, err);

	if (!r)
		r = check_idle(&probe->change, err);
	if (!r)
		r = await_netdev(probe, err);
	if (!r)
		r = choose_vf(probe, err);
	if (!r && probe->want->wire)
		r = check_wire(probe, err);
	if (!r)
		r = check_receiver(host, probe->change.pf->netdev, err);
	return r ? r : check_receiver(host, probe->vf->netdev, err);
}
