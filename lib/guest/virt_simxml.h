/* SPDX-License-Identifier: Apache-2.0 */
/* What libvirt does to the XML of its domains, for the simulated one: pure functions, text to text. */
#ifndef SRIOV_GUEST_VIRT_SIMXML_H
#define SRIOV_GUEST_VIRT_SIMXML_H

#include "lib/guest/device.h"
#include "lib/guest/virt.h"

/* Ports that a domain made from the short form of a host file has to spare. */
#define SIMXML_SPARE_PORTS 4

/* A q35 domain with these devices and spare ports. */
int simxml_domain(const char *name, const char *uuid, const struct guest_device *devices, size_t n,
		  char **out, struct sriov_error *err);
/* The running domain with the device in its first spare port; -ENOSPC, without an error set: there is none. */
int simxml_plug(const char *domain, const struct guest_device *device, char **out,
		struct sriov_error *err);
/* The definition with the device as one more, whatever it has. */
int simxml_append(const char *domain, const struct guest_device *device, char **out,
		  struct sriov_error *err);
/* <cputune> with that pin. *@count: the vCPUs or IOThreads of the domain; -ERANGE, no error set: it has not @number. */
int simxml_pin(const char *domain, enum virt_thread thread, unsigned number, const char *cpus,
	       unsigned *count, char **out, struct sriov_error *err);
/* <numatune><memory>. @mode NULL: as it is; *@was (may be NULL) is the mode before, "strict" without one. */
int simxml_memory(const char *domain, const char *mode, const char *nodeset, char **out,
		  char was[16], struct sriov_error *err);

#endif
