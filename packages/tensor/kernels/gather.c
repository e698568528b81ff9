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

// out[e] = x[indices[e]], rows of `width` floats; a negative index gives a row of zeros.
EXPORT(gather_rows)
void gather_rows(int rows, int width, const float *x, const int32_t *indices, float *out) {
  const size_t bytes = (size_t)width * sizeof(float);
  if (width == 1) {
    for (int e = 0; e < rows; e++) out[e] = indices[e] < 0 ? 0 : x[indices[e]];
    return;
  }
  for (int e = 0; e < rows; e++, out += width) {
    if (indices[e] < 0) __builtin_memset(out, 0, bytes);
    else __builtin_memcpy(out, x + (size_t)indices[e] * width, bytes);
  }
}
