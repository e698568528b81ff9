// What the machine can do at most: multiply-adds in registers, and a pass over long arrays.
#include "vector.h"

// Independent chains: enough to hide the latency of two units, few enough for 16 registers.
#define CHAINS 12

// out[i] = the sum of chains of x = x a + a, `rounds` steps each: rounds * 12 * 8 operations an
// item and no memory. With a = 1/2 the chains approach 1, so that no value is slow to compute.
EXPORT(peak_fma)
void peak_fma(int begin, int end, float *scratch, float *out, int rounds, float a) {
  (void)scratch;
  const f4 factor = splat4(a);
  for (int i = begin; i < end; i++) {
    f4 x[CHAINS];
    for (int c = 0; c < CHAINS; c++) x[c] = splat4((float)(i + c));
    for (int round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
      for (int c = 0; c < CHAINS; c++) x[c] = madd4(x[c], factor, factor);
    }
    f4 sum = splat4(0);
    for (int c = 0; c < CHAINS; c++) sum += x[c];
    out[i] = sum4(sum);
  }
}

// a = b + s c: two reads and a write for two operations.
EXPORT(triad)
void triad(int begin, int end, float *scratch, float *a, const float *b, const float *c, float s) {
  (void)scratch;
  const f4 factor = splat4(s);
  int i = begin;
  for (; i + 4 <= end; i += 4) store4(a + i, madd4(load4(c + i), factor, load4(b + i)));
  for (; i < end; i++) a[i] = b[i] + s * c[i];
}
