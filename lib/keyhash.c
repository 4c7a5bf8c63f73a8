#include "keyhash.h"

#include <string.h>
#include <sys/random.h>

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void sip_block(uint64_t v[4], uint64_t block)
{
    v[3] ^= block;
    sip_round(v);
    v[0] ^= block;
}

unsigned keyhash(const struct keyhash_seed *seed, const char *key, size_t len)
{
    uint64_t v[4] = {
        seed->words[0] ^ UINT64_C(0x736f6d6570736575),
        seed->words[1] ^ UINT64_C(0x646f72616e646f6d),
        seed->words[0] ^ UINT64_C(0x6c7967656e657261),
        seed->words[1] ^ UINT64_C(0x7465646279746573),
    };
    uint64_t last = (uint64_t)len << 56, block;
    for (; len >= sizeof block; key += sizeof block, len -= sizeof block) {
        memcpy(&block, key, sizeof block);
        sip_block(v, block);
    }
    for (size_t i = 0; i < len; i++)
        last |= (uint64_t)(unsigned char)key[i] << (8 * i);
    sip_block(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return (unsigned)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

bool keyhash_seed(struct keyhash_seed *out)
{
    return getrandom(out, sizeof *out, 0) == (ssize_t)sizeof *out;
}
