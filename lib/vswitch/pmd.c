/* SPDX-License-Identifier: Apache-2.0 */
/* Which PMD thread polls which queue: only ovs-vswitchd knows, and tells on its control socket. */
#include "lib/vswitch/live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/*
 * pmd thread numa_id 0 core_id 1:
 *   isolated : false
 *   port: vhu-web1          queue-id:  0 (enabled)   pmd usage:  0 %
 */
int pmd_parse_rxqs(const char *text, struct sriov_vswitch *out)
{
	int node = -1, core = -1;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		struct sriov_vswitch_rxq *rxq, found = {0};
		char enabled[16];

		if (sscanf(line, "pmd thread numa_id %d core_id %d:", &node, &core) == 2)
			continue;
		if (sscanf(line, " port: %63s queue-id: %u (%15[a-z])", found.port, &found.queue,
			   enabled) != 3)
			continue;
		rxq = core_grow(&out->rxq, &out->nrxqs, sizeof(*rxq));
		if (!rxq)
			return -ENOMEM;
		*rxq = found;
		rxq->core = core;
		rxq->node = node;
		rxq->enabled = !strcmp(enabled, "enabled");
	}
	return 0;
}

/* The socket is named after the program and its process: "ovs-vswitchd.1234.ctl", with Debian's DPDK another name. */
static char *find_socket(const char *rundir)
{
	_close_ int fd = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char end[32], *found = NULL;
	int64_t pid;
	DIR *dir;

	if (fd < 0 || core_read_number(fd, "ovs-vswitchd.pid", &pid) < 0)
		return NULL;
	snprintf(end, sizeof(end), ".%lld.ctl", (long long)pid);
	dir = fdopendir(fd);
	if (!dir)
		return NULL;
	core_steal_fd(&fd);
	for (struct dirent *entry; !found && (entry = readdir(dir));) {
		const char *name = entry->d_name, *at = strstr(name, end);

		if (!strncmp(name, "ovs-vswitchd", strlen("ovs-vswitchd")) && at &&
		    !at[strlen(end)])
			found = core_printf("%s/%s", rundir, name);
	}
	closedir(dir);
	return found;
}

int pmd_read_rxqs(const char *rundir, int64_t deadline, struct sriov_vswitch *out,
		  struct sriov_error *err)
{
	_cleanup_(jsonrpc_close)
	struct jsonrpc rpc = JSONRPC_CLOSED;
	_free_ char *path = find_socket(rundir);
	_json_ json_t *text = NULL;
	int r;

	if (!path) {
		sriov_error_set(err, -ENOENT, "ovs-vswitchd", "it has no control socket in %s",
				rundir);
		return sriov_error_hint(err, "start it: systemctl start openvswitch-switch");
	}
	r = jsonrpc_open(&rpc, "ovs-vswitchd", path, deadline, err);
	if (!r)
		r = jsonrpc_call(&rpc, "dpif-netdev/pmd-rxq-show", json_array(), deadline, &text,
				 err);
	if (!r && pmd_parse_rxqs(json_is_string(text) ? json_string_value(text) : "", out) < 0)
		r = core_oom(err);
	return r;
}
