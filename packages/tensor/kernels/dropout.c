// Dropout whose mask is a hash of seed and position; the same numbers as in ops/dropout.ts.
#include "hash.h"

// out = x scaled where the hash is at or above the threshold, else 0.
EXPORT(dropout)
void dropout(int begin, int end, const float *scratch, const float *x, uint32_t seed,
             uint32_t threshold, float scale, float *out) {
  (void)scratch;
  const u4 s = splat_bits4(seed), limit = splat_bits4(threshold);
  const u4 key = mix4(s);
  const uint32_t first = (uint32_t)begin;
  u4 position = {first, first + 1, first + 2, first + 3};
  int i = begin;
  for (; i + 4 <= end; i += 4, position += 4) {
    const i4 kept = bits4(position, key, s) >= limit;
    store4(out + i, (f4)(kept & (i4)(load4(x + i) * splat4(scale))));
  }
  const u4 hash = bits4(position, key, s);
  for (int lane = 0; i < end; i++, lane++) out[i] = hash[lane] >= threshold ? x[i] * scale : 0;
}
