/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC and OVSDB: where messages end, what a scripted database answers, and what is told of its errors. */
#include "lib/vswitch/live.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* ---- where a message ends ---- */

static void frames(void **state)
{
	static const struct {
		const char *text;
		int result;
		size_t end;
	} rows[] = {
		{"{}", 1, 2},
		{" \n{\"a\":1}{", 1, 9},
		{"{\"a\":[{},{\"}\":\"\\\"}\"}]}x", 1, 22},
		{"{\"a\":\"\\\\\"}", 1, 10},
		{"", 0, 0},
		{"{\"a\":\"}", 0, 0},
		{"{\"a\":[", 0, 0},
		{"x{}", -EBADMSG, 0},
		{"[]", -EBADMSG, 0},
		{"\"a\"", -EBADMSG, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size = strlen(rows[i].text), whole = 0, end = 0;
		struct json_frame frame = {0}, bytes = {0};
		int r = json_frame_scan(&frame, rows[i].text, size, &whole), step = 0;

		assert_int_equal(r, rows[i].result);
		if (r == 1)
			assert_int_equal(whole, rows[i].end);
		/* the same byte by byte */
		for (size_t n = 1; n <= size && !step; n++)
			step = json_frame_scan(&bytes, rows[i].text, n, &end);
		assert_int_equal(step, r);
		assert_int_equal(end, whole);
	}
}

/* ---- a database that says what a test wants ---- */

struct server {
	char dir[32], path[64];
	pid_t pid;
};

/* For each request that comes @script has a line of answers ("" = none); at its end it hangs up. */
static void serve(int listener, const char *const *script)
{
	int fd = accept(listener, NULL, NULL);
	char buf[65536];

	for (; *script; script++) {
		if (recv(fd, buf, sizeof(buf), 0) <= 0)
			break;
		size_t size = strlen(*script);

		/* in small pieces */
		for (size_t at = 0, n; at < size; at += n) {
			n = size > 4096 ? 65536 : 7;
			n = n > size - at ? size - at : n;
			if (send(fd, *script + at, n, MSG_NOSIGNAL) != (ssize_t)n)
				break;
		}
	}
	_exit(0);
}

static void start(struct server *server, const char *const *script)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(server->dir, sizeof(server->dir), "/tmp/ovsdb-XXXXXX");
	assert_non_null(mkdtemp(server->dir));
	snprintf(server->path, sizeof(server->path), "%s/db.sock", server->dir);
	core_copy(address.sun_path, sizeof(address.sun_path), server->path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	server->pid = fork();
	if (!server->pid)
		serve(listener, script);
	close(listener);
}

static void stop(struct server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	unlink(server->path);
	rmdir(server->dir);
}

static int64_t soon(void)
{
	return core_monotonic_ms() + 60000;
}

/* One transaction with no operations against @answers. */
static int transact(const char *const *answers, int64_t wait_ms, struct sriov_error *err)
{
	_ovsdb_ struct ovsdb db = OVSDB_CLOSED;
	_json_ json_t *results = NULL;
	struct server server;
	int r;

	start(&server, answers);
	r = ovsdb_open(&db, server.path, soon(), err);
	if (!r)
		r = ovsdb_transact(&db, json_pack("[{ss}]", "op", "comment"),
				   core_monotonic_ms() + wait_ms, &results, err);
	stop(&server);
	assert_true(!r == !!results);
	return r;
}

static void answers(void **state)
{
	static const struct {
		const char *answers[4];
		int code;
		const char *message, *kernel;
	} rows[] = {
		{{"{\"id\":1,\"result\":[{}],\"error\":null}"}, 0, "", ""},
		/* a sign of life asked for, other replies, and notifications come between */
		{{"{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}",
		  "{\"id\":7,\"result\":1,\"error\":null}{\"id\":null,\"method\":\"update2\","
		  "\"params\":[\"x\",{}]}{\"id\":1,\"result\":[{}],\"error\":null}"},
		 0,
		 "",
		 ""},
		{{"{\"id\":1,\"result\":[null,{\"error\":\"constraint violation\",\"details\":\"two rows\"}],"
		  "\"error\":null}"},
		 -EEXIST,
		 "does not take the change",
		 "OVSDB: constraint violation: two rows"},
		{{"{\"id\":1,\"result\":[{\"error\":\"timed out\"}],\"error\":null}"},
		 -EAGAIN,
		 "does not take the change",
		 "OVSDB: timed out"},
		{{"{\"id\":1,\"result\":[{\"error\":\"unknown column\"}],\"error\":null}"},
		 -EOPNOTSUPP,
		 "does not take",
		 "unknown column"},
		{{"{\"id\":1,\"result\":[{\"error\":\"from mars\"}],\"error\":null}"},
		 -EIO,
		 "does not take",
		 "from mars"},
		{{"{\"id\":1,\"error\":{\"error\":\"unknown database\"},\"result\":null}"},
		 -EREMOTEIO,
		 "transact was refused",
		 "unknown database"},
		{{"{\"id\":1,\"result\":[],\"error\":null}"}, -EBADMSG, "fewer results", ""},
		{{"{\"id\":1,\"result\":3,\"error\":null}"}, -EBADMSG, "fewer results", ""},
		{{"{\"id\":1,\"error\":null}"}, -EBADMSG, "neither result nor error", ""},
		{{"{\"hello\":1}"}, -EBADMSG, "neither a request nor a reply", ""},
		{{"HTTP/1.1 400 Bad Request"}, -EBADMSG, "it is no object", ""},
		{{"{nonsense}"}, -EBADMSG, "not JSON-RPC", ""},
		{{"{\"id\":1,\"result\":[{}"}, -ECONNRESET, "closed the connection", ""},
		{{""}, -ECONNRESET, "closed the connection", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sriov_error err = {0};
		int r = transact(rows[i].answers, 60000, &err);

		if (r != rows[i].code || !strstr(err.message, rows[i].message) ||
		    !strstr(err.kernel, rows[i].kernel))
			fail_msg("%s: %d: %s: %s (%s)", rows[i].answers[0], r, err.object,
				 err.message, err.kernel);
	}
}

static void silence(void **state)
{
	static const char *const nothing[] = {"", "", NULL};
	struct sriov_error err = {0};

	assert_int_equal(transact(nothing, 50, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.message, "no answer in time"));
}

static void too_much(void **state)
{
	size_t size = JSONRPC_MAX + 100;
	char *huge = malloc(size + 1);
	const char *script[] = {huge, NULL};
	struct sriov_error err = {0};

	assert_non_null(huge);
	memset(huge, ' ', size);
	huge[size] = '\0';
	memcpy(huge, "{\"id\":1,", 8);
	assert_int_equal(transact(script, 60000, &err), -EMSGSIZE);
	assert_non_null(strstr(err.message, "more than 16 MiB"));
	free(huge);
}

static void no_server(void **state)
{
	char longer[200];
	struct jsonrpc rpc = JSONRPC_CLOSED;
	struct sriov_error err = {0};
	struct server server;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(jsonrpc_open(&rpc, "OVSDB", longer, soon(), &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.message, "has 199 bytes, and a unix socket's has at most 107"));
	assert_int_equal(jsonrpc_open(&rpc, "OVSDB", "/nowhere/db.sock", soon(), &err), -ENOENT);
	assert_non_null(strstr(err.hint, "install and start Open vSwitch"));
	start(&server, (const char *const[]){NULL});
	kill(server.pid, SIGKILL);
	waitpid(server.pid, NULL, 0);
	assert_int_equal(jsonrpc_open(&rpc, "OVSDB", server.path, soon(), &err), -ECONNREFUSED);
	stop(&server);
	assert_int_equal(rpc.fd, -1);
}

static void changes_wait_for_their_reader(void **state)
{
	static const char *const script[] = {
		"{\"id\":1,\"result\":{\"Interface\":{}},\"error\":null}",
		"{\"id\":null,\"method\":\"update2\",\"params\":[\"sriovctl\",{\"Interface\":{\"u\":"
		"{\"modify\":{\"mtu\":1500}}}}]}{\"id\":null,\"method\":\"other\",\"params\":[]}"
		"{\"id\":2,\"result\":[{}],\"error\":null}",
		"", NULL};
	_ovsdb_ struct ovsdb db = OVSDB_CLOSED;
	_json_ json_t *rows = NULL, *results = NULL, *changed = NULL;
	struct sriov_error err = {0};
	struct server server;
	json_t *none = NULL;

	start(&server, script);
	assert_int_equal(ovsdb_open(&db, server.path, soon(), &err), 0);
	assert_int_equal(ovsdb_monitor(&db, json_object(), soon(), &rows, &err), 0);
	assert_int_equal(ovsdb_transact(&db, json_pack("[{}]"), soon(), &results, &err), 0);
	assert_int_equal(ovsdb_changes(&db, soon(), &changed, &err), 0);
	assert_non_null(json_object_get(changed, "Interface"));
	assert_int_equal(ovsdb_changes(&db, core_monotonic_ms() + 20, &none, &err), -ETIMEDOUT);
	stop(&server);
}

/* ---- what is written and read ---- */

static void same_json(json_t *made, const char *expected)
{
	_free_ char *text = json_dumps(made, JSON_COMPACT);

	json_decref(made);
	assert_non_null(text);
	assert_string_equal(text, expected);
}

static void port_in_one_transaction(void **state)
{
	struct vswitch_port_request want = {
		.bridge = "br-data",
		.name = "vhu-web1",
		.socket = "/run/sriovctl/vhost/web1.sock",
		.mtu = 9000,
		.affinity = "0:3",
		.guest = "web1",
		.uuid = "c0ffee00-0000-4000-8000-000000000001",
		.iface_id = "data/web1",
		.mac = {0x52, 0x54, 0, 0, 0, 1},
	};
	_json_ json_t *uplink = NULL;

	same_json(
		ovs_port_operations(&want),
		"[{\"op\":\"wait\",\"table\":\"Bridge\",\"timeout\":0,\"where\":[[\"name\",\"==\","
		"\"br-data\"]],\"columns\":[\"datapath_type\"],\"until\":\"==\",\"rows\":"
		"[{\"datapath_type\":\"netdev\"}]},"
		"{\"op\":\"wait\",\"table\":\"Port\",\"timeout\":0,\"where\":[[\"name\",\"==\","
		"\"vhu-web1\"]],\"columns\":[\"name\"],\"until\":\"==\",\"rows\":[]},"
		"{\"op\":\"insert\",\"table\":\"Interface\",\"uuid-name\":\"interface\",\"row\":"
		"{\"name\":\"vhu-web1\",\"type\":\"dpdkvhostuserclient\",\"options\":[\"map\","
		"[[\"vhost-server-path\",\"/run/sriovctl/vhost/web1.sock\"]]],\"external_ids\":"
		"[\"map\",[[\"attached-mac\",\"52:54:00:00:00:01\"],[\"iface-id\",\"data/web1\"],"
		"[\"iface-status\",\"active\"],[\"sriovctl-guest\",\"web1\"],[\"vm-uuid\","
		"\"c0ffee00-0000-4000-8000-000000000001\"]]],\"other_config\":[\"map\","
		"[[\"pmd-rxq-affinity\",\"0:3\"]]],\"mtu_request\":9000}},"
		"{\"op\":\"insert\",\"table\":\"Port\",\"uuid-name\":\"port\",\"row\":{\"name\":"
		"\"vhu-web1\",\"interfaces\":[\"named-uuid\",\"interface\"]}},"
		"{\"op\":\"mutate\",\"table\":\"Bridge\",\"where\":[[\"name\",\"==\",\"br-data\"]],"
		"\"mutations\":[[\"ports\",\"insert\",[\"set\",[[\"named-uuid\",\"port\"]]]]]},"
		"{\"op\":\"mutate\",\"table\":\"Open_vSwitch\",\"where\":[],\"mutations\":"
		"[[\"next_cfg\",\"+=\",1]]},"
		"{\"op\":\"select\",\"table\":\"Open_vSwitch\",\"where\":[],\"columns\":"
		"[\"next_cfg\"]}]");
	want = (struct vswitch_port_request){.bridge = "br-data",
					     .name = "up",
					     .type = VSWITCH_DPDK,
					     .devargs = "0000:81:10.0",
					     .queues = 2};
	uplink = ovs_port_operations(&want);
	same_json(json_incref(json_object_get(json_array_get(uplink, 2), "row")),
		  "{\"name\":\"up\",\"type\":\"dpdk\",\"options\":[\"map\",[[\"dpdk-devargs\","
		  "\"0000:81:10.0\"],[\"n_rxq\",\"2\"]]],\"external_ids\":[\"map\",[]],"
		  "\"other_config\":[\"map\",[]]}");
}

/* A row from anybody: what is of the wrong type is absent. */
static void rows_of_strangers(void **state)
{
	_json_ json_t *row = json_loads(
		"{\"a\":\"x\",\"b\":[\"set\",[]],\"c\":[\"set\",[\"y\"]],\"d\":5,\"e\":[\"map\",[[\"k\","
		"\"v\"],3,[\"l\"]]],\"f\":[\"uuid\",\"u1\"],\"g\":[\"set\",[[\"uuid\",\"u2\"],[\"uuid\",3],"
		"7]],\"h\":true,\"i\":{},\"j\":[]}",
		0, NULL);

	assert_string_equal(ovsdb_text(row, "a"), "x");
	assert_string_equal(ovsdb_text(row, "b"), "");
	assert_string_equal(ovsdb_text(row, "c"), "y");
	assert_string_equal(ovsdb_text(row, "d"), "");
	assert_string_equal(ovsdb_text(NULL, "d"), "");
	assert_int_equal(ovsdb_int(row, "d", -3), 5);
	assert_int_equal(ovsdb_int(row, "b", -3), -3);
	assert_int_equal(ovsdb_int(row, "a", -3), -3);
	assert_string_equal(ovsdb_value(row, "e", "k"), "v");
	assert_null(ovsdb_value(row, "e", "l"));
	assert_null(ovsdb_value(row, "a", "l"));
	assert_string_equal(ovsdb_member(row, "f", 0), "u1");
	assert_null(ovsdb_member(row, "f", 1));
	assert_string_equal(ovsdb_member(row, "g", 0), "u2");
	assert_null(ovsdb_member(row, "g", 1));
	assert_null(ovsdb_member(row, "g", 2));
	assert_null(ovsdb_member(row, "i", 0));
	assert_true(ovsdb_bool(row, "h"));
	assert_false(ovsdb_bool(row, "a"));
	assert_null(ovsdb_rows(row, 0));
	assert_int_equal(ovsdb_count(row, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),
		cmocka_unit_test(answers),
		cmocka_unit_test(silence),
		cmocka_unit_test(too_much),
		cmocka_unit_test(no_server),
		cmocka_unit_test(changes_wait_for_their_reader),
		cmocka_unit_test(port_in_one_transaction),
		cmocka_unit_test(rows_of_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
