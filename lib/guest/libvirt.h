/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the live half of virt.h: libvirt's library, loaded at the first call, and one connection. */
#ifndef SRIOV_GUEST_LIBVIRT_H
#define SRIOV_GUEST_LIBVIRT_H

#include "lib/guest/device.h"
#include "lib/guest/virt.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>

/* What is used of it; each becomes a member of struct libvirt, typed by libvirt's own headers. */
#define LIBVIRT_SYMBOLS(X)                                                                         \
	X(virInitialize)                                                                           \
	X(virSetErrorFunc)                                                                         \
	X(virGetLastError)                                                                         \
	X(virEventRegisterDefaultImpl)                                                             \
	X(virEventRunDefaultImpl)                                                                  \
	X(virEventAddTimeout)                                                                      \
	X(virEventUpdateTimeout)                                                                   \
	X(virEventRemoveTimeout)                                                                   \
	X(virConnectOpen)                                                                          \
	X(virConnectClose)                                                                         \
	X(virConnectIsAlive)                                                                       \
	X(virConnectSetKeepAlive)                                                                  \
	X(virConnectRegisterCloseCallback)                                                         \
	X(virConnectUnregisterCloseCallback)                                                       \
	X(virConnectDomainEventRegisterAny)                                                        \
	X(virConnectDomainEventDeregisterAny)                                                      \
	X(virConnectListAllDomains)                                                                \
	X(virDomainLookupByName)                                                                   \
	X(virDomainLookupByUUIDString)                                                             \
	X(virDomainFree)                                                                           \
	X(virDomainGetName)                                                                        \
	X(virDomainGetUUIDString)                                                                  \
	X(virDomainGetState)                                                                       \
	X(virDomainIsPersistent)                                                                   \
	X(virDomainGetXMLDesc)                                                                     \
	X(virDomainAttachDeviceFlags)                                                              \
	X(virDomainDetachDeviceFlags)                                                              \
	X(virDomainUpdateDeviceFlags)                                                              \
	X(virDomainDefineXMLFlags)                                                                 \
	X(virDomainPinVcpuFlags)                                                                   \
	X(virDomainPinEmulator)                                                                    \
	X(virDomainPinIOThread)                                                                    \
	X(virDomainSetNumaParameters)

struct libvirt {
#define X(symbol) __typeof__(symbol) *symbol;
	LIBVIRT_SYMBOLS(X)
#undef X
};

/* A connection of one host, and what its events told. */
struct virt_live {
	const struct libvirt *lib;
	virConnectPtr conn; /* NULL until the first call, and after it was lost */

	pthread_t thread; /* of the event loop */
	int timer;        /* wakes it; negative: there is no thread */

	/* what follows is written by that thread too */
	pthread_mutex_t mutex;
	pthread_cond_t told; /* by the monotonic clock */
	bool stops;          /* the thread is to end */
	bool lost;           /* the connection is closed */
	unsigned news;       /* events of domains so far */
	bool rejected;       /* the guest refused to let a device go */
};

/* The library, its errors kept from standard error. -ENOENT: not installed. */
int libvirt_load(const struct libvirt **out, struct sriov_error *err);
/* The host's connection, opened if there is none. */
int libvirt_connect(struct sriov_host *host, struct virt_live **out, struct sriov_error *err);
void libvirt_close(struct virt_live *live);
/* The last call's failure as an error about @object: "<doing> failed", libvirt's words, and a hint. */
int libvirt_failed(struct virt_live *live, const char *object, const char *doing,
		   struct sriov_error *err);
/* libvirt.c's part without a connection: an error from libvirt's code, domain (virErrorDomain) and words. */
int libvirt_error(struct sriov_error *err, const char *object, const char *doing, int code,
		  int domain, const char *words);

/* virt_event.c: the thread of the event loop. */
int libvirt_loop_start(struct virt_live *live, struct sriov_error *err);
void libvirt_loop_stop(struct virt_live *live);
/* virt_ops.detach of a running domain; @xml is the device as the domain has it. */
int libvirt_detach_live(struct virt_live *live, virDomainPtr domain, const char *object,
			const struct guest_device *device, const char *xml, int64_t deadline_ms,
			struct sriov_error *err);
/* virt_live.c: XML of a domain, the config's with its secrets, which defining it again needs. */
int libvirt_xml(struct virt_live *live, virDomainPtr domain, enum virt_where where, char **out,
		struct sriov_error *err);

#endif
