// Reductions over segments given by an id per row; rows with a negative id belong to none.
#include "exponential.h"
#include "vector.h"

// Rows that are added up before their sum joins the total, so that long sums stay accurate.
#define RUN 512

INLINE void add_row(float *to, const float *from, int width) {
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(to + d, load4(to + d) + load4(from + d));
  for (; d < width; d++) to[d] += from[d];
}

// out[s] = sum of the rows of x whose id is s; for rows of few columns.
EXPORT(segment_sum)
void segment_sum(int rows, int width, int segments, const float *x, const int32_t *ids,
                 float *out) {
  __builtin_memset(out, 0, (size_t)segments * width * sizeof(float));
  for (int e = 0; e < rows; e++)
    if (ids[e] >= 0) add_row(out + (size_t)ids[e] * width, x + (size_t)e * width, width);
}

// Rows in the order of their segments: those of s are order[starts[s] .. starts[s + 1]].
EXPORT(segment_order)
void segment_order(int rows, int segments, const int32_t *ids, int32_t *starts, int32_t *order) {
  __builtin_memset(starts, 0, ((size_t)segments + 1) * sizeof(int32_t));
  for (int e = 0; e < rows; e++)
    if (ids[e] >= 0) starts[ids[e] + 1]++;
  for (int s = 0; s < segments; s++) starts[s + 1] += starts[s];
  for (int e = 0; e < rows; e++)
    if (ids[e] >= 0) order[starts[ids[e]]++] = e;
  for (int s = segments; s > 0; s--) starts[s] = starts[s - 1];
  starts[0] = 0;
}

// Columns of a segment's rows: `width` of `columns` from x on.
typedef struct {
  const float *x;
  int columns, width, count;
  const int32_t *rows;
} Rows;

INLINE const float *row_of(Rows r, int i) { return r.x + (size_t)r.rows[i] * r.columns; }

// Whether rows begin .. end-1 of the segment follow one another in memory.
INLINE int are_neighbours(Rows r, int begin, int end) {
  return end > begin && r.rows[end - 1] - r.rows[begin] == end - 1 - begin;
}

// Rows that lie together are read as one stream; others four at a time, so that the misses of one
// do not wait for those of another.
NOINLINE static void add_run(Rows r, int begin, int end, float *to) {
  int i = begin;
  __builtin_memset(to, 0, (size_t)r.width * sizeof(float));
  if (are_neighbours(r, begin, end)) {
    for (; i < end; i++) add_row(to, row_of(r, i), r.width);
    return;
  }
  for (; i + 4 <= end; i += 4) {
    const float *a = row_of(r, i), *b = row_of(r, i + 1);
    const float *c = row_of(r, i + 2), *e = row_of(r, i + 3);
    int d = 0;
    for (; d + 4 <= r.width; d += 4)
      store4(to + d, load4(to + d) + ((load4(a + d) + load4(b + d)) +
                                      (load4(c + d) + load4(e + d))));
    for (; d < r.width; d++) to[d] += (a[d] + b[d]) + (c[d] + e[d]);
  }
  for (; i < end; i++) add_row(to, row_of(r, i), r.width);
}

static void add_rows(Rows r, float *to, float *scratch) {
  add_run(r, 0, r.count < RUN ? r.count : RUN, to);
  for (int i = RUN; i < r.count; i += RUN) {
    add_run(r, i, r.count - i < RUN ? r.count : i + RUN, scratch);
    add_row(to, scratch, r.width);
  }
}

static void divide_row(int width, float *to, float divisor) {
  const f4 d4 = splat4(divisor);
  int d = 0;
  for (; d + 4 <= width; d += 4) store4(to + d, load4(to + d) / d4);
  for (; d < width; d++) to[d] /= divisor;
}

// The rows and columns of an item: a segment, or a strip of its columns.
INLINE Rows rows_of(int item, const float *x, int columns, int strip, const int32_t *starts,
                    const int32_t *order, size_t *place) {
  const int strips = (columns + strip - 1) / strip;
  const int s = item / strips, first = (item - s * strips) * strip;
  *place = (size_t)s * columns + first;
  return (Rows){
      .x = x + first,
      .columns = columns,
      .width = columns - first < strip ? columns - first : strip,
      .count = starts[s + 1] - starts[s],
      .rows = order + starts[s],
  };
}

// out[s] = sum, or mean, of the rows of segment s; zeros when there are none.
EXPORT(segment_total)
void segment_total(int begin, int end, float *scratch, const float *x, int columns, int strip,
                   const int32_t *starts, const int32_t *order, float *out, int is_mean) {
  for (int i = begin; i < end; i++) {
    size_t place;
    const Rows rows = rows_of(i, x, columns, strip, starts, order, &place);
    add_rows(rows, out + place, scratch);
    if (is_mean && rows.count > 1) divide_row(rows.width, out + place, (float)rows.count);
  }
}

// The largest so far of four columns, and the row that each is from; NaN is above all.
typedef struct {
  f4 best;
  i4 at;
} Largest;

INLINE Largest larger4(Largest l, f4 value, int e) {
  const i4 is_larger = ~(value <= l.best) & (l.best == l.best);
  const i4 row = {e, e, e, e};
  return (Largest){select4(is_larger, value, l.best), (is_larger & row) | (~is_larger & l.at)};
}

// Rows i .. end-1, at most four of them, against the largest so far.
INLINE void keep_larger(Rows r, int i, int end, float *best, int32_t *at) {
  int d = 0;
  for (; d + 4 <= r.width; d += 4) {
    Largest l = {load4(best + d), *(const i4_unaligned *)(at + d)};
    for (int q = i; q < end; q++) l = larger4(l, load4(row_of(r, q) + d), r.rows[q]);
    store4(best + d, l.best);
    *(i4_unaligned *)(at + d) = l.at;
  }
  for (; d < r.width; d++)
    for (int q = i; q < end; q++) {
      const float value = row_of(r, q)[d];
      if (value <= best[d] || best[d] != best[d]) continue;
      best[d] = value;
      at[d] = r.rows[q];
    }
}

NOINLINE static void largest_rows(Rows r, float *best, int32_t *at) {
  int i = 1;
  if (!are_neighbours(r, 0, r.count))
    for (; i + 4 <= r.count; i += 4) keep_larger(r, i, i + 4, best, at);
  for (; i < r.count; i++) keep_larger(r, i, i + 1, best, at);
}

// out[s, d] = largest x[e, d] of the segment (0 when empty), at[s, d] = its first row (or -1).
EXPORT(segment_max)
void segment_max(int begin, int end, float *scratch, const float *x, int columns, int strip,
                 const int32_t *starts, const int32_t *order, float *out, int32_t *at) {
  (void)scratch;
  for (int i = begin; i < end; i++) {
    size_t place;
    const Rows rows = rows_of(i, x, columns, strip, starts, order, &place);
    const int first = rows.count > 0 ? rows.rows[0] : -1;
    for (int d = 0; d < rows.width; d++) {
      out[place + d] = first < 0 ? 0 : row_of(rows, 0)[d];
      at[place + d] = first;
    }
    largest_rows(rows, out + place, at + place);
  }
}

// dx[e, d] = dy of its segment where `at` names row e, zero elsewhere.
EXPORT(segment_max_backward)
void segment_max_backward(int begin, int end, float *scratch, int width, const float *dy,
                          const int32_t *at, const int32_t *ids, float *dx) {
  (void)scratch;
  for (int e = begin; e < end; e++) {
    const size_t from = (size_t)ids[e] * width;
    const i4 row = {e, e, e, e};
    float *to = dx + (size_t)e * width;
    int d = 0;
    for (; d + 4 <= width; d += 4) {
      const i4 is_here = *(const i4_unaligned *)(at + from + d) == row;
      store4(to + d, (f4)(is_here & (i4)load4(dy + from + d)));
    }
    for (; d < width; d++) to[d] = at[from + d] == e ? dy[from + d] : 0;
  }
}

// shares[s] = 1 / number of rows of the segment, 0 when it is empty.
EXPORT(segment_shares)
void segment_shares(int rows, int segments, const int32_t *ids, float *shares) {
  __builtin_memset(shares, 0, (size_t)segments * sizeof(float));
  for (int e = 0; e < rows; e++) shares[ids[e]] += 1;
  for (int s = 0; s < segments; s++) shares[s] = shares[s] > 0 ? 1 / shares[s] : 0;
}

// dx[e] = dy of its segment, times its share.
EXPORT(segment_mean_backward)
void segment_mean_backward(int begin, int end, float *scratch, int width, const float *dy,
                           const float *shares, const int32_t *ids, float *dx) {
  (void)scratch;
  for (int e = begin; e < end; e++) {
    const float *from = dy + (size_t)ids[e] * width;
    const f4 share = splat4(shares[ids[e]]);
    float *to = dx + (size_t)e * width;
    int d = 0;
    for (; d + 4 <= width; d += 4) store4(to + d, load4(from + d) * share);
    for (; d < width; d++) to[d] = from[d] * share[0];
  }
}

// largest[s] = largest x[e] of the segment.
EXPORT(segment_largest)
void segment_largest(int rows, int segments, const float *x, const int32_t *ids, float *largest) {
  for (int s = 0; s < segments; s++) largest[s] = -__builtin_inff();
  for (int e = 0; e < rows; e++) largest[ids[e]] = max1(largest[ids[e]], x[e]);
}

INLINE f4 of_segments(const float *values, const int32_t *ids) {
  return (f4){values[ids[0]], values[ids[1]], values[ids[2]], values[ids[3]]};
}

// out[e] = exp(x_e - largest of the segment).
EXPORT(segment_exponentials)
void segment_exponentials(int begin, int end, float *scratch, const float *x, const int32_t *ids,
                          const float *largest, float *out) {
  (void)scratch;
  int e = begin;
  for (; e + 4 <= end; e += 4)
    store4(out + e, exp4(load4(x + e) - of_segments(largest, ids + e)));
  for (; e < end; e++) out[e] = exp1(x[e] - largest[ids[e]]);
}

// out[e] /= sum of the segment.
EXPORT(segment_divide)
void segment_divide(int begin, int end, float *scratch, const int32_t *ids, const float *sums,
                    float *out) {
  (void)scratch;
  int e = begin;
  for (; e + 4 <= end; e += 4) store4(out + e, load4(out + e) / of_segments(sums, ids + e));
  for (; e < end; e++) out[e] /= sums[ids[e]];
}

// dots[s] = sum of a_e b_e over the segment.
EXPORT(segment_dots)
void segment_dots(int rows, int segments, const float *a, const float *b, const int32_t *ids,
                  float *dots) {
  __builtin_memset(dots, 0, (size_t)segments * sizeof(float));
  for (int e = 0; e < rows; e++) dots[ids[e]] += a[e] * b[e];
}

// dx_e = y_e (dy_e - sum over the segment of y dy).
EXPORT(segment_softmax_backward)
void segment_softmax_backward(int begin, int end, float *scratch, const float *y, const float *dy,
                              const int32_t *ids, const float *dots, float *dx) {
  (void)scratch;
  int e = begin;
  for (; e + 4 <= end; e += 4)
    store4(dx + e, load4(y + e) * (load4(dy + e) - of_segments(dots, ids + e)));
  for (; e < end; e++) dx[e] = y[e] * (dy[e] - dots[ids[e]]);
}
