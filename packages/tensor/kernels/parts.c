// Sums that several blocks of a kernel have a part in.
#include "vector.h"

// out = sum of `parts` arrays of `count` floats, part after part, so that it never depends on who
// computed which.
EXPORT(sum_parts)
void sum_parts(int parts, int count, const float *from, float *out) {
  __builtin_memset(out, 0, (size_t)count * sizeof(float));
  for (int p = 0; p < parts; p++, from += count) {
    int i = 0;
    for (; i + 4 <= count; i += 4) store4(out + i, load4(out + i) + load4(from + i));
    for (; i < count; i++) out[i] += from[i];
  }
}
