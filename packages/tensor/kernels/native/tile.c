// The 6 x 16 register tile of products on a processor. A row is held in vectors as wide as the
// processor has: a compiler keeps vectors that are wider than its registers in memory.
#include "../tile.h"

#include "../vector.h"

// Vectors of a row.
#define PARTS (NR / WIDE)

void tile(int kc, const float *a, const float *b, float *c, int ldc, int accumulate) {
  fw sums[MR][PARTS] = {0};
  for (const float *end = a + (size_t)kc * MR; a != end; a += MR, b += NR) {
    fw line[PARTS];
#pragma GCC unroll 4
    for (int j = 0; j < PARTS; j++) line[j] = loadw(b + j * WIDE);
#pragma GCC unroll 6
    for (int i = 0; i < MR; i++) {
      const fw factor = splatw(a[i]);
#pragma GCC unroll 4
      for (int j = 0; j < PARTS; j++) sums[i][j] = maddw(factor, line[j], sums[i][j]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < MR; i++, c += ldc) {
#pragma GCC unroll 4
    for (int j = 0; j < PARTS; j++) {
      float *place = c + j * WIDE;
      storew(place, accumulate ? sums[i][j] + loadw(place) : sums[i][j]);
    }
  }
}
