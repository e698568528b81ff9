// Reductions over segments given by an id per row; rows with a negative id belong to none.
#include "vector.h"

INLINE void add_row(float *to, const float *from, int width) {
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(to + d, load4(to + d) + load4(from + d));
  for (; d < width; d++) to[d] += from[d];
}

// out[s] = sum of the rows of x whose id is s.
EXPORT(segment_sum)
void segment_sum(int rows, int width, int segments, const float *x, const int32_t *ids,
                 float *out) {
  __builtin_memset(out, 0, (size_t)segments * width * sizeof(float));
  for (int e = 0; e < rows; e++)
    if (ids[e] >= 0) add_row(out + (size_t)ids[e] * width, x + (size_t)e * width, width);
}
