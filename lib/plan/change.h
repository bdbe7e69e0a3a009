/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One change of one PF: lock, recover what an earlier change left, read, plan, journal, apply, read back,
 * commit; or undo. There is no second way to an effect.
 */
#ifndef SRIOV_PLAN_CHANGE_H
#define SRIOV_PLAN_CHANGE_H

#include "lib/guest/virt.h"
#include "lib/plan/step.h"
#include "lib/store/store.h"

/* All of a PF that plans look at. */
#define CHANGE_READ_ALL (SRIOV_READ_ALL & ~(SRIOV_READ_NODES | SRIOV_READ_OVERRIDES))

/* So many steps the journal keeps in words, for people who look into it: what they do, its states say. */
#define CHANGE_STEPS_SHOWN 20

struct change {
	struct sriov_host *host;
	const struct sriov_options *opts;
	struct sriov_inventory *inv; /* of the one PF, as last read; pf points into it */
	struct sriov_pf *pf;
	unsigned what; /* what is read: enum sriov_what */
	unsigned
		fresh; /* what inv was read with a moment ago and nobody has looked at, 0 = nothing */
	struct store *store;    /* NULL in a dry run without a database */
	struct store_pf known;  /* the PF's row; all zero if there is none */
	struct pf_state intent; /* the last committed one */
	struct pf_state want; /* what this change asks for; filled by the caller of change_open() */
	struct state_text
		told; /* the text of what is wanted, as the journal has it; zero: not yet */
	struct sriov_plan *plan;
	uint32_t
		nowhere; /* a location that a DEL may name to make the driver look again, 0 = none */
	size_t nleases;  /* of the PF, when it was read */
	struct virt_domain domain; /* that want.guest is of, as last read; zero: there is none */
	struct bridge *bridge;     /* that the change concerns: bridge.h; NULL: none */
	struct vlans *vlans;       /* that the change concerns: vlan.h; NULL: none */
	char bridge_locked[16];    /* whose lock is held, also from a recovery before; "" = none */
	struct sriov_lease *take;  /* leases that the commit records: adopted ones */
	size_t ntake;
	bool net_recorded; /* want.net's network is in the database */
	bool brief; /* nobody is shown the plan: of its steps only those of the journal are told */
	bool keep_on_no_link; /* restore: without a link the rates stay pending, the rest is kept */
};

/* Lines that outlive a change. */
struct change_notes {
	char **at;
	size_t n;
};

/* ---- change.c: opening, reading, telling ---- */

/*
 * Takes the PF's lock (not in a dry run) and loads what is known of it. @pf is a netdev or PCI address.
 * change_close() frees everything and gives the lock back.
 */
int change_open_unrecovered(struct change *change, struct sriov_host *host, const char *pf,
			    unsigned what, const struct sriov_options *opts,
			    struct sriov_error *err);
void change_close(struct change *change);
/* Loads what is recorded of the PF: anew, if it was loaded before. */
int change_load(struct change *change, struct sriov_error *err);
/* Reads the PF into change->inv, with what the database knows. */
int change_read(struct change *change, struct sriov_error *err);
/* The steps from the PF, and the guest's domain, as last read, to @want. */
int change_diff(struct change *change, const struct pf_state *want, struct steps *steps,
		struct sriov_error *err);
/* What a driver does not report (VF link states of ixgbe before 6.12) is taken from @believed. */
void change_assume_unreported(struct change *change, const struct pf_state *believed);
/*
 * Takes out of what is wanted what libvirt owns while a running <interface type='hostdev'> holds the VF:
 * MAC, VLAN, driver. It writes them at the guest's start and puts them back at its end.
 */
void change_leave_libvirts(struct change *change);
/* The plan in words and its digest, from @steps (whose notes it takes); and later how far they came. */
int change_tell(struct change *change, struct steps *steps, struct sriov_error *err);
void change_tell_states(struct change *change, const struct steps *steps);
/* Adds a note to the plan as shown. */
int change_note(struct change *change, struct sriov_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int change_notes_add(struct change_notes *notes, struct sriov_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void change_notes_clear(struct change_notes *notes);
/* Hands the plan to the caller of a public function (also after a failure). */
void change_give_plan(struct change *change, struct sriov_plan **plan);
/* Seconds to wait for another command. */
static inline unsigned change_lock_timeout(const struct change *change)
{
	return change->opts->lock_timeout ? change->opts->lock_timeout : 30;
}
/* What the user typed, for the journal and the lock. */
static inline const char *change_command(const struct change *change)
{
	return change->opts->command ? change->opts->command : "libsriov";
}

/* ---- change_guest.c: the guest's side of a change ---- */

/* Reads the domain that @state's guest part is of into change->domain; none is no error. */
int change_read_guest(struct change *change, const struct guest_state *guest,
		      struct sriov_error *err);
/* Takes the uses by want.self out of what was read. */
void change_drop_self(struct change *change);
/* Where the domain, as last read, has the devices: guest->there, of what it speaks of. */
int change_guest_there(const struct change *change, struct guest_state *guest,
		       struct sriov_error *err);
/* Whether @want is a move of a pair between its sides. */
bool change_is_pair(const struct pf_state *want);
/* Adds the steps that attach and limit (@on) or detach devices, as far as @want has them otherwise. */
int change_guest_steps(const struct change *change, const struct pf_state *want, bool on,
		       struct steps *steps, struct sriov_error *err);

/* ---- apply.c: what a change and its recovery share ---- */

/* What an option of seconds bounds, in milliseconds: 0 = 30 s. */
int64_t apply_timeout_ms(unsigned seconds);

struct steps_result {
	size_t done;  /* steps that ran */
	bool touched; /* an effect was tried */
};
int apply_steps(struct change *change, struct steps *steps, long journal,
		struct steps_result *result, struct sriov_error *err);
/* Reads the PF again; -EIO naming what is not as @want says. */
int apply_verify(struct change *change, const struct pf_state *want, struct sriov_error *err);
/* Brings @before back in *@undone steps and reads back; the error says what could not be undone. */
int apply_undo(struct change *change, const struct pf_state *before, size_t *undone,
	       struct sriov_error *err);
/* The durable end of a change: journal, intent, epoch, leases, pools in one transaction. */
int apply_commit(struct change *change, const struct pf_state *before, long journal,
		 struct sriov_error *err);
/* apply_commit() inside of a transaction of the caller's, for changes that are committed together. */
int apply_commit_part(struct change *change, const struct pf_state *before, long journal,
		      struct sriov_error *err);
/* What a commit would record as the PF's intent, in fresh memory; NULL: nothing. */
int apply_intent_text(const struct change *change, char **text, struct sriov_error *err);
/* Closes the journal of a change that was undone, and with it the lease that @before has not. */
int apply_undone_status(struct change *change, const struct pf_state *before, long journal,
			const char *why, struct sriov_error *err);
/* Closes or marks a journal durably. */
int apply_journal_status(struct change *change, long journal, const char *status, const char *why,
			 struct sriov_error *err);

/* ---- recover.c: what the PF's open journal asks for, under the lock ---- */

enum recover_how { RECOVER_AUTO, RECOVER_RESUME, RECOVER_UNDO };
/* The way that a recovery goes: on to change->want, or back to the state before. */
struct recovery {
	struct store_journal journal;
	struct pf_state before;
	struct steps steps;
	bool forward;
};
void recovery_clear(struct recovery *recovery);
/* The PF's open journal. -ENOENT (no error set): there is none. */
int recovery_load(struct change *change, struct recovery *recovery, struct sriov_error *err);
/* Decides by readback: forward if nothing is left to do or the operator says so, else back. */
int recovery_choose(struct change *change, struct recovery *recovery, enum recover_how how,
		    struct sriov_error *err);
/* Back, whatever was chosen. */
int recovery_turn(struct change *change, struct recovery *recovery, struct sriov_error *err);
/* Refuses if guests or the host's traffic have come to what the steps would hit. */
int recovery_guard(struct change *change, const struct recovery *recovery, struct sriov_error *err);
/* The steps, and the readback; nothing is recorded. */
int recovery_run(struct change *change, struct recovery *recovery, struct sriov_error *err);
/* Tells of a recovery that failed, whose journal stays open. */
void recovery_leave_open(struct change *change, const struct store_journal *journal,
			 struct sriov_error *err);
/* A journal that is of its PF alone. */
int recover_pf(struct change *change, enum recover_how how, struct sriov_error *err);
/*
 * The journal of @change, which was opened unrecovered, if there is one; if it is part of a generation over several
 * PFs, all of them: the PF's lock is given back and taken again. What was done is added to @notes.
 */
int recover_open(struct change *change, struct change_notes *notes, struct sriov_error *err);

/* ---- run.c: the whole of it ---- */

/* The steps to change->want, told, and whether they may be done. */
int change_plan(struct change *change, struct steps *steps, struct sriov_error *err);
/* What stands at all places that the change speaks of. */
int change_capture(struct change *change, struct pf_state *before, struct sriov_error *err);
/* Leases are made without the PF's lock: -EAGAIN if they have changed. In the transaction of the journal. */
int change_check_leases(struct change *change, struct sriov_error *err);
/* Opens the change's journal, in a transaction of the caller's. @generation: that it is part of, 0 = none. */
int change_record(struct change *change, const struct pf_state *before, size_t nsteps,
		  long generation, struct sriov_error *err);
/*
 * A change that failed with @code and @err after its journal was opened: the old state comes back (if @touched) and
 * the journal is closed, or @err says why not. Returns @code.
 */
int change_fail(struct change *change, struct steps *steps, const struct pf_state *before,
		bool touched, int code, struct sriov_error *err);

/* Of a dry run: refuses where an open journal would be recovered first, as what stands then is not known before. */
int change_foretell(struct change *change, struct sriov_error *err);
/* Of a change that is open: recovers an open journal (not in a dry run) and reads the PF. */
int change_begin(struct change *change, struct sriov_error *err);
/* change_open_unrecovered(), then recovers an open journal (not in a dry run) and reads the PF. */
int change_open(struct change *change, struct sriov_host *host, const char *pf, unsigned what,
		const struct sriov_options *opts, struct sriov_error *err);
/* Plans from the PF to change->want, and unless it is a dry run applies and commits. */
int change_run(struct change *change, struct sriov_error *err);
/*
 * Does @steps instead, whose states are told, and then brings back what stood before at all places that
 * change->want speaks of. The journal is open meanwhile and ends as undone; nothing is committed.
 */
int change_run_undone(struct change *change, struct steps *steps, struct sriov_error *err);
/* Plans and shows, and goes no further. */
int change_show(struct change *change, struct sriov_error *err);

/*
 * Changes of several PFs, one after the other: one that fails must not keep the others, and the first error is
 * told. @tail is where the next plan goes.
 */
struct change_chain {
	struct sriov_plan **tail;
	int result;
	struct sriov_error first;
};
/* What came of the change whose plan is at the tail. */
void change_chain_add(struct change_chain *chain, int r, const struct sriov_error *why);
int change_chain_end(const struct change_chain *chain, struct sriov_error *err);

#endif
