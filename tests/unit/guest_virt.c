/* SPDX-License-Identifier: Apache-2.0 */
/* What libvirt's errors become, and opening hosts with one libvirt or the other. */
#include "lib/guest/libvirt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Words as libvirt 9.0 gave them, or has them in its source. */
static void test_errors(void **state)
{
	static const struct {
		int code, domain;
		const char *words;
		int becomes;
		const char *hint; /* a part of it */
	} rows[] = {
		{VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
		 "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory",
		 -ECONNREFUSED, "start the daemon"},
		{VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
		 "Failed to connect socket to '/run/libvirt/libvirt-sock': Permission denied",
		 -EACCES, "run as root"},
		{VIR_ERR_NO_CONNECT, VIR_FROM_NONE, "no connection driver available for xyz:///",
		 -ECONNREFUSED, "--uri"},
		{VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
		 "End of file while reading data: Input/output error", -ECONNRESET, "done or not"},
		{VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC,
		 "internal error: connection closed due to keepalive timeout", -ECONNRESET,
		 "done or not"},
		{VIR_ERR_AUTH_UNAVAILABLE, VIR_FROM_POLKIT, "authentication unavailable", -EACCES,
		 "polkit"},
		{VIR_ERR_ACCESS_DENIED, VIR_FROM_ACCESS, "access denied", -EACCES, "root"},
		{VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, "Domain not found", -ENOENT, "virsh list"},
		{VIR_ERR_INTERNAL_ERROR, VIR_FROM_NONE,
		 "internal error: Child process (tc qdisc add dev macvtap4 parent 1:1 handle 2: sfq "
		 "perturb 10) unexpected exit status 2: Error: Specified qdisc kind is unknown.",
		 -EOPNOTSUPP, "sch_sfq"},
		{VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU,
		 "Requested operation is not valid: domain is not running", -ENOTCONN, "--config"},
		{VIR_ERR_OPERATION_TIMEOUT, VIR_FROM_QEMU,
		 "Timed out during operation: cannot acquire state change lock", -ETIMEDOUT,
		 "another operation"},
		{VIR_ERR_OPERATION_INVALID, VIR_FROM_NONE,
		 "Requested operation is not valid: PCI device 0000:81:10.6 is in use by driver "
		 "QEMU, domain vm1",
		 -EBUSY, "detach it"},
		{VIR_ERR_INTERNAL_ERROR, VIR_FROM_NONE,
		 "internal error: No more available PCI slots", -ENOSPC, "pcie-root-port"},
		{VIR_ERR_INTERNAL_ERROR, VIR_FROM_NONE,
		 "internal error: Unable to configure VF 3 of PF 'ens2f0' because the PF is not "
		 "online.",
		 -ENETDOWN, "bring the PF up"},
		{VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_QEMU,
		 "unsupported configuration: host doesn't support VFIO PCI passthrough",
		 -EOPNOTSUPP, "IOMMU"},
		{VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_QEMU,
		 "unsupported configuration: Interface type hostdev is currently supported on "
		 "SR-IOV Virtual Functions only",
		 -ENODEV, "no VF"},
		{VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU,
		 "internal error: unable to execute QEMU command 'device_add': vfio 0000:81:10.6: "
		 "group 14 is not viable",
		 -EBUSY, "ACS"},
		{VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU,
		 "internal error: unable to execute QEMU command 'device_add': vfio 0000:81:10.6: "
		 "failed to setup container: memory listener initialization failed: VFIO_MAP_DMA "
		 "failed: Cannot allocate memory",
		 -ENOBUFS, "hard_limit"},
		{VIR_ERR_OPERATION_FAILED, VIR_FROM_QEMU,
		 "operation failed: unplug of device was rejected by the guest", -EPERM,
		 "inside the guest"},
		{VIR_ERR_DEVICE_MISSING, VIR_FROM_DOMAIN, "device not found: no device found",
		 -ENODEV, ""},
		{VIR_ERR_NO_SUPPORT, VIR_FROM_TEST,
		 "this function is not supported by the connection driver: virDomainAttachDevice",
		 -EOPNOTSUPP, ""},
		{VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU,
		 "Requested operation is not valid: cgroup cpuset controller is not mounted",
		 -EOPNOTSUPP, "cgroups"},
		{VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, "XML error: unknown", -EINVAL, ""},
		{VIR_ERR_NO_MEMORY, VIR_FROM_NONE, "out of memory", -ENOMEM, ""},
		/* a daemon that speaks another language has its code */
		{VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, "Domain nicht gefunden", -ENOENT, "virsh"},
		{VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, "interner Fehler", -EIO, ""},
		{VIR_ERR_OK, VIR_FROM_NONE, "no reason given", -EIO, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_error err = {0};
		int r = libvirt_error(&err, "domain web1", "trying", rows[i].code, rows[i].domain,
				      rows[i].words);

		if (r != rows[i].becomes || err.code != r || !strstr(err.hint, rows[i].hint))
			fail_msg("%s: %d, %s", rows[i].words, r, err.hint);
		assert_string_equal(err.message, "trying failed");
		assert_true(!strncmp(err.kernel, "libvirt: ", 9) &&
			    !strcmp(err.kernel + 9, rows[i].words));
	}
	assert_int_equal(libvirt_error(NULL, "x", "trying", VIR_ERR_NO_DOMAIN, 0, "a\nb"), -ENOENT);
}

static void test_hosts(void **state)
{
#define FILE_ TEST_SOURCE_DIR "/examples/hosts/two-node.json"
	static const struct {
		const char *spec;
		int code;
		const char *ops, *virt;
		const char *words;
	} rows[] = {
		{NULL, 0, "live", "live", ""},
		{"", 0, "live", "live", ""},
		{FILE_, 0, "simulated", "simulated", ""},
		{FILE_ ",libvirt=simulated", 0, "simulated", "simulated", ""},
		{FILE_ ",libvirt=live", 0, "simulated", "live", ""},
		{FILE_ ",libvirt=real", -EINVAL, NULL, NULL, "'libvirt=real' is not part"},
		{FILE_ ",libvirt=", -EINVAL, NULL, NULL, "'libvirt=' is not part"},
		{FILE_ ",ovs=live", 0, "simulated", "simulated", ""},
		{FILE_ ",ovs=simulated,libvirt=live", 0, "simulated", "live", ""},
		{FILE_ ",ovs=real", -EINVAL, NULL, NULL, "'ovs=real' is not part"},
		{FILE_ ",ovs=live,libvirt=live,ovs=live", -EINVAL, NULL, NULL, "said before"},
		{FILE_ ",libvirt=live,libvirt=live", -EINVAL, NULL, NULL, "said before"},
		{FILE_ ",libvirt", -ENOENT, NULL, NULL, "no such snapshot"},
		{",libvirt=live", -ENOENT, NULL, NULL, "no such snapshot"},
		{"/nowhere,a=b/host.json", -ENOENT, NULL, NULL, "no such snapshot"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_host *host = NULL;
		struct sriov_error err = {0};
		int r = sriov_host_open(rows[i].spec, &host, &err);

		if (r != rows[i].code || !strstr(err.message, rows[i].words))
			fail_msg("%s: %d %s", rows[i].spec, r, err.message);
		assert_true(r != -EINVAL || strstr(err.hint, ",libvirt=live") ||
			    strstr(err.message, "before"));
		if (r < 0) {
			assert_null(host);
			continue;
		}
		assert_string_equal(host->ops->name, rows[i].ops);
		assert_string_equal(host->virt->name, rows[i].virt);
		/* nothing is loaded or connected before it is asked */
		assert_null(host->virt_priv);
		r = sriov_host_uri(host, "qemu:///session", &err);
		assert_int_equal(r, strcmp(rows[i].virt, "live") ? -EINVAL : 0);
		assert_true(!r || strstr(err.hint, "libvirt=live"));
		sriov_host_close(host);
	}
}

/* A libvirt that is no QEMU's, and its errors: the test driver of the library itself. */
static void test_test_driver(void **state)
{
	struct sriov_host *host;
	struct sriov_error err = {0};
	struct virt_domain domain = {0};
	struct virt_domains all = {0};
	static const char tap[] = "<interface type='bridge'><mac address='52:54:00:00:00:01'/>"
				  "<source bridge='br0'/><model type='virtio'/></interface>";
	int r;

	assert_int_equal(sriov_host_open(NULL, &host, &err), 0);
	assert_int_equal(sriov_host_uri(host, "test:///default", &err), 0);
	r = host->virt->find(host, "test", &domain, &err);
	if (r == -ENOENT && strstr(err.hint, "install")) {
		sriov_host_close(host);
		skip();
	}
	assert_int_equal(r, 0);
	assert_true(domain.running && domain.persistent && domain.config && domain.live);
	virt_domain_clear(&domain);
	assert_int_equal(host->virt->find(host, "tset", &domain, &err), -ENOENT);
	assert_string_equal(err.hint, "did you mean 'test'?");
	assert_null(domain.config);
	assert_int_equal(host->virt->list(host, false, &all, &err), 0);
	assert_int_equal(all.n, 1);
	virt_domains_clear(&all);
	assert_int_equal(host->virt->attach(host, "test", tap, VIRT_LIVE, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.kernel, "libvirt: "));
	assert_int_equal(host->virt->detach(host, "test", tap, VIRT_LIVE, 0, &err), -ENODEV);
	/* another libvirt from here on */
	assert_int_equal(sriov_host_uri(host, "nonsense:///", &err), 0);
	assert_int_equal(host->virt->list(host, false, &all, &err), -ECONNREFUSED);
	sriov_host_close(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_test_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
