/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows and meters of the live OVS, through ovs-ofctl(8): no library for OpenFlow is packaged. It is started without a
 * shell, and its input and output are files in memory, so that neither can hold the other up.
 */
#include "lib/vswitch/live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define OUTPUT_MAX (64u << 20)

extern char **environ;

static int memory_file(const char *text, struct sriov_error *err)
{
	_close_ int fd = memfd_create("ovs-ofctl", MFD_CLOEXEC);
	size_t size = text ? strlen(text) : 0;

	if (fd < 0)
		return core_errno(err, -errno, "ovs-ofctl", "no file in memory can be made");
	while (size) {
		ssize_t put = write(fd, text, size);

		if (put < 0 && errno != EINTR)
			return core_errno(err, -errno, "ovs-ofctl", "its input cannot be written");
		text += put > 0 ? put : 0;
		size -= put > 0 ? put : 0;
	}
	lseek(fd, 0, SEEK_SET);
	return core_steal_fd(&fd);
}

static char *read_back(int fd)
{
	char name[32], *text = NULL;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return core_read_file(AT_FDCWD, name, OUTPUT_MAX, &text, NULL) < 0 ? NULL : text;
}

static int start(const char *const *argv, const int files[3], pid_t *pid, struct sriov_error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	int r;

	if (posix_spawn_file_actions_init(&actions))
		return core_oom(err);
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&actions);
		return core_oom(err);
	}
	/* what of signals is the caller's is not the program's */
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, files[i], i);
	r = -posix_spawnp(pid, argv[0], &actions, &attributes, (char **)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (!r)
		return 0;
	core_errno(err, r, argv[0], "the program cannot be started");
	return sriov_error_hint(err, "install the package openvswitch-common");
}

/* Its exit status, or -errno, and the CPU time it took; a process that takes too long is killed. */
static int finish(pid_t pid, struct rusage *used, struct sriov_error *err)
{
	_close_ int fd = pidfd_open(pid, 0);
	int64_t deadline = core_monotonic_ms() + VSWITCH_TIMEOUT_MS;
	bool late = false;
	int status;

	while (fd >= 0 && !late) {
		struct pollfd ended = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - core_monotonic_ms();

		if (poll(&ended, 1, left > 0 ? left : 0) > 0)
			break;
		late = left <= 0;
	}
	if (late)
		kill(pid, SIGKILL);
	while (wait4(pid, &status, 0, used) < 0) {
		if (errno != EINTR)
			return core_errno(err, -errno, "ovs-ofctl", "its end was not seen");
	}
	if (late) {
		sriov_error_set(err, -ETIMEDOUT, "ovs-ofctl", "it did not end in %d s",
				VSWITCH_TIMEOUT_MS / 1000);
		return sriov_error_hint(err, "see whether ovs-vswitchd runs and is not stopped");
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The first line that tells what is wrong, without the program's name and time. */
static void first_words(char *words)
{
	char *at = words;

	/* "2026-11-26T18:36:30Z|00001|vconn|WARN|…" goes before what is said on its own behalf */
	while (strstr(at, "|WARN|") && strchr(at, '\n') && strstr(at, "|WARN|") < strchr(at, '\n'))
		at = strchr(at, '\n') + 1;
	if (!strncmp(at, "ovs-ofctl: ", strlen("ovs-ofctl: ")))
		at += strlen("ovs-ofctl: ");
	memmove(words, at, strlen(at) + 1);
	words[strcspn(words, "\n")] = '\0';
}

/*
 * ovs-ofctl -O OpenFlow14 @words… BRIDGE @last…; @input for "-". *@output and (on -EREMOTEIO) *@said are the
 * caller's.
 */
static int ofctl(const char *bridge, const char *const *words, const char *last, const char *input,
		 char **output, char **said, struct sriov_error *err)
{
	_free_ char *target = core_printf("unix:%s/%s.mgmt", ovs_rundir(), bridge);
	const char *argv[12] = {"ovs-ofctl", "-O", "OpenFlow14"};
	_close_ int in = memory_file(input, err), out = memory_file(NULL, err),
		    wrong = memory_file(NULL, err);
	int64_t began = ovs_now_us();
	struct rusage used;
	size_t n = 3;
	pid_t pid;
	int r;

	if (in < 0 || out < 0 || wrong < 0 || !target)
		return target ? -EIO : core_oom(err);
	while (*words)
		argv[n++] = *words++;
	argv[n++] = target;
	if (last)
		argv[n++] = last;
	r = start(argv, (const int[]){in, out, wrong}, &pid, err);
	if (!r)
		r = finish(pid, &used, err);
	if (r < 0)
		return r;
	core_log("ovs", "ovs-ofctl %s took %" PRId64 " us, %" PRId64 " us of CPU", argv[3],
		 ovs_now_us() - began,
		 (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
			 used.ru_utime.tv_usec + used.ru_stime.tv_usec);
	*output = read_back(r ? wrong : out);
	if (!*output)
		return core_oom(err);
	if (!r)
		return 0;
	*said = core_steal(*output);
	first_words(*said);
	if (strstr(*said, "connecting to"))
		vswitch_no_answer(bridge, err);
	else
		sriov_error_set(err, -EREMOTEIO, bridge, "the bridge does not take it");
	return sriov_error_kernel(err, "ovs-ofctl: %s", *said);
}

unsigned ovs_error_line(const char *words)
{
	unsigned line;

	return sscanf(words, "-:%u:", &line) == 1 ? line : 0;
}

static const char *line_of(const char *text, unsigned line, int *len)
{
	while (--line && *text) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	*len = strcspn(text, "\n");
	return text;
}

int ovs_flows(struct sriov_host *host, const char *bridge, const struct openflow *flows,
	      struct sriov_error *err)
{
	static const char *const words[] = {"--bundle", "add-flows", NULL};
	_free_ char *output = NULL, *said = NULL;
	int r = ofctl(bridge, words, "-", flows->text, &output, &said, err), len;
	unsigned line;
	const char *ours;

	if (r != -EREMOTEIO)
		return r;
	line = ovs_error_line(said);
	if (!line)
		return r;
	ours = line_of(flows->text, line, &len);
	sriov_error_set(err, -EREMOTEIO, bridge,
			"OVS does not take one of the flows, and so none: %.*s", len, ours);
	return sriov_error_kernel(err, "ovs-ofctl: %s", said);
}

/* The number behind @key in the line that begins at @line. */
static bool find_number(const char *line, const char *key, int base, uint64_t *out)
{
	const char *at = strstr(line, key), *end = line + strcspn(line, "\n");

	if (!at || at >= end)
		return false;
	*out = strtoull(at + strlen(key), NULL, base);
	return true;
}

int ovs_parse_flows(const char *text, struct vswitch_policy *out)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		struct vswitch_flow flow, *added;
		uint64_t table;

		if (!find_number(line, "cookie=0x", 16, &flow.cookie) ||
		    !find_number(line, "table=", 10, &table) ||
		    !find_number(line, "n_packets=", 10, &flow.packets) ||
		    (flow.cookie & OPENFLOW_COOKIE_MASK) != OPENFLOW_COOKIE)
			continue;
		flow.table = table;
		added = core_grow(&out->flow, &out->nflows, sizeof(*added));
		if (!added)
			return -ENOMEM;
		*added = flow;
	}
	return 0;
}

/* meter=65538 kbps burst bands=\n type=drop rate=1000 burst_size=128 */
int ovs_parse_meters(const char *text, struct vswitch_policy *out)
{
	struct openflow_meter *last = NULL;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		uint64_t id, rate, burst;

		if (find_number(line, "meter=", 10, &id)) {
			last = NULL;
			if (id < OPENFLOW_METER || id >= OPENFLOW_METER + OPENFLOW_METERS)
				continue;
			last = core_grow(&out->meter, &out->nmeters, sizeof(*last));
			if (!last)
				return -ENOMEM;
			last->id = id;
		}
		if (last && find_number(line, "rate=", 10, &rate))
			last->kbps = rate;
		if (last && find_number(line, "burst_size=", 10, &burst))
			last->burst = burst;
	}
	return 0;
}

int ovs_policy(struct sriov_host *host, const char *bridge, struct vswitch_policy *out,
	       struct sriov_error *err)
{
	static const char *const dump_flows[] = {"dump-flows", NULL};
	static const char *const dump_meters[] = {"dump-meters", NULL};
	_vswitch_policy_ struct vswitch_policy found = {0};
	_free_ char *flows = NULL, *meters = NULL, *said = NULL;
	char ours[64];
	int r;

	snprintf(ours, sizeof(ours), "cookie=0x%llx/0x%llx", OPENFLOW_COOKIE, OPENFLOW_COOKIE_MASK);
	r = ofctl(bridge, dump_flows, ours, NULL, &flows, &said, err);
	if (!r)
		r = ofctl(bridge, dump_meters, NULL, NULL, &meters, &said, err);
	if (r < 0)
		return r;
	if (ovs_parse_flows(flows, &found) < 0 || ovs_parse_meters(meters, &found) < 0)
		return core_oom(err);
	*out = found;
	found = (struct vswitch_policy){0};
	return 0;
}

static int meter(const char *bridge, const char *verb, const char *text, struct sriov_error *err)
{
	const char *const words[] = {verb, NULL};
	_free_ char *output = NULL, *said = NULL;
	int r = ofctl(bridge, words, text, NULL, &output, &said, err);

	return r == -EREMOTEIO && strstr(said, "METER_EXISTS") ? -EEXIST : r;
}

int ovs_meter_set(struct sriov_host *host, const char *bridge, const struct openflow_meter *want,
		  struct sriov_error *err)
{
	char text[96];
	int r;

	snprintf(text, sizeof(text),
		 "meter=%" PRIu32 ",kbps,burst,band=type=drop,rate=%" PRIu32 ",burst_size=%" PRIu32,
		 want->id, want->kbps, want->burst);
	r = meter(bridge, "add-meter", text, err);
	return r == -EEXIST ? meter(bridge, "mod-meter", text, err) : r;
}

int ovs_meter_del(struct sriov_host *host, const char *bridge, uint32_t id, struct sriov_error *err)
{
	char text[32];

	snprintf(text, sizeof(text), "meter=%" PRIu32, id);
	return meter(bridge, "del-meter", text, err);
}
