/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of packets as cubes: see cube.h. */
#include "flows/cube.h"

#include <endian.h>
#include <string.h>

/* Where the fields stand. */
enum {
	SRC_IP = 0,
	DST_IP = 2,
	NUMBERS = BITS_PORTS,
	MORE_NUMBERS = 5,
	SRC_MAC = BITS_TAGGED,
	DST_MAC = 7,
	USER_DEF = BITS_USER_DEF,
};
#define TAG_BIT UINT64_C(1) /* of the word of the source MAC */

/* Up to eight bytes as the upper ones of a word. */
static inline uint64_t bytes_load(const uint8_t *at, unsigned n)
{
	uint64_t word = 0;

	memcpy(&word, at, n);
	return be64toh(word);
}

static inline void bytes_store(uint64_t word, uint8_t *at, unsigned n)
{
	word = htobe64(word);
	memcpy(at, &word, n);
}

static uint64_t ports_of(const struct sriov_match *match)
{
	return (uint64_t)match->src_port << 48 | (uint64_t)match->dst_port << 32;
}

void bits_pack(const struct sriov_match *m, struct bits *out)
{
	*out = (struct bits){
		.w = {
			[SRC_IP] = bytes_load(m->src_ip, 8),
			[SRC_IP + 1] = bytes_load(m->src_ip + 8, 8),
			[DST_IP] = bytes_load(m->dst_ip, 8),
			[DST_IP + 1] = bytes_load(m->dst_ip + 8, 8),
			[NUMBERS] = ports_of(m) | (uint64_t)m->tos << 24 | m->proto << 16 |
				    m->vlan_tci,
			[MORE_NUMBERS] = (uint64_t)m->l4_bytes << 32 |
					 (uint32_t)m->ethertype << 16 | m->vlan_etype,
			[SRC_MAC] = bytes_load(m->src_mac, 6) | (uint64_t)m->tcp_flags << 8,
			[DST_MAC] = bytes_load(m->dst_mac, 6) | m->e_tag,
			[USER_DEF] = m->user_def,
			[BITS_INNER] = bytes_load(m->inner_dst, 6) | m->inner_vlan,
			[BITS_VNI] = m->vni,
		}};
}

void bits_unpack(const struct bits *b, struct sriov_match *out)
{
	uint64_t numbers = b->w[NUMBERS], more = b->w[MORE_NUMBERS];

	memset(out, 0, sizeof(*out));
	bytes_store(b->w[SRC_IP], out->src_ip, 8);
	bytes_store(b->w[SRC_IP + 1], out->src_ip + 8, 8);
	bytes_store(b->w[DST_IP], out->dst_ip, 8);
	bytes_store(b->w[DST_IP + 1], out->dst_ip + 8, 8);
	out->src_port = numbers >> 48;
	out->dst_port = numbers >> 32;
	out->tos = numbers >> 24;
	out->proto = numbers >> 16;
	out->vlan_tci = numbers;
	out->l4_bytes = more >> 32;
	out->ethertype = more >> 16;
	out->vlan_etype = more;
	bytes_store(b->w[SRC_MAC], out->src_mac, 6);
	bytes_store(b->w[DST_MAC], out->dst_mac, 6);
	out->tcp_flags = b->w[SRC_MAC] >> 8;
	out->e_tag = b->w[DST_MAC];
	out->user_def = b->w[USER_DEF];
	bytes_store(b->w[BITS_INNER], out->inner_dst, 6);
	out->inner_vlan = b->w[BITS_INNER];
	out->vni = b->w[BITS_VNI];
}

bool bits_any(const struct bits *b)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < BITS_WORDS; i++)
		any |= b->w[i];
	return any;
}

unsigned bits_count(const struct bits *b)
{
	unsigned n = 0;

	/* most words are empty */
	for (unsigned i = 0; i < BITS_WORDS; i++)
		if (b->w[i])
			n += bits_count_word(b->w[i]);
	return n;
}

bool bits_agree(const struct bits *a, const struct bits *b, const struct bits *mask)
{
	uint64_t differ = 0;

	for (unsigned i = 0; i < BITS_WORDS; i++)
		differ |= (a->w[i] ^ b->w[i]) & mask->w[i];
	return !differ;
}

uint64_t bits_hash(const struct bits *b, uint64_t seed)
{
	for (unsigned i = 0; i < BITS_WORDS; i++) {
		if (!b->w[i])
			continue;
		seed = ((seed + i) ^ b->w[i]) * UINT64_C(0x9e3779b97f4a7c15);
		seed ^= seed >> 29;
	}
	return seed;
}

void cube_set(struct cube *cube, unsigned types, const struct sriov_match *value,
	      const struct sriov_match *mask)
{
	memset(cube, 0, sizeof(*cube));
	cube->types = types;
	cube->scope = CUBE_ANY_SCOPE;
	bits_pack(value, &cube->value);
	bits_pack(mask, &cube->mask);
	for (unsigned i = 0; i < BITS_WORDS; i++)
		cube->value.w[i] &= cube->mask.w[i];
	if (mask->vlan_tci || mask->vlan_etype) {
		cube->mask.w[SRC_MAC] |= TAG_BIT;
		cube->value.w[SRC_MAC] |= TAG_BIT;
	}
	for (unsigned i = 0; i < BITS_WORDS; i++)
		cube->words |= (unsigned)(cube->mask.w[i] != 0) << i;
}

void cube_set_ports(struct cube *cube, const struct sriov_match *value,
		    const struct sriov_match *mask)
{
	const uint64_t others = UINT32_MAX;

	cube->mask.w[NUMBERS] = (cube->mask.w[NUMBERS] & others) | ports_of(mask);
	cube->value.w[NUMBERS] = (cube->value.w[NUMBERS] & others) |
				 (ports_of(value) & ports_of(mask));
	cube->words &= ~(1u << NUMBERS);
	cube->words |= (unsigned)(cube->mask.w[NUMBERS] != 0) << NUMBERS;
}

static uint64_t extra_of_word(const struct cube *a, const struct cube *b, unsigned i)
{
	uint64_t named = b->mask.w[i];

	if (!cube_says(a, b, i))
		named = 0;
	/* a packet without a tag counts as one with tag 0, so any other value tells that there is one */
	if (i == SRC_MAC && (b->value.w[NUMBERS] & 0xffff))
		named |= TAG_BIT;
	return a->mask.w[i] & ~named;
}

void cube_extra(const struct cube *a, const struct cube *b, struct bits *out)
{
	*out = (struct bits){0};
	for (unsigned words = a->words; words; words &= words - 1) {
		unsigned i = __builtin_ctz(words);

		out->w[i] = extra_of_word(a, b, i);
	}
}

unsigned cube_extra_count(const struct cube *a, const struct cube *b, const struct bits *of)
{
	unsigned n = 0;

	for (unsigned words = a->words; words; words &= words - 1) {
		unsigned i = __builtin_ctz(words);

		n += bits_count_word(extra_of_word(a, b, i) & of->w[i]);
	}
	return n;
}

bool cube_holds(const struct cube *a, const struct cube *b)
{
	for (unsigned words = a->words; words; words &= words - 1)
		if (extra_of_word(a, b, __builtin_ctz(words)))
			return false;
	return true;
}

uint64_t cube_split(const struct cube *cube, const struct bits *bits, const struct cube *model,
		    struct cube *like, struct cube *other, unsigned *word)
{
	unsigned i = 0;
	uint64_t bit;

	while (!bits->w[i])
		i++;
	bit = UINT64_C(1) << (63 - __builtin_clzll(bits->w[i]));
	*like = *cube;
	like->mask.w[i] |= bit;
	like->words |= 1u << i;
	*other = *like;
	like->value.w[i] |= model->value.w[i] & bit;
	other->value.w[i] |= ~model->value.w[i] & bit;
	*word = i;
	return bit;
}
