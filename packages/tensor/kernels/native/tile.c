// The 6 x 16 register tile of products on a processor: vectors as wide as it has.
#include "../tile.h"

#include "../vector.h"

typedef float line __attribute__((vector_size(4 * NR)));
typedef float line_unaligned __attribute__((vector_size(4 * NR), aligned(4), may_alias));

INLINE line load_line(const float *p) { return *(const line_unaligned *)p; }
INLINE void store_line(float *p, line v) { *(line_unaligned *)p = v; }

// This file alone is compiled with contraction: a product and a sum are one instruction, with the
// one rounding of the relaxed wasm build.
void tile(int kc, const float *a, const float *b, float *c, int ldc, int accumulate) {
  line s0 = {0}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0;
  for (const float *end = a + (size_t)kc * MR; a != end; a += MR, b += NR) {
    const line v = load_line(b);
    s0 += a[0] * v;
    s1 += a[1] * v;
    s2 += a[2] * v;
    s3 += a[3] * v;
    s4 += a[4] * v;
    s5 += a[5] * v;
  }
  const line sums[MR] = {s0, s1, s2, s3, s4, s5};
  for (int i = 0; i < MR; i++, c += ldc)
    store_line(c, accumulate ? sums[i] + load_line(c) : sums[i]);
}
