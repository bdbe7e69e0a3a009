/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused before anything is tried: whom a plan would hit, and what a driver cannot do. */
#include "lib/plan/ruleset.h"
#include "lib/plan/step.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "guest web1 (running) [/run/…], …" into @buf. */
static void name_uses(const struct sriov_uses *uses, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < uses->n && used + 1 < size; i++)
		used += snprintf(buf + used, size - used, "%s%s (%s)", i ? ", " : "",
				 uses->at[i].who, uses->at[i].how);
}

static bool has_running(const struct sriov_uses *uses)
{
	for (size_t i = 0; i < uses->n; i++)
		if (uses->at[i].running || uses->at[i].unreadable)
			return true;
	return false;
}

/* Whether @step hits somebody on @vf: a reset of the port hits who runs, the rest whoever has it. */
static bool hits(const struct step *step, const struct sriov_vf *vf)
{
	if (step->hits_port && has_running(&vf->uses))
		return true;
	return step->hits_vf && vf->uses.n &&
	       (step->kind == STEP_NUMVFS || step->number == vf->index);
}

/* Whether all that uses @vf is its netdev being up, which @steps end: so a probe that was killed left it. */
static bool ends_use(const struct steps *steps, const struct sriov_vf *vf)
{
	if (vf->uses.n != 1 || !vf->netdev_up || vf->master[0] ||
	    strcmp(vf->uses.at[0].who, "host"))
		return false;
	for (size_t i = 0; i < steps->n; i++)
		if (steps->at[i].kind == STEP_VF_UP && !steps->at[i].on &&
		    steps->at[i].number == vf->index)
			return true;
	return false;
}

/* Names every VF that the steps would hit and its users. */
static int guard_vfs(const struct sriov_pf *now, const struct steps *steps, struct sriov_error *err)
{
	char object[64] = "", first[300] = "", names[300], text[700] = "";
	size_t used = 0;
	unsigned found = 0;

	for (unsigned v = 0; now->vf && v < now->vfs; v++) {
		const struct sriov_vf *vf = &now->vf[v];
		size_t i = 0;

		while (i < steps->n && !hits(&steps->at[i], vf))
			i++;
		if (i == steps->n || ends_use(steps, vf))
			continue;
		name_uses(&vf->uses, names, sizeof(names));
		if (!found++) {
			snprintf(object, sizeof(object), "vf %u of %s", vf->index, pf_label(now));
			core_copy(first, sizeof(first), names);
		}
		if (used < sizeof(text))
			used += snprintf(text + used, sizeof(text) - used, "%svf %u by %s",
					 used ? "; " : "", vf->index, names);
	}
	if (!found)
		return 0;
	if (found == 1)
		sriov_error_set(err, -EBUSY, object, "in use by %s", first);
	else
		sriov_error_set(err, -EBUSY, pf_label(now), "%u of its VFs are in use: %s", found,
				text);
	sriov_error_hint(err, "stop or release the users first (`sriovctl guest detach`, `virsh "
			      "shutdown`, `ip link set … down`), or pass --force to hit them");
	return sriov_error_status(err, SRIOV_REFUSED);
}

static int guard_host(const struct sriov_pf *now, const struct step *step, struct sriov_error *err)
{
	struct sriov_step_text text;
	char names[400];

	name_uses(&now->uses, names, sizeof(names));
	step_describe(now, step, &text);
	sriov_error_set(err, -EBUSY, pf_label(now),
			"the port carries the host's own traffic: %s; this step would %s it: %s",
			names, step->kind == STEP_PF_BIND ? "end" : "reset", text.what);
	sriov_error_hint(err, "move that traffic to another port, or pass --disrupt-pf to %s",
			 step->kind == STEP_PF_BIND ? "end it" : "interrupt it for some seconds");
	return sriov_error_status(err, SRIOV_REFUSED);
}

int steps_guard(const struct sriov_pf *now, const struct steps *steps, bool force, bool disrupt_pf,
		struct sriov_error *err)
{
	for (size_t i = 0; now->uses.n && !disrupt_pf && i < steps->n; i++)
		if (steps->at[i].hits_port)
			return guard_host(now, &steps->at[i], err);
	return force ? 0 : guard_vfs(now, steps, err);
}

static int refuse_attr(const struct sriov_pf *pf, unsigned vf, int code, const char *hint,
		       struct sriov_error *err, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

static int refuse_attr(const struct sriov_pf *pf, unsigned vf, int code, const char *hint,
		       struct sriov_error *err, const char *fmt, ...)
{
	char object[64], text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(object, sizeof(object), "vf %u of %s", vf, pf_label(pf));
	sriov_error_set(err, code, object, "%s", text);
	return sriov_error_hint(err, "%s", hint);
}

static int check_rate(const struct sriov_pf *pf, const struct sriov_driver *driver, unsigned vf,
		      const struct sriov_vf_attrs *attrs, struct sriov_error *err)
{
	unsigned limit = driver->rate_max_mbps;

	if (!attrs->max_rate && !attrs->min_rate)
		return 0;
	if (!sriov_driver_has_rate(driver, pf->device))
		return refuse_attr(pf, vf, -EOPNOTSUPP,
				   "limit the guest's rate in the guest's XML or switch instead",
				   err, "%s has no VF rate on this device", driver->name);
	if (attrs->min_rate && !driver->min_rate)
		return refuse_attr(pf, vf, -EOPNOTSUPP, "leave --min-rate out", err,
				   "%s has no guaranteed (minimum) VF rate", driver->name);
	if (attrs->max_rate < driver->rate_min_mbps || (limit && attrs->max_rate > limit))
		return refuse_attr(
			pf, vf, -EOPNOTSUPP, "0 means unlimited", err,
			"max rate %u Mbit/s is out of the driver's range: %s takes %u..%u",
			attrs->max_rate, driver->name, driver->rate_min_mbps,
			limit ? limit : 100000);
	if (driver->rate_step_mbps && attrs->max_rate % driver->rate_step_mbps)
		return refuse_attr(
			pf, vf, -EOPNOTSUPP, "give a multiple", err,
			"max rate %u Mbit/s: the hardware of %s rounds down to a multiple of %u",
			attrs->max_rate, driver->name, driver->rate_step_mbps);
	return 0;
}

static int check_attrs(const struct sriov_pf *pf, const struct vf_state *vf,
		       struct sriov_error *err)
{
	const struct sriov_driver *driver = sriov_driver_find(pf->driver);
	const struct sriov_vf_attrs *attrs = &vf->attrs;
	char mac[SRIOV_MAC_LEN];

	if ((attrs->has & SRIOV_VF_MAC) && (attrs->mac[0] & 1))
		return refuse_attr(
			pf, vf->index, -EINVAL, "give a unicast address: the first octet even", err,
			"MAC %s is a multicast address", sriov_mac_format(attrs->mac, mac));
	if (!driver)
		return 0;
	if ((attrs->has & SRIOV_VF_VLAN) && attrs->vlan_proto == 0x88a8 && !driver->vlan_8021ad)
		return refuse_attr(pf, vf->index, -EOPNOTSUPP, "use 802.1Q", err,
				   "%s knows only VLAN protocol 802.1Q for VFs", driver->name);
	if ((attrs->has & SRIOV_VF_LINK) && !(driver->link_states & 1u << attrs->link) &&
	    !(attrs->link == SRIOV_LINK_AUTO && !driver->link_states))
		return refuse_attr(pf, vf->index, -EOPNOTSUPP,
				   "leave --link-state out, or use one that has an effect", err,
				   "%s has no such VF link state, or takes it without effect",
				   driver->name);
	return (attrs->has & SRIOV_VF_RATE) ? check_rate(pf, driver, vf->index, attrs, err) : 0;
}

static int check_count(const struct sriov_pf *pf, unsigned count, struct sriov_error *err)
{
	const struct sriov_driver *driver = sriov_driver_find(pf->driver);
	unsigned limit = pf->vfs_total;
	const char *whose = "the device's (sriov_totalvfs)";

	if (driver && driver->vfs_max && driver->vfs_max < limit) {
		limit = driver->vfs_max;
		whose = "the driver's";
	}
	if (count <= limit)
		return 0;
	sriov_error_set(err, -ERANGE, pf_label(pf),
			"%u VFs are more than the %u that this port can have; the limit is %s",
			count, limit, whose);
	return sriov_error_hint(err, "ask for at most %u", limit);
}

static int check_vfio(const struct sriov_inventory *inv, const struct sriov_pf *now,
		      struct sriov_error *err)
{
	if (!inv->iommu) {
		sriov_error_set(err, -ENODEV, pf_label(now),
				"vfio-pci needs an IOMMU, and the kernel has none active");
		return sriov_error_hint(err, "boot with intel_iommu=on (or amd_iommu=on) and VT-d "
					     "enabled in the firmware");
	}
	if (inv->vfio != SRIOV_NO)
		return 0;
	sriov_error_set(err, -ENODEV, pf_label(now), "the driver vfio-pci is not loaded");
	return sriov_error_hint(err, "modprobe vfio-pci");
}

/* A port that user space has takes nothing but another driver. */
static int check_driver(const struct sriov_inventory *inv, const struct sriov_pf *now,
			const struct pf_state *want, struct sriov_error *err)
{
	if ((want->has & STATE_DRIVER) && !strcmp(want->driver, "vfio-pci"))
		return state_rebinds(now, want) ? check_vfio(inv, now, err) : 0;
	if (strcmp(now->driver, "vfio-pci") != 0 || (want->has & STATE_DRIVER) ||
	    (!want->has && !want->nvf && !want->nrules))
		return 0;
	sriov_error_set(err, -ENODEV, pf_label(now),
			"vfio-pci has the port, so that the kernel has neither a netdev nor rules "
			"of it");
	if (want->has & STATE_COUNT)
		return sriov_error_hint(
			err,
			"`sriovctl pf bind %s --driver default` gives it back; the kernel could "
			"make VFs of it as it is (enable_sriov of vfio-pci), but whoever opens "
			"one must know the VF token of the port's owner, which libvirt has no "
			"word for: no guest could have them",
			now->address);
	return sriov_error_hint(err,
				"`sriovctl pf bind %s --driver default` gives it back; rules "
				"of a port of DPDK: `flow apply --backend rte`",
				now->address);
}

int steps_check(const struct sriov_inventory *inv, const struct sriov_pf *now,
		const struct pf_state *want, struct sriov_error *err)
{
	int r = check_driver(inv, now, want, err);

	if (!r && (want->has & STATE_COUNT))
		r = check_count(now, want->count, err);

	for (size_t i = 0; !r && i < want->nvf; i++) {
		r = check_attrs(now, &want->vf[i], err);
		if (!r && want->vf[i].has_driver && !strcmp(want->vf[i].driver, "vfio-pci"))
			r = check_vfio(inv, now, err);
	}
	return r;
}

/* Rules that nobody asked to change, and which the plan puts in again after they were wiped. */
static int returning_rules(const struct pf_state *want, const struct steps *steps,
			   struct sriov_rules *out)
{
	out->at = calloc(steps->n + 1, sizeof(*out->at));
	if (!out->at)
		return -ENOMEM;
	for (size_t i = 0; i < steps->n; i++) {
		const struct sriov_entry *entry = &steps->at[i].entry;

		if (steps->at[i].kind != STEP_RULE_INSERT || state_find_rule(want, entry->loc))
			continue;
		ruleset_of_entry(entry, &out->at[out->n]);
		out->at[out->n++].loc = entry->loc;
	}
	return 0;
}

int steps_check_rules(const struct sriov_pf *now, const struct pf_state *want,
		      const struct steps *steps, struct sriov_error *err)
{
	static const struct sriov_compile anything = {.allow = ~0u};
	struct sriov_compiled compiled = {0};
	struct sriov_rules list = {0};
	struct sriov_pf then = *now;
	int r;

	/* how many queues a port has once its last VF is gone is known only then */
	if (!(want->has & STATE_COUNT) || !want->count || now->vfs ||
	    !sriov_driver_find(now->driver))
		return 0;
	then.vfs = want->count;
	then.vf = NULL;
	then.queues = sriov_driver_queues(sriov_driver_find(now->driver), now->device, want->count,
					  now->queues);
	then.ntuple = SRIOV_NTUPLE_ON;
	then.nrules = 0;
	r = returning_rules(want, steps, &list) < 0 ? core_oom(err) : 0;
	if (!r)
		r = sriov_rules_compile(&list, &then, &anything, &compiled, err);
	/* only what the driver itself refuses counts: the rest was so before */
	if (r == -ENOTSUP)
		r = 0;
	for (size_t i = 0; !r && i < compiled.nrules; i++) {
		char words[RULE_WORDS] = "";

		r = compiled.verdict[i].err;
		if (!r)
			continue;
		sriov_rule_format(&list.at[i], words, sizeof(words));
		sriov_error_set(
			err, r, pf_label(now),
			"with %u VFs (and %u queues) the driver would not take this rule of "
			"its table again: %s: %s",
			want->count, then.queues, words, compiled.verdict[i].why);
		sriov_error_hint(err, "delete that rule first, or give it another target");
	}
	sriov_compiled_clear(&compiled);
	sriov_rules_clear(&list);
	return r;
}

int steps_check_rss(const struct sriov_pf *now, const struct pf_state *want,
		    struct sriov_error *err)
{
	unsigned queues;

	/* how many queues a port has is known of its driver alone */
	if (!(want->has & STATE_RSS) || !(want->has & STATE_COUNT) || !want->count || now->vfs ||
	    state_rebinds(now, want) || state_waits(want))
		return 0;
	queues = sriov_driver_queues(sriov_driver_find(now->driver), now->device, want->count,
				     now->queues);
	for (size_t i = 0; i < want->nrss; i++) {
		if (want->rss[i] < queues)
			continue;
		sriov_error_set(
			err, -ERANGE, pf_label(now),
			"with %u VFs the PF has %u RX queues, and its RSS table uses queue %u",
			want->count, queues, want->rss[i]);
		return sriov_error_hint(err, "sriovctl rss set %s queues 0-%u, then this again",
					now->address, queues - 1);
	}
	return 0;
}

int steps_guard_rules(const struct sriov_pf *now, const struct pf_state *intent,
		      const struct pf_state *want, const struct steps *steps,
		      struct sriov_error *err)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct step *step = &steps->at[i];
		const struct rule_state *ours, *to;
		char words[256];

		if (step->kind != STEP_RULE_DELETE)
			continue;
		ours = state_find_rule(intent, step->entry.loc);
		to = state_find_rule(want, step->entry.loc);
		/* what only goes and comes back, or goes with its VF, is not replaced */
		if (!to || sriov_entry_same(&to->entry, &step->entry) ||
		    (ours && ours->present && sriov_entry_same(&ours->entry, &step->entry)))
			continue;
		sriov_entry_format(&step->entry, words, sizeof(words));
		sriov_error_set(
			err, -EEXIST, pf_label(now),
			"location %u, which is rule %s's, holds something that somebody else "
			"put there: %s",
			step->entry.loc, to->name, words);
		sriov_error_hint(
			err,
			"delete it (ethtool -N %s delete %u), or pass --force to replace it; "
			"`sriovctl flow diff` shows all of them",
			pf_label(now), step->entry.loc);
		return sriov_error_status(err, SRIOV_REFUSED);
	}
	return 0;
}
