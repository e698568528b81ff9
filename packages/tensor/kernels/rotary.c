// Rotary embedding: pairs of features turned by an angle that grows with the position.
#include "vector.h"

// Pairs (2 i, 2 i + 1); `sign` -1 turns back.
static void turn_interleaved(int pairs, const float *x, const float *cosines, const float *sines,
                             float sign, float *out) {
  int i = 0;
  for (; i + 2 <= pairs; i += 2) {
    const f4 v = load4(x + 2 * i);
    const f4 swapped = __builtin_shufflevector(v, v, 1, 0, 3, 2);
    const float s0 = sign * sines[i], s1 = sign * sines[i + 1];
    const f4 c = {cosines[i], cosines[i], cosines[i + 1], cosines[i + 1]}, s = {-s0, s0, -s1, s1};
    store4(out + 2 * i, v * c + swapped * s);
  }
  for (; i < pairs; i++) {
    const float a = x[2 * i], b = x[2 * i + 1], s = sign * sines[i];
    out[2 * i] = a * cosines[i] - b * s;
    out[2 * i + 1] = b * cosines[i] + a * s;
  }
}

// Pairs (i, i + pairs).
static void turn_halves(int pairs, const float *x, const float *cosines, const float *sines,
                        float sign, float *out) {
  int i = 0;
  for (; i + 4 <= pairs; i += 4) {
    const f4 a = load4(x + i), b = load4(x + pairs + i);
    const f4 c = load4(cosines + i), s = load4(sines + i) * splat4(sign);
    store4(out + i, a * c - b * s);
    store4(out + pairs + i, b * c + a * s);
  }
  for (; i < pairs; i++) {
    const float a = x[i], b = x[pairs + i], s = sign * sines[i];
    out[i] = a * cosines[i] - b * s;
    out[pairs + i] = b * cosines[i] + a * s;
  }
}

// Row n of x stands at place n % length, whose `pairs` cosines and sines are the tables' row; the
// features behind the pairs stay as they are.
EXPORT(rotary_rows)
void rotary_rows(int begin, int end, const float *scratch, int length, int width, int pairs,
                 int interleaved, float sign, const float *x, const float *cosines,
                 const float *sines, float *out) {
  (void)scratch;
  x += (size_t)begin * width, out += (size_t)begin * width;
  for (int n = begin; n < end; n++, x += width, out += width) {
    const size_t place = (size_t)(n % length) * pairs;
    if (interleaved) turn_interleaved(pairs, x, cosines + place, sines + place, sign, out);
    else turn_halves(pairs, x, cosines + place, sines + place, sign, out);
    for (int d = 2 * pairs; d < width; d++) out[d] = x[d];
  }
}
