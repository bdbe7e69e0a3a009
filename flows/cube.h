/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of packets as cubes: the values of some header bits, the others free. What rules are about is made of
 * them, and so is what is left of a rule when the rules before it have taken theirs.
 */
#ifndef SRIOV_FLOWS_CUBE_H
#define SRIOV_FLOWS_CUBE_H

#include "flows/words.h"

/*
 * All bits of struct sriov_match, the most significant of each field first, so that halves of a prefix or a
 * range of ports differ in the first free bit. One bit more says that the packet has a tag: rules that
 * match some of a tag mean packets that have one.
 */
#define BITS_WORDS 11
struct bits {
	uint64_t w[BITS_WORDS];
};

/* The word of the ports, and the @n lowest bits of the source port in it. */
#define BITS_PORTS 4
#define BITS_SPREAD(n) (((UINT64_C(1) << (n)) - 1) << 48)
#define BITS_DST_PORT(bits) ((uint16_t)((bits)->w[BITS_PORTS] >> 32))
/* The word that has the bit for the tag. */
#define BITS_TAGGED 6
/* The word of user-def. */
#define BITS_USER_DEF 8
/* The words of what is inside a tunnel. */
#define BITS_INNER 9
#define BITS_VNI 10
#define BITS_TUNNEL (1u << BITS_INNER | 1u << BITS_VNI)

void bits_pack(const struct sriov_match *match, struct bits *out);
/* The bit for the tag has no place in a match: it is left out. */
void bits_unpack(const struct bits *bits, struct sriov_match *out);
bool bits_any(const struct bits *bits);
unsigned bits_count(const struct bits *bits);
/* Of one word. Not every processor that we run on has an instruction for it, and the compiler's own call is dear. */
static inline unsigned bits_count_word(uint64_t word)
{
	word -= word >> 1 & 0x5555555555555555;
	word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return word * 0x0101010101010101 >> 56;
}
/* The two are equal in the bits of @mask. */
bool bits_agree(const struct bits *a, const struct bits *b, const struct bits *mask);
uint64_t bits_hash(const struct bits *bits, uint64_t seed);

#define CUBE_ANY_SCOPE (-2)
#define CUBE_PF (-1)
struct cube {
	uint16_t types; /* classes of packets: flow_type_classes() */
	int16_t scope;  /* of packets that the switch gives to this VF, CUBE_PF, or to any */
	uint16_t flex;  /* which bytes user-def is about, where that is part of its value; else 0 */
	uint16_t words; /* those of the mask that are not zero, as bits: most are */
	struct bits value, mask; /* values are zero where the mask is */
};

/* Packets of those classes that match; the caller sets scope and flex. */
void cube_set(struct cube *cube, unsigned types, const struct sriov_match *value,
	      const struct sriov_match *mask);
/* The same with other ports. */
void cube_set_ports(struct cube *cube, const struct sriov_match *value,
		    const struct sriov_match *mask);
/* What @a has in word @i of its mask is about the same bytes of a packet as that of @b. */
static inline bool cube_says(const struct cube *a, const struct cube *b, unsigned i)
{
	return i != BITS_USER_DEF || a->flex == b->flex;
}
/* Some packet may be in both. */
static inline bool cube_meets(const struct cube *a, const struct cube *b)
{
	unsigned words = a->words & b->words;

	if (!(a->types & b->types) ||
	    (a->scope != b->scope && a->scope != CUBE_ANY_SCOPE && b->scope != CUBE_ANY_SCOPE))
		return false;
	/* words at different places say nothing of each other */
	if (a->flex != b->flex)
		words &= ~(1u << BITS_USER_DEF);
	for (; words; words &= words - 1) {
		unsigned i = __builtin_ctz(words);

		if ((a->value.w[i] ^ b->value.w[i]) & a->mask.w[i] & b->mask.w[i])
			return false;
	}
	return true;
}
/*
 * Bits that @a names and @b leaves free: if they are none, and the rest of @a says no less, @a covers @b.
 */
void cube_extra(const struct cube *a, const struct cube *b, struct bits *out);
/* How many of them are in @of. */
unsigned cube_extra_count(const struct cube *a, const struct cube *b, const struct bits *of);
/* Every packet of @b, which meets @a, is in @a, where @a names no more words. */
bool cube_holds(const struct cube *a, const struct cube *b);
/* Every packet of @b, which meets @a, is in @a: mostly told by what a look shows. */
static inline bool cube_within(const struct cube *b, const struct cube *a)
{
	/* of the word of the tag a bit may be named without saying it */
	return !(b->types & ~a->types) && !(a->words & ~b->words & ~(1u << BITS_TAGGED)) &&
	       (a->scope == CUBE_ANY_SCOPE || a->scope == b->scope) && cube_holds(a, b);
}
/*
 * Halves @cube at the first bit of @bits (not empty): @like gets the half as @model has it, @other the other. That bit,
 * and its word in @word.
 */
uint64_t cube_split(const struct cube *cube, const struct bits *bits, const struct cube *model,
		    struct cube *like, struct cube *other, unsigned *word);

#endif
