// The 6 x 8 register tile that all products are made of.
#include "tile.h"

#include "vector.h"

typedef struct {
  f4 v[MR][2];
} Sums;

INLINE void add_step(const float *a, const float *b, Sums *s) {
  const f4 b0 = load4(b), b1 = load4(b + 4);
#pragma clang loop unroll(full)
  for (int i = 0; i < MR; i++) {
    const f4 x = splat4(a[i]);
    s->v[i][0] = madd4(x, b0, s->v[i][0]);
    s->v[i][1] = madd4(x, b1, s->v[i][1]);
    // Keeps the rows in this order: together they would need more registers than there are.
    __asm__ volatile("" ::: "memory");
  }
}

EXPORT(tile)
void tile(int kc, const float *a, const float *b, float *c, int ldc, int accumulate) {
  Sums s = {0};
  // The end as an address: one register fewer in the loop than a counter.
  for (const float *end = a + (size_t)kc * MR; a != end; a += MR, b += NR) add_step(a, b, &s);
  for (int i = 0; i < MR; i++, c += ldc) {
    if (accumulate) {
      s.v[i][0] += load4(c);
      s.v[i][1] += load4(c + 4);
    }
    store4(c, s.v[i][0]);
    store4(c + 4, s.v[i][1]);
  }
}
