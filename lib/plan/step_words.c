/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of step says of itself. */
#include "lib/guest/choose.h"
#include "lib/guest/virt.h"
#include "lib/plan/bridge.h"
#include "lib/plan/vlan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add_text(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add_text(char *buf, size_t size, const char *fmt, ...)
{
	size_t used = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + used, size - used, fmt, ap);
	va_end(ap);
}

static const char *link_word(unsigned link)
{
	static const char *const words[] = {"auto", "enable", "disable"};

	return link < ARRAY_SIZE(words) ? words[link] : "?";
}

static void describe_attrs(const struct sriov_vf_attrs *attrs, char *buf, size_t size)
{
	char mac[SRIOV_MAC_LEN];

	if (attrs->has & SRIOV_VF_MAC)
		add_text(buf, size, " mac %s", sriov_mac_format(attrs->mac, mac));
	if (attrs->has & SRIOV_VF_VLAN) {
		add_text(buf, size, " vlan %u", attrs->vlan);
		if (attrs->qos)
			add_text(buf, size, " qos %u", attrs->qos);
		if (attrs->vlan_proto == 0x88a8)
			add_text(buf, size, " proto 802.1ad");
	}
	if (attrs->has & SRIOV_VF_SPOOFCHK)
		add_text(buf, size, " spoofchk %s", attrs->spoofchk ? "on" : "off");
	if (attrs->has & SRIOV_VF_TRUST)
		add_text(buf, size, " trust %s", attrs->trust ? "on" : "off");
	if (attrs->has & SRIOV_VF_LINK)
		add_text(buf, size, " link-state %s", link_word(attrs->link));
	if (attrs->has & SRIOV_VF_RATE) {
		add_text(buf, size, " max-rate %u Mbit/s", attrs->max_rate);
		if (attrs->min_rate)
			add_text(buf, size, " min-rate %u Mbit/s", attrs->min_rate);
	}
}

static void describe_frames(const struct step *step, char *buf, size_t size)
{
	const struct exchange *what = step->exchange;

	if (what->until_one)
		snprintf(buf, size,
			 "send test frames from %s to %s, one by one until one arrives (at "
			 "most %u)",
			 what->from, what->to, what->count);
	else
		snprintf(buf, size,
			 "send %u test frames from %s to %s%s, and count where they arrive",
			 what->count, what->from, what->to,
			 step->has_entry ? " while the rule stands" : "");
}

/* Equal parts over a range of queues, or a table that nobody but its maker has a word for. */
static void describe_rss(const struct sriov_pf *pf, const struct step *step, char *buf, size_t size)
{
	size_t i = 1;

	while (i < step->nrss && step->rss[i] == step->rss[0] + i)
		i++;
	if (i == step->nrss)
		snprintf(buf, size, "spread what no rule catches over RX queues %u-%u of %s (RSS)",
			 step->rss[0], step->rss[i - 1], pf_label(pf));
	else
		snprintf(buf, size, "bring back the RSS table of %s (%zu entries)", pf_label(pf),
			 step->nrss);
}

/* "attach VF 3 of ens2f0 to web1, in its definition" */
static void describe_device(const struct sriov_pf *pf, const struct step *step, char *buf,
			    size_t size)
{
	const struct sriov_lease *lease = step->lease;
	const char *where = step->live ? "while it runs" : "in its definition";
	struct guest_device device[GUEST_DEVICES];
	char what[80];

	guest_lease_devices(lease, device);
	if (device[step->number].path == GUEST_VF)
		snprintf(what, sizeof(what), "VF %d of %s", lease->vf, pf_label(pf));
	else if (device[step->number].path == GUEST_VHOSTUSER)
		snprintf(what, sizeof(what), "vhost-user port %s", guest_lease_port(lease));
	else
		snprintf(what, sizeof(what), "a %s on %s",
			 guest_path_words[device[step->number].path], device[step->number].netdev);
	if (step->kind == STEP_LIMIT && step->limit)
		snprintf(buf, size, "limit what %s sends by %s to %u Mbit/s, %s", lease->guest,
			 what, lease->attrs.max_rate, where);
	else if (step->kind == STEP_LIMIT)
		snprintf(buf, size, "no longer limit what %s sends by %s, %s", lease->guest, what,
			 where);
	else
		snprintf(buf, size, "%s %s %s %s, %s%s", step->on ? "attach" : "detach", what,
			 step->on ? "to" : "from", lease->guest, where,
			 step->awaited ? ", and wait until it uses it" : "");
}

static void describe_effect(const struct sriov_pf *pf, const struct step *step, char *buf,
			    size_t size)
{
	char words[256] = "";

	switch (step->kind) {
	case STEP_PF_BIND:
		if (!strcmp(step->driver, BIND_ANY_DEFAULT))
			snprintf(buf, size, "give %s back to the kernel's own driver", pf->address);
		else if (step->driver[0])
			snprintf(buf, size, "give %s to %s", pf->address, step->driver);
		else
			snprintf(buf, size, "take %s from its driver", pf->address);
		break;
	case STEP_PF_UP:
		snprintf(buf, size, "set %s %s", pf_label(pf), step->on ? "up" : "down");
		break;
	case STEP_NTUPLE:
		snprintf(buf, size, "switch ntuple filters %s", step->on ? "on" : "off");
		break;
	case STEP_AUTOPROBE:
		snprintf(buf, size, "%s new VFs (sriov_drivers_autoprobe %d)",
			 step->on ? "let the kernel bind its driver to"
				  : "keep the kernel's driver off",
			 step->on);
		break;
	case STEP_NUMVFS:
		if (step->number)
			snprintf(buf, size, "create %u VFs (sriov_numvfs)", step->number);
		else
			snprintf(buf, size, "delete all %u VFs (sriov_numvfs 0)", pf->vfs);
		break;
	case STEP_VF_SET:
	case STEP_RATE:
		snprintf(buf, size, "vf %u:", step->number);
		describe_attrs(&step->attrs, buf, size);
		break;
	case STEP_BIND:
		snprintf(buf, size, "vf %u: %s%s", step->number,
			 step->driver[0] ? "bind to " : "unbind from its driver",
			 !strcmp(step->driver, BIND_ANY_DEFAULT) ? "the kernel's own driver"
								 : step->driver);
		break;
	case STEP_VF_UP:
		snprintf(buf, size, "vf %u: set its netdev %s", step->number,
			 step->on ? "up" : "down");
		break;
	case STEP_FRAMES:
		describe_frames(step, buf, size);
		break;
	case STEP_RSS:
		describe_rss(pf, step, buf, size);
		break;
	case STEP_RULE_DELETE:
	case STEP_RULE_INSERT:
		sriov_entry_format(&step->entry, words, sizeof(words));
		snprintf(buf, size, "%s rule%s%s at location %u: %s",
			 step->kind == STEP_RULE_INSERT ? "install" : "delete",
			 step->name[0] ? " " : "", step->name, step->entry.loc, words);
		break;
	case STEP_DEVICE:
	case STEP_LIMIT:
		describe_device(pf, step, buf, size);
		break;
	case STEP_BRIDGE:
	case STEP_PORT:
	case STEP_POLICY:
	case STEP_FDB:
	case STEP_MTU:
		bridge_describe(pf, step, buf, size);
		break;
	case STEP_NETDEV:
		vlan_describe(pf, step, buf, size);
		break;
	case STEP_LINK:
		if (step->number)
			snprintf(buf, size, "wait for the link of %s at %u Mbit/s", pf->netdev,
				 step->number);
		else
			snprintf(buf, size, "wait for the link of %s", pf->netdev);
		break;
	}
}

static void describe_disruption(const struct sriov_pf *pf, const struct step *step, char *buf,
				size_t size)
{
	const struct sriov_driver *driver = sriov_driver_find(pf->driver);

	buf[0] = '\0';
	if (step->kind == STEP_NUMVFS && !step->number)
		add_text(buf, size, "every VF of the PF goes; ");
	if (step->kind == STEP_PF_BIND && pf->netdev[0])
		add_text(buf, size,
			 "netdev %s goes, with its addresses, its rules (%zu) and what `ip link` "
			 "says of VFs; ",
			 pf->netdev, pf->nrules);
	else if (step->hits_port && step->kind != STEP_PF_BIND)
		add_text(buf, size, "resets the port: its link goes down for seconds; ");
	if (step->kind == STEP_VF_SET && driver && (driver->traits & SRIOV_ATTR_RESETS_VF))
		add_text(buf, size, "resets the VF; ");
	if (step->kind == STEP_RSS)
		add_text(buf, size, "for all traffic of the port, its flows change queues; ");
	if (step->kind == STEP_DEVICE && step->live && !step->on)
		add_text(buf, size, "the guest loses the device; ");
	if (step->kind == STEP_BIND && step->hits_vf)
		add_text(buf, size, "takes the VF from its driver; ");
	if (*buf)
		buf[strlen(buf) - 2] = '\0';
}

/* What a kind of step is about, and whether that comes, goes or changes. */
static void describe_object(const struct step *step, struct sriov_step_text *out)
{
	out->sign = '~';
	core_copy(out->object, sizeof(out->object), "port");
	switch (step->kind) {
	case STEP_NUMVFS:
		out->sign = step->number ? '+' : '-';
		break;
	case STEP_VF_SET:
	case STEP_RATE:
	case STEP_BIND:
	case STEP_VF_UP:
		snprintf(out->object, sizeof(out->object), "vf %u", step->number);
		break;
	case STEP_RULE_DELETE:
	case STEP_RULE_INSERT:
		out->sign = step->kind == STEP_RULE_INSERT ? '+' : '-';
		if (step->name[0])
			snprintf(out->object, sizeof(out->object), "rule %s", step->name);
		else
			snprintf(out->object, sizeof(out->object), "rule at location %u",
				 step->entry.loc);
		break;
	case STEP_DEVICE:
		out->sign = step->on ? '+' : '-';
		snprintf(out->object, sizeof(out->object), "guest %s", step->lease->guest);
		break;
	case STEP_LIMIT:
		snprintf(out->object, sizeof(out->object), "guest %s", step->lease->guest);
		break;
	case STEP_BRIDGE:
	case STEP_PORT:
	case STEP_POLICY:
	case STEP_FDB:
	case STEP_MTU:
		core_copy(out->object, sizeof(out->object), "bridge");
		break;
	case STEP_NETDEV:
		out->sign = step->on ? '+' : '-';
		core_copy(out->object, sizeof(out->object), step->name);
		break;
	default:
		break;
	}
}

void step_describe(const struct sriov_pf *pf, const struct step *step, struct sriov_step_text *out)
{
	*out = (struct sriov_step_text){.state = step->state};
	describe_effect(pf, step, out->what, sizeof(out->what));
	describe_disruption(pf, step, out->disrupts, sizeof(out->disrupts));
	describe_object(step, out);
}
