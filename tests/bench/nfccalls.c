/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into an unchanged program, counts its ntuple ioctls and its syncs, and times the phase in which
 * it works on the table: from the first insert or delete to the last ioctl on the table (the readback). At
 * exit one line goes to the end of the file that NFCCALLS names:
 *
 *     insert=2000 delete=0 locations=2 rule=2000 sync=2 kernel_us=123456
 */
#include <dlfcn.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static unsigned long inserts, deletes, locations, rules, syncs;
static double first, last;
static pid_t self;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

__attribute__((constructor)) static void start(void)
{
	self = getpid();
}

__attribute__((destructor)) static void end(void)
{
	const char *name = getenv("NFCCALLS");
	FILE *file = name && getpid() == self ? fopen(name, "a") : NULL;

	if (!file)
		return;
	fprintf(file, "insert=%lu delete=%lu locations=%lu rule=%lu sync=%lu kernel_us=%.0f\n",
		inserts, deletes, locations, rules, syncs, last - first);
	fclose(file);
}

static unsigned long *counter(uint32_t command)
{
	switch (command) {
	case ETHTOOL_SRXCLSRLINS:
		return &inserts;
	case ETHTOOL_SRXCLSRLDEL:
		return &deletes;
	case ETHTOOL_GRXCLSRLALL:
		return &locations;
	case ETHTOOL_GRXCLSRULE:
		return &rules;
	default:
		return NULL;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	static __typeof__(&ioctl) real;
	unsigned long *count = NULL;
	void *argument;
	va_list ap;
	int r;

	va_start(ap, request);
	argument = va_arg(ap, void *);
	va_end(ap);
	if (!real)
		real = REAL(ioctl);
	if (request == SIOCETHTOOL)
		count = counter(*(uint32_t *)((struct ifreq *)argument)->ifr_data);
	if (count)
		++*count;
	if (inserts + deletes == 1 && !first)
		first = now();
	r = real(fd, request, argument);
	if (count && first)
		last = now();
	return r;
}

int fsync(int fd)
{
	syncs++;
	return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	syncs++;
	return REAL(fdatasync)(fd);
}
