/* SPDX-License-Identifier: Apache-2.0 */
/* sriovctl nova: what OpenStack Nova is told of this host, and which kind of port would get a VF here. */
#include "cmd/sriovctl/args.h"
#include "cmd/sriovctl/out.h"

#include <sriov/nova.h>

#include <errno.h>
#include <stdio.h>

int cmd_nova_conf(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	unsigned release = SRIOV_NOVA_RELEASE;
	_free_ char *text = NULL;
	int r = args->nova_release ? sriov_nova_release(args->nova_release, &release, err) : 0;

	if (!r)
		r = sriov_nova_conf(host, release, &text, err);
	if (r < 0)
		return r;
	if (!out->doc) {
		fputs(text, stdout);
		return 0;
	}
	r = out_add(out, "release", json_integer(release), err);
	return r ? r : out_add(out, "conf", out_text(text), err);
}

int cmd_nova_plan(const struct args *args, struct sriov_host *host, struct out *out,
		  struct sriov_error *err)
{
	struct sriov_nova_answer answer = {0};
	const char *word;
	int r;

	if (!args->guest.net) {
		sriov_error_set(err, -EINVAL, "nova plan", "no network is given");
		return sriov_error_hint(err, "--net PHYSNET: the provider:physical_network of the "
					     "port's network");
	}
	r = sriov_nova_plan(host, args->guest.net, args->node, args->guest.policy.numa, &answer,
			    err);
	if (r < 0)
		return r;
	word = answer.direct ? "direct" : "normal";
	if (!out->doc) {
		printf("%s\t%s\n", word, answer.reason);
		return 0;
	}
	r = out_add(out, "vnic_type", out_text(word), err);
	return r ? r : out_add(out, "reason", out_text(answer.reason), err);
}
