/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: which PFs are on which. */
#include "lib/guest/place.h"
#include "lib/store/db.h"

#include <string.h>

SRIOV_EXPORT void sriov_physnets_free(struct sriov_physnet *nets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(nets[i].pf);
	free(nets);
}

struct nets {
	struct sriov_physnet *at;
	size_t n;
};

static int add_row(sqlite3_stmt *row, void *data, struct sriov_error *err)
{
	struct nets *nets = data;
	const char *name = (const char *)sqlite3_column_text(row, 0);
	struct sriov_physnet *net = nets->n ? &nets->at[nets->n - 1] : NULL;
	char(*pf)[SRIOV_PCI_LEN];

	if (!net || strcmp(net->name, name) != 0) {
		net = core_grow(&nets->at, &nets->n, sizeof(*net));
		if (!net)
			return core_oom(err);
		store_column(row, 0, net->name);
		store_column(row, 2, net->bridge);
		net->uplink = sqlite3_column_int(row, 3);
		store_column(row, 4, net->port);
		store_column(row, 5, net->uplink_pf);
		net->uplink_vf = sqlite3_column_int(row, 6);
		store_column(row, 7, net->sockets);
		net->fallbacks = sqlite3_column_int(row, 8);
		policy_parse((const char *)sqlite3_column_text(row, 9),
			     (const char *)sqlite3_column_text(row, 10), &net->policy);
	}
	pf = core_grow(&net->pf, &net->npfs, sizeof(*pf));
	if (!pf)
		return core_oom(err);
	store_column(row, 1, *pf);
	return 0;
}

int store_physnet_list(struct store *store, struct sriov_physnet **out, size_t *n,
		       struct sriov_error *err)
{
	struct nets nets = {0};
	int r = store_run(store, err, add_row, &nets,
			  "SELECT physnet, pf, bridge, uplink, port, uplink_pf, uplink_vf, sockets,"
			  " fallbacks, paths, numa FROM physnet_pf JOIN physnet ON name = physnet"
			  " ORDER BY physnet, pf",
			  "");

	if (r < 0) {
		sriov_physnets_free(nets.at, nets.n);
		return r;
	}
	*out = nets.at;
	*n = nets.n;
	return 0;
}

int store_physnet_put(struct store *store, const struct sriov_physnet *net, struct sriov_error *err)
{
	char paths[POLICY_TEXT], numa[POLICY_TEXT];
	int r = store_run(store, err, NULL, NULL, "DELETE FROM physnet_pf WHERE physnet = ?", "t",
			  net->name);

	policy_format(&net->policy, paths, numa);
	if (r >= 0)
		r = store_run(store, err, NULL, NULL,
			      net->npfs ? "INSERT OR IGNORE INTO physnet (name) VALUES (?)"
					: "DELETE FROM physnet WHERE name = ?",
			      "t", net->name);
	if (r >= 0)
		r = store_run(store, err, NULL, NULL,
			      "UPDATE physnet SET bridge = ?, uplink = ?, port = ?, uplink_pf = ?,"
			      " uplink_vf = ?, sockets = ?, paths = ?, numa = ? WHERE name = ?",
			      "tittitttt", net->bridge, (int64_t)net->uplink, net->port,
			      net->uplink_pf, (int64_t)net->uplink_vf, net->sockets, paths, numa,
			      net->name);
	for (size_t i = 0; r >= 0 && i < net->npfs; i++)
		r = store_run(store, err, NULL, NULL,
			      "INSERT INTO physnet_pf (pf, physnet) VALUES (?, ?)", "tt",
			      net->pf[i], net->name);
	return r < 0 ? r : 0;
}

int store_physnet_replace(struct store *store, const struct sriov_physnet *nets, size_t n,
			  struct sriov_error *err)
{
	struct sriov_physnet *now = NULL;
	size_t nnow = 0;
	int r = store_physnet_list(store, &now, &nnow, err);

	/* none of them has a PF for a moment, so that a PF can move from one to another */
	if (!r)
		r = store_run(store, err, NULL, NULL, "DELETE FROM physnet_pf", "");
	for (size_t i = 0; r >= 0 && i < nnow; i++) {
		struct sriov_physnet gone = {0};
		size_t k = 0;

		while (k < n && strcmp(nets[k].name, now[i].name) != 0)
			k++;
		core_copy(gone.name, sizeof(gone.name), now[i].name);
		if (k == n)
			r = store_physnet_put(store, &gone, err);
	}
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = store_physnet_put(store, &nets[i], err);
	sriov_physnets_free(now, nnow);
	return r < 0 ? r : 0;
}
