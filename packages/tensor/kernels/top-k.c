// The k largest values of each row, largest first; NaN counts as larger than any number.
#include "vector.h"

// Whole numbers in the order of the floats: -0 as 0, every NaN as one largest key.
INLINE int32_t key_of(float value) {
  if (value != value) return INT32_MAX;
  union {
    float value;
    int32_t bits;
  } u = {value + 0.0f};
  return u.bits ^ ((u.bits >> 31) & INT32_MAX);
}

// Entries of the heap: the root comes last among the kept.
typedef struct {
  int32_t *key, *index;
} Heap;

INLINE int is_after(Heap h, int a, int32_t key, int32_t index) {
  return h.key[a] < key || (h.key[a] == key && h.index[a] > index);
}

// Puts an entry at `hole` or below, where nothing under it comes after it.
static void sift_down(Heap h, int count, int hole, int32_t key, int32_t index) {
  for (;;) {
    int child = 2 * hole + 1;
    if (child >= count) break;
    if (child + 1 < count && is_after(h, child + 1, h.key[child], h.index[child])) child++;
    if (!is_after(h, child, key, index)) break;
    h.key[hole] = h.key[child];
    h.index[hole] = h.index[child];
    hole = child;
  }
  h.key[hole] = key;
  h.index[hole] = index;
}

static void fill_heap(Heap h, int k, const float *x) {
  for (int i = 0; i < k; i++) {
    h.key[i] = key_of(x[i]);
    h.index[i] = i;
  }
  for (int i = k / 2 - 1; i >= 0; i--) sift_down(h, k, i, h.key[i], h.index[i]);
}

INLINE int any_above(const float *x, f4 limit) {
  const i4 none = (load4(x) <= limit) & (load4(x + 4) <= limit) & (load4(x + 8) <= limit) &
                  (load4(x + 12) <= limit);
  return !all4(none);
}

static void offer(Heap h, int k, const float *x, int i) {
  const int32_t key = key_of(x[i]);
  if (key > h.key[0]) sift_down(h, k, 0, key, i);
}

// First position from `i` on whose 16 values hold one above the limit; the last few are not read.
NOINLINE static int skip_small(const float *x, int i, int columns, float limit) {
  const f4 limits = splat4(limit);
  while (i + 16 <= columns && !any_above(x + i, limits)) i += 16;
  return i;
}

static void keep_largest(Heap h, int k, int columns, const float *x) {
  int i = k;
  while (h.key[0] < INT32_MAX) {
    i = skip_small(x, i, columns, x[h.index[0]]);
    if (i + 16 > columns) break;
    for (int q = 0; q < 16; q++) offer(h, k, x, i + q);
    i += 16;
  }
  if (h.key[0] == INT32_MAX) return;
  for (; i < columns; i++) offer(h, k, x, i);
}

// Takes the last one out of the heap again and again, to the place behind those that remain.
static void sort_heap(Heap h, int k) {
  for (int last = k - 1; last > 0; last--) {
    const int32_t key = h.key[last], index = h.index[last];
    h.key[last] = h.key[0];
    h.index[last] = h.index[0];
    sift_down(h, last, 0, key, index);
  }
}

// values, indices [rows, k] of x [rows, columns], k <= columns; the heap stands in the outputs.
EXPORT(top_k)
void top_k(int begin, int end, float *scratch, const float *x, int columns, int k, float *values,
           int32_t *indices) {
  (void)scratch;
  for (int i = begin; i < end; i++) {
    const float *row = x + (size_t)i * columns;
    float *to = values + (size_t)i * k;
    const Heap heap = {(int32_t *)to, indices + (size_t)i * k};
    if (k == 0) continue;
    fill_heap(heap, k, row);
    keep_largest(heap, k, columns, row);
    sort_heap(heap, k);
    for (int j = 0; j < k; j++) to[j] = row[heap.index[j]];
  }
}
