/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/vswitch/jsonrpc.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int json_frame_scan(struct json_frame *frame, const char *text, size_t size, size_t *end)
{
	for (; frame->seen < size; frame->seen++) {
		char c = text[frame->seen];

		if (frame->escape) {
			frame->escape = false;
		} else if (frame->string) {
			frame->escape = c == '\\';
			frame->string = c != '"';
		} else if (c == '"' && frame->depth) {
			frame->string = true;
		} else if (c == '{' || (c == '[' && frame->depth)) {
			frame->depth++;
		} else if ((c == '}' || c == ']') && frame->depth) {
			if (--frame->depth)
				continue;
			*end = frame->seen + 1;
			*frame = (struct json_frame){0};
			return 1;
		} else if (!frame->depth && !strchr(" \t\r\n", c)) {
			return -EBADMSG;
		}
	}
	return 0;
}

void jsonrpc_close(struct jsonrpc *rpc)
{
	core_closep(&rpc->fd);
	free(rpc->in);
	json_decref(rpc->notes);
	*rpc = (struct jsonrpc)JSONRPC_CLOSED;
}

/* Waits for the socket. 0 or -ETIMEDOUT; errors of the socket are told by what is done next. */
static int await(const struct jsonrpc *rpc, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd fd = {.fd = rpc->fd, .events = events};
		int64_t left = deadline - core_monotonic_ms();
		int n = poll(&fd, 1, left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : left);

		if (n > 0)
			return 0;
		if (!n)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int silent(const struct jsonrpc *rpc, struct sriov_error *err)
{
	char object[sizeof(err->object)];

	snprintf(object, sizeof(object), "%s %s", rpc->who, rpc->path);
	sriov_error_set(err, -ETIMEDOUT, object, "no answer in time");
	return sriov_error_hint(err,
				"see whether the daemon behind the socket runs and is not stopped");
}

static int gone(const struct jsonrpc *rpc, int code, struct sriov_error *err)
{
	char object[sizeof(err->object)];

	snprintf(object, sizeof(object), "%s %s", rpc->who, rpc->path);
	sriov_error_set(err, -ECONNRESET, object, "the daemon closed the connection");
	return code ? sriov_error_kernel(err, "%s", strerror(-code)) : -ECONNRESET;
}

static int no_connection(const struct jsonrpc *rpc, int code, struct sriov_error *err)
{
	static const struct {
		int code;
		const char *what, *hint;
	} told[] = {
		{-ENOENT, "there is no such socket",
		 "install and start Open vSwitch (openvswitch-switch-dpdk); OVS_RUNDIR names its "
		 "directory if it is not /run/openvswitch"},
		{-ECONNREFUSED, "nobody listens at the socket",
		 "start Open vSwitch: systemctl start openvswitch-switch"},
		{-EACCES, "the socket may not be used", "run it as root"},
		{-EAGAIN, "the daemon takes no more connections",
		 "see whether it runs and is not stopped"},
	};
	char object[sizeof(err->object)];

	snprintf(object, sizeof(object), "%s %s", rpc->who, rpc->path);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		if (told[i].code != code)
			continue;
		core_errno(err, code, object, "%s", told[i].what);
		return sriov_error_hint(err, "%s", told[i].hint);
	}
	return core_errno(err, code, object, "cannot connect");
}

int jsonrpc_open(struct jsonrpc *rpc, const char *who, const char *path, int64_t deadline,
		 struct sriov_error *err)
{
	struct jsonrpc opened = {.who = who};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r = 0;

	if (strlen(path) >= sizeof(address.sun_path)) {
		sriov_error_set(
			err, -ENAMETOOLONG, who,
			"the socket's path has %zu bytes, and a unix socket's has at most %zu: %s",
			strlen(path), sizeof(address.sun_path) - 1, path);
		return sriov_error_hint(err, "use a shorter directory");
	}
	core_copy(address.sun_path, sizeof(address.sun_path), path);
	core_copy(opened.path, sizeof(opened.path), path);
	opened.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (opened.fd < 0)
		return no_connection(&opened, -errno, err);
	/* EAGAIN: the daemon's queue of connections is full; nothing tells when it has room again */
	while (connect(opened.fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		if ((r != -EAGAIN && r != -EINTR) || core_monotonic_ms() >= deadline)
			break;
		if (r == -EAGAIN)
			poll(NULL, 0, 5);
		r = 0;
	}
	opened.notes = json_array();
	if (!r && !opened.notes)
		r = core_oom(err);
	else if (r < 0)
		no_connection(&opened, r, err);
	if (r < 0) {
		jsonrpc_close(&opened);
		return r;
	}
	*rpc = opened;
	return 0;
}

/* Sends a message, which it takes over (NULL: no memory was found for it). */
static int send_message(struct jsonrpc *rpc, json_t *message, int64_t deadline,
			struct sriov_error *err)
{
	_free_ char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	size_t size, sent = 0;

	json_decref(message);
	if (!text)
		return core_oom(err);
	size = strlen(text);
	while (sent < size) {
		ssize_t n = send(rpc->fd, text + sent, size - sent, MSG_NOSIGNAL);

		if (n >= 0)
			sent += n;
		else if (errno == EAGAIN && await(rpc, POLLOUT, deadline) < 0)
			return silent(rpc, err);
		else if (errno != EAGAIN && errno != EINTR)
			return gone(rpc, -errno, err);
	}
	return 0;
}

static int too_much(const struct jsonrpc *rpc, struct sriov_error *err)
{
	return sriov_error_set(err, -EMSGSIZE, rpc->who,
			       "an answer of more than %u MiB is not read", JSONRPC_MAX >> 20);
}

static int no_sense(const struct jsonrpc *rpc, const char *what, struct sriov_error *err)
{
	char object[sizeof(err->object)];

	snprintf(object, sizeof(object), "%s %s", rpc->who, rpc->path);
	sriov_error_set(err, -EBADMSG, object, "what the daemon says is not JSON-RPC: %s", what);
	return sriov_error_hint(err, "see whose socket it is");
}

/* Reads what is there. 0, or -ETIMEDOUT without an error set. */
static int fill(struct jsonrpc *rpc, int64_t deadline, struct sriov_error *err)
{
	ssize_t got;
	int r;

	if (rpc->used == rpc->room) {
		size_t room = rpc->room ? rpc->room * 2 : 16384;
		char *grown = rpc->room >= JSONRPC_MAX ? NULL : realloc(rpc->in, room);

		if (!grown)
			return rpc->room >= JSONRPC_MAX ? too_much(rpc, err) : core_oom(err);
		rpc->in = grown;
		rpc->room = room;
	}
	for (;;) {
		got = recv(rpc->fd, rpc->in + rpc->used, rpc->room - rpc->used, 0);
		if (got > 0) {
			rpc->used += got;
			return 0;
		}
		if (!got || (errno != EAGAIN && errno != EINTR))
			return gone(rpc, got ? -errno : 0, err);
		r = errno == EAGAIN ? await(rpc, POLLIN, deadline) : 0;
		if (r < 0)
			return r;
	}
}

/* The next message, and its bytes. 0, or -ETIMEDOUT without an error set. */
static int receive(struct jsonrpc *rpc, int64_t deadline, json_t **out, size_t *size,
		   struct sriov_error *err)
{
	json_error_t why;
	size_t end = 0;
	json_t *message;
	int r;

	while (!(r = json_frame_scan(&rpc->frame, rpc->in, rpc->used, &end))) {
		r = fill(rpc, deadline, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return no_sense(rpc, "it is no object", err);
	message = json_loadb(rpc->in, end, 0, &why);
	if (!message)
		return no_sense(rpc, why.text, err);
	rpc->used -= end;
	memmove(rpc->in, rpc->in + end, rpc->used);
	*out = message;
	*size = end;
	return 0;
}

/* A request of the other side: it only ever asks for a sign of life. */
static int answer(struct jsonrpc *rpc, const json_t *request, int64_t deadline,
		  struct sriov_error *err)
{
	const char *method = json_string_value(json_object_get(request, "method"));
	bool echo = method && !strcmp(method, "echo");

	return send_message(
		rpc,
		json_pack("{sO? so so}", "id", json_object_get(request, "id"), "result",
			  echo ? json_incref(json_object_get(request, "params")) : json_null(),
			  "error", echo ? json_null() : json_string("unknown method")),
		deadline, err);
}

/*
 * Takes messages until one is the reply to request @id (0: until a notification came), which is *@out.
 */
static int next_message(struct jsonrpc *rpc, json_int_t id, int64_t deadline, json_t **out,
			struct sriov_error *err)
{
	for (;;) {
		_json_ json_t *message = NULL;
		const json_t *method, *its;
		size_t size;
		int r = receive(rpc, deadline, &message, &size, err);

		if (r < 0)
			return r;
		method = json_object_get(message, "method");
		its = json_object_get(message, "id");
		if (json_is_string(method) && its && !json_is_null(its)) {
			r = answer(rpc, message, deadline, err);
			if (r < 0)
				return r;
		} else if (json_is_string(method)) {
			if (!id) {
				*out = core_steal(message);
				return 0;
			}
			rpc->noted += size;
			if (rpc->noted > JSONRPC_MAX)
				return too_much(rpc, err);
			if (json_array_append(rpc->notes, message))
				return core_oom(err);
		} else if (!its) {
			return no_sense(rpc, "a message is neither a request nor a reply", err);
		} else if (id && json_integer_value(its) == id) {
			*out = core_steal(message);
			return 0;
		}
	}
}

int jsonrpc_call(struct jsonrpc *rpc, const char *method, json_t *params, int64_t deadline,
		 json_t **result, struct sriov_error *err)
{
	_json_ json_t *reply = NULL;
	json_t *error;
	int r = send_message(
		rpc, json_pack("{sI ss so}", "id", ++rpc->id, "method", method, "params", params),
		deadline, err);

	if (!r)
		r = next_message(rpc, rpc->id, deadline, &reply, err);
	if (r == -ETIMEDOUT)
		return silent(rpc, err);
	if (r < 0)
		return r;
	error = json_object_get(reply, "error");
	if (error && !json_is_null(error)) {
		_free_ char *words = json_dumps(error, JSON_COMPACT | JSON_ENCODE_ANY);

		*result = json_incref(error);
		sriov_error_set(err, -EREMOTEIO, rpc->who, "%s was refused", method);
		return sriov_error_kernel(err, "%s: %s", rpc->who, words ? words : "");
	}
	if (!json_object_get(reply, "result"))
		return no_sense(rpc, "a reply has neither result nor error", err);
	*result = json_incref(json_object_get(reply, "result"));
	return 0;
}

int jsonrpc_notification(struct jsonrpc *rpc, int64_t deadline, json_t **out,
			 struct sriov_error *err)
{
	if (json_array_size(rpc->notes)) {
		*out = json_incref(json_array_get(rpc->notes, 0));
		json_array_remove(rpc->notes, 0);
		if (!json_array_size(rpc->notes))
			rpc->noted = 0;
		return 0;
	}
	return next_message(rpc, 0, deadline, out, err);
}
