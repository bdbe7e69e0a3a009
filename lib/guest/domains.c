/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which domain names which VF, read from libvirt's own files: a VF of a defined guest looks unused to the
 * kernel, and libvirt cannot be asked from inside its hooks (the call would wait for itself).
 */
#include "lib/guest/domxml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A directory being read, and what of it could not be. */
struct scan {
	struct sriov_inventory *inv;
	const char *dir;
	bool running; /* its domains have a QEMU process */
	unsigned unread;
	char first_unread[256];
};

static void unread(struct scan *scan, const char *name, const char *why)
{
	if (!scan->unread++)
		snprintf(scan->first_unread, sizeof(scan->first_unread), "%s%s%s: %.120s",
			 scan->dir, *name ? "/" : "", name, why);
}

static struct sriov_vf *find_vf(struct sriov_inventory *inv, const char *address)
{
	for (size_t i = 0; i < inv->npfs; i++)
		for (unsigned v = 0; inv->pf[i].vf && v < inv->pf[i].vfs; v++)
			if (!strcmp(inv->pf[i].vf[v].address, address))
				return &inv->pf[i].vf[v];
	return NULL;
}

/*
 * Where a PCI device stands in a domain: given whole, as an interface, or, for an interface from a
 * libvirt network, in the <actual> that only the files of running domains have.
 */
static const struct {
	const char *path;
	bool interface; /* libvirt sets its MAC and VLAN */
} places[] = {
	{"//devices/hostdev[@type='pci']/source/address", false},
	{"//devices/interface[@type='hostdev']/source/address[not(@type) or @type='pci']", true},
	{"//devices/interface/actual[@type='hostdev']/source/address[not(@type) or @type='pci']",
	 true},
};

/* "guest web1 (defined)"; of a running one the state that libvirt wrote: "guest web1 (paused)". */
static void say_who(struct xml_doc *xml, xmlNodePtr domain, bool running, char *buf, size_t size)
{
	xmlNodePtr node = xml_child(domain, "name");
	_free_ char *name = node ? xml_text(xml, node) : NULL;
	_free_ char *state = running ? xml_attr(xml, xml->root, "state") : NULL;

	snprintf(buf, size, "guest %.*s (%.16s)", SRIOV_NAME_LEN - 1,
		 name ? name : "without a name",
		 !running          ? "defined"
		 : state && *state ? state
				   : "running");
}

int domain_pci_devices(struct xml_doc *xml, struct guest_pci **out, size_t *n, bool *odd,
		       struct sriov_error *err)
{
	_free_ struct guest_pci *list = NULL;
	size_t count = 0;

	*odd = false;
	for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
		_free_ xmlNodePtr *nodes = NULL;
		size_t found = 0;
		int r = xml_select(xml, places[p].path, &nodes, &found, err);

		if (r < 0)
			return r;
		for (size_t i = 0; i < found; i++) {
			char address[SRIOV_PCI_LEN];
			struct guest_pci *device;

			if (domain_pci_address(xml, nodes[i], address) < 0) {
				*odd = true;
				continue;
			}
			device = core_grow(&list, &count, sizeof(*device));
			if (!device)
				return core_oom(err);
			core_copy(device->address, sizeof(device->address), address);
			device->interface = places[p].interface;
		}
	}
	if (xml->oom)
		return core_oom(err);
	*out = core_steal(list);
	*n = count;
	return 0;
}

int guest_xml_pci(const char *text, struct guest_pci **out, size_t *n, struct sriov_error *err)
{
	_domain_ struct domain domain = {0};
	_free_ struct guest_pci *list = NULL;
	size_t count = 0;
	bool odd = false;
	int r = domain_parse(text, &domain, err);

	if (!r)
		r = domain_pci_devices(&domain.xml, &list, &count, &odd, err);
	if (!r && odd)
		r = sriov_error_set(err, -EINVAL, domain.object,
				    "the PCI address of one of its devices is malformed");
	if (r < 0)
		return r;
	*out = core_steal(list);
	*n = count;
	return 0;
}

/* Adds the uses of one parsed file. 1: it names a device in a way that is not understood. */
static int add_uses(struct scan *scan, struct xml_doc *xml, const char *file,
		    struct sriov_error *err)
{
	xmlNodePtr domain = xml_is(xml->root, "domain") ? xml->root
							: xml_child(xml->root, "domain");
	char who[sizeof(((struct sriov_use *)0)->who)];
	_free_ struct guest_pci *devices = NULL;
	size_t n = 0;
	bool odd = false;
	int r;

	if (!domain)
		return 1;
	say_who(xml, domain, scan->running, who, sizeof(who));
	r = domain_pci_devices(xml, &devices, &n, &odd, err);
	for (size_t i = 0; i < n && !r; i++) {
		struct sriov_vf *vf = find_vf(scan->inv, devices[i].address);
		struct sriov_use *use;

		if (!vf)
			continue;
		use = uses_add(&vf->uses, scan->running, who, "%s/%s", scan->dir, file);
		if (!use)
			return core_oom(err);
		use->libvirt_net = scan->running && devices[i].interface;
	}
	return r < 0 ? r : odd;
}

/*
 * The text of a domain's file: *out stays NULL if it is gone, as its guest ended meanwhile. Neither
 * symlinks (libvirt writes plain files) nor pipes are followed.
 */
static int read_text(int dir, const char *name, char **out, size_t *size)
{
	_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_free_ char *text = NULL;
	struct stat st;
	size_t have = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > XML_SIZE_MAX)
		return -EFBIG;
	text = malloc(XML_SIZE_MAX + 1);
	if (!text)
		return -ENOMEM;
	for (;;) {
		/* one byte more than allowed, so that a file which grows is noticed */
		ssize_t got = read(fd, text + have, XML_SIZE_MAX + 1 - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		have += got;
		if (have > XML_SIZE_MAX)
			return -EFBIG;
	}
	*out = core_steal(text);
	*size = have;
	return 0;
}

/* Fails only for lack of memory: what cannot be read is noted in @scan. */
static int scan_file(struct scan *scan, int dir, const char *name, struct sriov_error *err)
{
	_xml_ struct xml_doc xml = {0};
	_free_ char *text = NULL;
	struct sriov_error why = {0};
	size_t size = 0;
	int r = read_text(dir, name, &text, &size);

	if (r < 0) {
		unread(scan, name, strerror(-r));
		return 0;
	}
	if (!text)
		return 0;
	r = xml_parse(text, size, name, &xml, &why);
	if (r < 0) {
		unread(scan, name, why.message);
		return 0;
	}
	r = add_uses(scan, &xml, name, err);
	if (r == 1)
		unread(scan, name, "not a domain, or a PCI address in it is malformed");
	return r < 0 ? r : 0;
}

static bool is_xml(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 4 && !strcmp(name + len - 4, ".xml");
}

static int scan_dir(struct scan *scan, struct sriov_error *err)
{
	int fd = open(scan->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (errno != ENOENT)
			unread(scan, "", strerror(errno));
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (!r && (errno = 0, entry = readdir(dir)))
		if (is_xml(entry->d_name) && entry->d_type != DT_DIR)
			r = scan_file(scan, fd, entry->d_name, err);
	if (!r && errno)
		unread(scan, "", strerror(errno));
	closedir(dir);
	return r;
}

/* A domain that could not be read may name any VF. */
static int mark_all(struct scan *scan, struct sriov_error *err)
{
	for (size_t i = 0; i < scan->inv->npfs; i++) {
		struct sriov_pf *pf = &scan->inv->pf[i];

		for (unsigned v = 0; pf->vf && v < pf->vfs; v++) {
			struct sriov_use *use =
				uses_add(&pf->vf[v].uses, scan->running, "unknown guest",
					 scan->unread > 1 ? "%.140s (and %u more files)" : "%s",
					 scan->first_unread, scan->unread - 1);

			if (!use)
				return core_oom(err);
			use->unreadable = true;
		}
	}
	return 0;
}

int guest_domains_uses(struct sriov_inventory *inv, const char *etc, const char *run,
		       struct sriov_error *err)
{
	struct scan scans[] = {{.inv = inv, .dir = run, .running = true}, {.inv = inv, .dir = etc}};

	for (size_t i = 0; i < ARRAY_SIZE(scans); i++) {
		int r = scan_dir(&scans[i], err);

		if (!r && scans[i].unread)
			r = mark_all(&scans[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}
