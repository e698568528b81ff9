// Rows by index, and the check of an index array.
#include "vector.h"

// Position of the first index outside [low, high), or -1.
EXPORT(find_outside)
int find_outside(int count, const int32_t *indices, int low, int high) {
  const uint32_t width = (uint32_t)high - (uint32_t)low;
  int bad = 0;
  for (int i = 0; i < count; i++) bad |= (uint32_t)(indices[i] - low) >= width;
  if (!bad) return -1;
  for (int i = 0; i < count; i++)
    if ((uint32_t)(indices[i] - low) >= width) return i;
  return -1;
}

INLINE void copy_row(int width, const float *from, float *to) {
  int d = 0;
  for (; d + 16 <= width; d += 16) {
    const f4 a = load4(from + d), b = load4(from + d + 4);
    const f4 c = load4(from + d + 8), e = load4(from + d + 12);
    store4(to + d, a);
    store4(to + d + 4, b);
    store4(to + d + 8, c);
    store4(to + d + 12, e);
  }
  for (; d + 4 <= width; d += 4) store4(to + d, load4(from + d));
  for (; d < width; d++) to[d] = from[d];
}

// Row i of out [outer, count, width] from x [outer, rows, width]; a negative index gives zeros.
EXPORT(gather_row_blocks)
void gather_row_blocks(int begin, int end, float *scratch, const float *x, int rows, int width,
                       const int32_t *indices, int count, float *out) {
  (void)scratch;
  for (int i = begin; i < end; i++) {
    const int outer = i / count, index = indices[i - outer * count];
    float *to = out + (size_t)i * width;
    if (index < 0) __builtin_memset(to, 0, (size_t)width * sizeof(float));
    else copy_row(width, x + ((size_t)outer * rows + index) * width, to);
  }
}
