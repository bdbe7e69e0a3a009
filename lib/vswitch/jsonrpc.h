/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON-RPC 1.0 on a unix stream socket, as OVSDB (RFC 7047, section 4) and the control sockets of OVS's daemons
 * speak it. Messages follow each other without framing or separator.
 */
#ifndef SRIOV_JSONRPC_H
#define SRIOV_JSONRPC_H

#include "lib/core/core.h"

#include <sys/un.h>

#define JSONRPC_MAX                                                                                \
	(16u << 20) /* bytes of one message, and of notifications that wait to be read */

/* How far a message that is still coming has been looked at; begin with {0}. */
struct json_frame {
	size_t seen;
	unsigned depth;
	bool string, escape;
};
/*
 * Looks for the end of the object that begins @text (behind blanks). Each byte is looked at once, however often it
 * is called for more of the same text. 1: *@end is behind it; 0: there is more to come; -EBADMSG: it is no object.
 */
int json_frame_scan(struct json_frame *frame, const char *text, size_t size, size_t *end);

struct jsonrpc {
	int fd;          /* -1 = not connected */
	const char *who; /* what errors are about: "OVSDB" */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *in; /* received, and not yet taken */
	size_t used, room;
	struct json_frame frame;
	json_t *notes; /* array: notifications that came while a reply was waited for */
	size_t noted;  /* their bytes */
	json_int_t id; /* of the last request */
};
#define JSONRPC_CLOSED                                                                             \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * Every deadline is of core_monotonic_ms(). Codes besides the usual ones: -ENOENT, -ECONNREFUSED, -EACCES as
 * connect(2) gives them; -ECONNRESET: the other side went away; -ETIMEDOUT; -EBADMSG: what it says is no JSON-RPC;
 * -EMSGSIZE: it says too much. After any error but -ETIMEDOUT the connection is of no use.
 */
int jsonrpc_open(struct jsonrpc *rpc, const char *who, const char *path, int64_t deadline,
		 struct sriov_error *err);
void jsonrpc_close(struct jsonrpc *rpc); /* also one that was never open */
/*
 * Calls @method with @params (taken over) and waits for its reply: *@result is the caller's. Requests of the other
 * side for a sign of life are answered on the way. -EREMOTEIO: the reply is an error, and *@result that error.
 */
int jsonrpc_call(struct jsonrpc *rpc, const char *method, json_t *params, int64_t deadline,
		 json_t **result, struct sriov_error *err);
/* The next notification, a whole message; those that came before go first. -ETIMEDOUT sets no error. */
int jsonrpc_notification(struct jsonrpc *rpc, int64_t deadline, json_t **out,
			 struct sriov_error *err);

#endif
