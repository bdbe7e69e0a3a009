/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remote storage that the host uses, with the address it speaks to: mounts of NFS, SMB and Ceph, iSCSI
 * connections, NVMe over TCP or RDMA. A port that goes away under it can hang the host, root included.
 */
#include "lib/host/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int storage_address(const char *text, int *family, uint8_t addr[16])
{
	char copy[INET6_ADDRSTRLEN + 32];
	char *host = copy, *end;
	uint8_t bytes[16];

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	core_copy(copy, sizeof(copy), text);
	if (*host == '[') {
		host++;
		end = strchr(host, ']');
		if (!end)
			return -EINVAL;
		*end = '\0';
	} else if ((end = strchr(host, ':')) && !strchr(end + 1, ':')) {
		*end = '\0'; /* one colon: an IPv4 address and a port */
	}
	host[strcspn(host, "%")] = '\0';
	if (inet_pton(AF_INET, host, bytes) == 1)
		*family = AF_INET;
	else if (inet_pton(AF_INET6, host, bytes) == 1)
		*family = AF_INET6;
	else
		return -EINVAL;
	memcpy(addr, bytes, *family == AF_INET ? 4 : 16);
	return 0;
}

struct search {
	storage_fn fn;
	void *data;
	int r; /* of @fn, once it is not 0 */
};

static int report(struct search *search, struct storage *storage, const char *address)
{
	if (storage_address(address, &storage->family, storage->addr) < 0)
		return 0; /* a host name that is resolved elsewhere: the options have the address */
	search->r = search->fn(storage, search->data);
	return search->r;
}

/* Reports every address in a list that @separators split. */
static int report_list(struct search *search, struct storage *storage, char *list,
		       const char *separators)
{
	char *state = NULL;
	int r = 0;

	for (char *one = strtok_r(list, separators, &state); one && !r;
	     one = strtok_r(NULL, separators, &state))
		r = report(search, storage, one);
	return r;
}

/* Where each file system says whom it speaks to. */
static const struct {
	const char *type, *who;
	bool source; /* addresses are in the source, "a:6789,b:6789:/path" */
} remotes[] = {
	{"nfs", "NFS mount", false},  {"nfs4", "NFS mount", false}, {"cifs", "SMB mount", false},
	{"smb3", "SMB mount", false}, {"ceph", "Ceph mount", true},
};

static int look_at_options(struct search *search, struct storage *storage, char *options)
{
	char *state = NULL;
	int r = 0;

	for (char *option = strtok_r(options, ",", &state); option && !r;
	     option = strtok_r(NULL, ",", &state)) {
		if (!strncmp(option, "addr=", 5))
			r = report(search, storage, option + 5);
		else if (!strncmp(option, "mon_addr=", 9))
			r = report_list(search, storage, option + 9, "/");
	}
	return r;
}

/* A line of mountinfo(5): … mount-point … " - " type source options */
static int look_at_mount(struct search *search, char *line)
{
	char point[96], type[16], source[256], options[2048];
	char *rest = strstr(line, " - ");
	struct storage storage;
	char *path;
	int r = 0;

	if (!rest || sscanf(line, "%*s %*s %*s %*s %95s", point) != 1 ||
	    sscanf(rest, " - %15s %255s %2047s", type, source, options) != 3)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(remotes) && !r; i++) {
		if (strcmp(type, remotes[i].type) != 0)
			continue;
		core_copy(storage.who, sizeof(storage.who), remotes[i].who);
		snprintf(storage.how, sizeof(storage.how), "%.70s from %.80s", point, source);
		r = look_at_options(search, &storage, options);
		path = strstr(source, ":/");
		if (!r && remotes[i].source && path) {
			*path = '\0';
			r = report_list(search, &storage, source, ",");
		}
	}
	return r;
}

static int look_at_mounts(struct search *search, int proc)
{
	_free_ char *text = NULL;
	char *state = NULL;
	int r = core_read_file(proc, "self/mountinfo", 16 << 20, &text, NULL);

	if (r < 0)
		return r;
	for (char *line = strtok_r(text, "\n", &state); line && !r;
	     line = strtok_r(NULL, "\n", &state))
		r = look_at_mount(search, line);
	return r;
}

static int look_at_iscsi(int dir, const char *name, void *data)
{
	struct storage storage = {.who = "iSCSI"};
	char path[96], address[96];

	snprintf(path, sizeof(path), "%.40s/address", name);
	if (core_read_line(dir, path, address, sizeof(address)) < 0)
		return 0;
	snprintf(storage.how, sizeof(storage.how), "%.40s to %.90s", name, address);
	return report(data, &storage, address);
}

/* "traddr=10.0.0.5,trsvcid=4420,…"; the address of a PCI NVMe is one of PCI and of no concern */
static int look_at_nvme(int dir, const char *name, void *data)
{
	struct storage storage = {.who = "NVMe over fabrics"};
	char path[96], line[256], *address;

	snprintf(path, sizeof(path), "%.40s/address", name);
	if (core_read_line(dir, path, line, sizeof(line)) < 0)
		return 0;
	address = strstr(line, "traddr=");
	if (!address)
		return 0;
	address += strlen("traddr=");
	address[strcspn(address, ",")] = '\0';
	snprintf(storage.how, sizeof(storage.how), "%.40s to %.90s", name, address);
	return report(data, &storage, address);
}

int storage_each(int sys, int proc, storage_fn fn, void *data)
{
	struct search search = {.fn = fn, .data = data};
	int r = look_at_mounts(&search, proc);

	if (!r)
		r = sysfs_each(sys, "class/iscsi_connection", look_at_iscsi, &search);
	if (!r || r == -ENOENT)
		r = sysfs_each(sys, "class/nvme", look_at_nvme, &search);
	if (search.r)
		return search.r;
	return r == -ENOENT ? 0 : r;
}
