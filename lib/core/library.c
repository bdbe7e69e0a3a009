/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that only some commands need, loaded by those: starting stays fast, and they may be missing. */
#include "lib/core/core.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

static int load(const struct core_library *library, struct sriov_error *err)
{
	void *handle = dlopen(library->soname, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		sriov_error_set(err, -ENOENT, library->name, "%s without this library: %s",
				library->without, dlerror());
		return sriov_error_hint(err, "install the package %s", library->package);
	}
	for (size_t i = 0; i < library->nsymbols; i++) {
		void *symbol = dlsym(handle, library->symbol[i].name);

		if (!symbol) {
			sriov_error_set(err, -ENOSYS, library->name, "%s has no function %s",
					library->soname, library->symbol[i].name);
			sriov_error_hint(err, "install the package %s, version %s or newer",
					 library->package, library->version);
			dlclose(handle);
			return -ENOSYS;
		}
		memcpy((char *)library->functions + library->symbol[i].offset, &symbol,
		       sizeof(symbol));
	}
	return library->set_up ? library->set_up(err) : 0;
}

int core_library_load(struct core_library *library, struct sriov_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int r = 0;

	pthread_mutex_lock(&lock);
	if (!library->loaded)
		r = load(library, err);
	library->loaded = !r;
	pthread_mutex_unlock(&lock);
	return r;
}
