/* SPDX-License-Identifier: Apache-2.0 */
/* YAML by libyaml, which is loaded when the first file is read: linking it would cost every command its start-up. */
#include "lib/core/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* What is used of libyaml. Each becomes a member that points at the symbol of that name. */
#define SYMBOLS(X)                                                                                 \
	X(yaml_parser_initialize)                                                                  \
	X(yaml_parser_delete)                                                                      \
	X(yaml_parser_set_input_string)                                                            \
	X(yaml_parser_parse)                                                                       \
	X(yaml_event_delete)

struct library {
#define X(symbol) __typeof__(symbol) *symbol;
	SYMBOLS(X)
#undef X
};

static int load(const struct library **out, struct sriov_error *err)
{
	static struct library lib;
	static const struct core_symbol symbols[] = {
#define X(symbol) {#symbol, offsetof(struct library, symbol)},
		SYMBOLS(X)
#undef X
	};
	static struct core_library libyaml = {
		"libyaml", "libyaml-0.so.2", "host files cannot be read", "libyaml-0-2",
		"0.2",     symbols,          ARRAY_SIZE(symbols),         &lib};
	int r = core_library_load(&libyaml, err);

	if (!r)
		*out = &lib;
	return r;
}

struct reader {
	const struct library *lib;
	const char *file;
	yaml_parser_t parser;
	yaml_event_t event; /* the one that was read last */
	bool has_event;
	struct sriov_error *err;
};

int core_yaml_error(struct sriov_error *err, int code, const char *file, unsigned line,
		    unsigned column, const char *fmt, ...)
{
	char object[96], message[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	/* of a long path the end tells more */
	snprintf(object, sizeof(object), "%s:%u:%u",
		 strlen(file) > 72 ? file + strlen(file) - 72 : file, line, column);
	return sriov_error_set(err, code, object, "%s", message);
}

static int refuse(struct reader *reader, const char *what, const char *hint)
{
	const yaml_mark_t *mark = &reader->event.start_mark;

	core_yaml_error(reader->err, -EINVAL, reader->file, mark->line + 1, mark->column + 1, "%s",
			what);
	return sriov_error_hint(reader->err, "%s", hint);
}

static int next(struct reader *reader)
{
	yaml_parser_t *parser = &reader->parser;

	if (reader->has_event)
		reader->lib->yaml_event_delete(&reader->event);
	reader->has_event = reader->lib->yaml_parser_parse(parser, &reader->event);
	if (reader->has_event)
		return 0;
	if (parser->error == YAML_MEMORY_ERROR)
		return core_oom(reader->err);
	core_yaml_error(reader->err, -EINVAL, reader->file, parser->problem_mark.line + 1,
			parser->problem_mark.column + 1, "this is not YAML: %s%s%s",
			parser->problem ?: "it cannot be read", parser->context ? ", " : "",
			parser->context ?: "");
	if (parser->error == YAML_READER_ERROR)
		return sriov_error_hint(reader->err, "host files are UTF-8 without control "
						     "characters");
	return sriov_error_hint(reader->err, "indent by blanks, not tabs; values with ': ' or ' #' "
					     "in them need quotes");
}

static void clear(struct core_yaml *node)
{
	for (size_t i = 0; i < node->n; i++)
		clear(&node->child[i]);
	free(node->child);
	free(node->key);
	free(node->text);
}

void core_yaml_free(struct core_yaml *tree)
{
	if (tree)
		clear(tree);
	free(tree);
}

/* What an event may carry and a host file has no use for. */
static int check_plain(struct reader *reader)
{
	const yaml_event_t *event = &reader->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		anchor = event->data.alias.anchor;
		break;
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor)
		return refuse(reader, "anchors and aliases (&, *) are not taken",
			      "write it out, or quote a text that begins so");
	if (tag)
		return refuse(reader, "tags (!) are not taken",
			      "leave it out, or quote a text that begins so");
	return 0;
}

static int take_text(struct reader *reader, char **out)
{
	const yaml_event_t *event = &reader->event;
	const char *value = (const char *)event->data.scalar.value;
	char *text;

	if (memchr(value, '\0', event->data.scalar.length))
		return refuse(reader, "a text with a NUL in it", "leave it out");
	text = strdup(value);
	if (!text)
		return core_oom(reader->err);
	*out = text;
	return 0;
}

static int read_node(struct reader *reader, unsigned depth, struct core_yaml *node);

static struct core_yaml *add_child(struct reader *reader, struct core_yaml *node)
{
	struct core_yaml *child;

	if (node->n == CORE_YAML_CHILDREN_MAX) {
		refuse(reader, "more members than a list or mapping of a host file can have",
		       "at most 1024");
		return NULL;
	}
	child = core_grow(&node->child, &node->n, sizeof(*child));
	if (!child)
		core_oom(reader->err);
	return child;
}

static int read_list(struct reader *reader, unsigned depth, struct core_yaml *node)
{
	int r = next(reader);

	while (!r && reader->event.type != YAML_SEQUENCE_END_EVENT) {
		struct core_yaml *child = add_child(reader, node);

		if (!child)
			return reader->err->code;
		r = read_node(reader, depth + 1, child);
		if (!r)
			r = next(reader);
	}
	return r;
}

static int read_key(struct reader *reader, struct core_yaml *node, struct core_yaml *child)
{
	int r = check_plain(reader);

	if (r < 0)
		return r;
	if (reader->event.type != YAML_SCALAR_EVENT)
		return refuse(reader, "a key is a word, not a list or mapping", "write KEY: VALUE");
	child->key_line = reader->event.start_mark.line + 1;
	child->key_column = reader->event.start_mark.column + 1;
	r = take_text(reader, &child->key);
	for (const struct core_yaml *other = node->child; !r && other < child; other++) {
		if (strcmp(other->key, child->key) != 0)
			continue;
		core_yaml_error(reader->err, -EEXIST, reader->file, child->key_line,
				child->key_column, "'%s' stands here twice; first in line %u",
				child->key, other->key_line);
		r = sriov_error_hint(reader->err, "keep one of them");
	}
	return r;
}

static int read_map(struct reader *reader, unsigned depth, struct core_yaml *node)
{
	int r = next(reader);

	while (!r && reader->event.type != YAML_MAPPING_END_EVENT) {
		struct core_yaml *child = add_child(reader, node);

		if (!child)
			return reader->err->code;
		r = read_key(reader, node, child);
		if (!r)
			r = next(reader);
		if (!r)
			r = read_node(reader, depth + 1, child);
		if (!r)
			r = next(reader);
	}
	return r;
}

/* The node that begins with the event that was read last. */
static int read_node(struct reader *reader, unsigned depth, struct core_yaml *node)
{
	const yaml_event_t *event = &reader->event;
	int r = check_plain(reader);

	if (r < 0)
		return r;
	if (depth > CORE_YAML_DEPTH_MAX)
		return refuse(reader, "deeper than a host file can be", "at most 12 levels");
	node->line = event->start_mark.line + 1;
	node->column = event->start_mark.column + 1;
	node->last_line = event->end_mark.line + 1;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		node->literal = event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE;
		return take_text(reader, &node->text);
	case YAML_SEQUENCE_START_EVENT:
		node->kind = CORE_YAML_LIST;
		return read_list(reader, depth, node);
	case YAML_MAPPING_START_EVENT:
		node->kind = CORE_YAML_MAP;
		return read_map(reader, depth, node);
	default:
		return refuse(reader, "something else than a text, a list or a mapping",
			      "write KEY: VALUE");
	}
}

static int read_stream(struct reader *reader, struct core_yaml *tree)
{
	int r = next(reader); /* the stream's beginning */

	if (!r)
		r = next(reader);
	if (r < 0)
		return r;
	if (reader->event.type == YAML_STREAM_END_EVENT) {
		*tree = (struct core_yaml){.kind = CORE_YAML_MAP, .line = 1, .column = 1};
		return 0;
	}
	r = next(reader);
	if (!r)
		r = read_node(reader, 1, tree);
	if (!r)
		r = next(reader); /* the document's end */
	if (!r)
		r = next(reader);
	if (!r && reader->event.type != YAML_STREAM_END_EVENT)
		r = refuse(reader, "a second document begins here", "a host file is one document");
	return r;
}

int core_yaml_parse(const char *text, const char *file, struct core_yaml **out,
		    struct sriov_error *err)
{
	struct sriov_error unused;
	struct reader reader = {.file = file, .err = err ?: &unused};
	struct core_yaml *tree;
	size_t size = strlen(text);
	int r = load(&reader.lib, reader.err);

	if (r < 0)
		return r;
	if (size > CORE_YAML_SIZE_MAX)
		return sriov_error_set(err, -EFBIG, file, "longer than the %d MiB of a host file",
				       CORE_YAML_SIZE_MAX >> 20);
	tree = calloc(1, sizeof(*tree));
	if (!tree || !reader.lib->yaml_parser_initialize(&reader.parser)) {
		free(tree);
		return core_oom(err);
	}
	reader.lib->yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
	r = read_stream(&reader, tree);
	if (reader.has_event)
		reader.lib->yaml_event_delete(&reader.event);
	reader.lib->yaml_parser_delete(&reader.parser);
	if (r < 0) {
		core_yaml_free(tree);
		return r;
	}
	*out = tree;
	return 0;
}

const struct core_yaml *core_yaml_find(const struct core_yaml *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->child[i].key && !strcmp(map->child[i].key, key))
			return &map->child[i];
	return NULL;
}
