/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations a second of the replay models: recorded lines are read once, and then replayed from memory, each on
 * a fresh device, for about a second.
 *
 *     replay FILE    prints "operations N", "seconds S", "rate R" (operations a second of processor time)
 */
#include "flows/nic/replay_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct recorded {
	struct nic_device device;
	struct nic_op *op;
	size_t n;
};

static void die(const char *what)
{
	fprintf(stderr, "replay: %s\n", what);
	exit(1);
}

static void read_line(const char *text, struct recorded *out)
{
	json_t *line = json_loads(text, 0, NULL), *ops = json_object_get(line, "ops");

	if (nic_device_read(line, &out->device, NULL))
		die("a device cannot be read");
	out->n = json_array_size(ops);
	out->op = calloc(out->n + 1, sizeof(*out->op));
	for (size_t i = 0; i < out->n; i++)
		if (!out->op || nic_op_read(json_array_get(ops, i), &out->op[i], NULL))
			die("an operation cannot be read");
	json_decref(line);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void replay(const struct recorded *line)
{
	struct nic_outcome out;
	struct nic_model *model;

	if (nic_model_new(&line->device, &model, NULL))
		die("no memory");
	for (size_t i = 0; i < line->n; i++)
		if (nic_model_run(model, &line->op[i], &out))
			die("no memory");
	nic_model_free(model);
}

int main(int argc, char **argv)
{
	FILE *in = argc > 1 ? fopen(argv[1], "r") : NULL;
	struct recorded *line = NULL;
	char *text = NULL;
	size_t room = 0, n = 0, done = 0;
	double began, took;

	if (!in)
		die("FILE cannot be read");
	while (getline(&text, &room, in) > 0) {
		struct recorded *one = core_grow(&line, &n, sizeof(*line));

		if (!one)
			die("no memory");
		read_line(text, one);
	}
	fclose(in);
	free(text);
	began = seconds();
	do {
		for (size_t i = 0; i < n; i++) {
			replay(&line[i]);
			done += line[i].n;
		}
		took = seconds() - began;
	} while (took < 1);
	printf("operations %zu\nseconds %.3f\nrate %.0f\n", done, took, (double)done / took);
	for (size_t i = 0; i < n; i++)
		free(line[i].op);
	free(line);
	return 0;
}
