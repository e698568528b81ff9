// Random bits as a hash of seed and position; the same numbers as in ops/hash.ts.
#pragma once

#include "vector.h"

// One round of an integer mixer: multiply and xor-shift, a bijection.
INLINE u4 mix4(u4 h) {
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return h ^ (h >> 16);
}

INLINE u4 splat_bits4(uint32_t x) { return (u4){x, x, x, x}; }

INLINE uint32_t mix1(uint32_t h) { return mix4(splat_bits4(h))[0]; }

// Bits at a position: two rounds, with the seed in between.
INLINE u4 bits4(u4 position, u4 key, u4 seed) { return mix4(mix4(position ^ key) + seed); }
