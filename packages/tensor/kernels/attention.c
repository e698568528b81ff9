// Attention in blocks of queries and keys, which never holds more scores than one block.
//
// A thread's scratch: what a product needs, then two blocks of scores, then tops and sums of rows.
#include "attention-rows.h"
#include "csr.h"
#include "matmul.h"

#define QUERY_BLOCK 96
#define KEY_BLOCK 256
// Floats from one row of a block to the next; not a power of two, which would crowd the cache.
#define LINE (KEY_BLOCK + 16)
// Up to so many queries are multiplied row by row: packing for a product would cost more.
#define FEW 5

typedef struct {
  int length, keys, width, value_width;  // queries and keys of a head, features of key and value
  int group;                             // heads of queries that share one of keys
  int causal, offset;                    // query i sees keys up to i + offset
  int mask_share;                        // heads of queries that share a row of the mask
  float scale;
} Shape;

// How many keys a query sees.
INLINE int visible(const Shape *shape, int query) {
  if (!shape->causal) return shape->keys;
  const int64_t count = (int64_t)query + shape->offset + 1;
  return count < 0 ? 0 : count < shape->keys ? (int)count : shape->keys;
}

INLINE int clamp(int value, int high) { return value < 0 ? 0 : value < high ? value : high; }

// block = a b^T over `width` features.
static void products(int rows, int columns, int width, const float *a, const float *b,
                     float *block, float *scratch) {
  if (rows > FEW) {
    lab_gemm(rows, columns, width, a, width, 0, b, width, 1, block, LINE, 0, scratch);
    return;
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++)
      block[i * LINE + j] = dot(a + (size_t)i * width, b + (size_t)j * width, width);
}

// out += block values.
static void collect(int rows, int columns, int width, const float *block, const float *values,
                    float *out, float *scratch) {
  if (rows > FEW) {
    lab_gemm(rows, width, columns, block, LINE, 0, values, width, 0, out, width, 1, scratch);
    return;
  }
  for (int i = 0; i < rows; i++)
    add_weighted(columns, width, block + i * LINE, values, out + (size_t)i * width);
}

// x = scale x + mask; returns the largest, at least `top`.
static float finish_scores(int count, float *x, const float *mask, float scale, float top) {
  f4 most = splat4(top);
  const f4 factor = splat4(scale);
  int j = 0;
  for (; j + 4 <= count; j += 4) {
    const f4 score = madd4(load4(x + j), factor, load4(mask + j));
    store4(x + j, score);
    most = max4(most, score);
  }
  float highest = highest4(most);
  for (; j < count; j++) {
    x[j] = x[j] * scale + mask[j];
    highest = max1(x[j], highest);
  }
  return highest;
}

// Turns scores of a row, of which `count` are seen, into exponentials by the running top; brings
// the sum, and what has been collected in `out`, to that top.
static void take_row(int columns, int count, float *x, const float *mask, const Shape *shape,
                     float *top, float *sum, float *out) {
  __builtin_memset(x + count, 0, (size_t)(columns - count) * sizeof(float));
  if (count == 0) return;
  const float old = *top, now = finish_scores(count, x, mask, shape->scale, old);
  // Nothing but minus infinity so far: any finite top gives zeros.
  const float used = now == -__builtin_inff() ? 0 : now;
  const float factor = now == old ? 1 : exp_or_zero1(old - used);
  if (factor != 1 && *sum != 0) scale_row(shape->value_width, factor, out);
  *sum = *sum * factor + exponentials(count, x, used);
  *top = now;
}

typedef struct {
  const float *q, *k, *v, *mask;
} Sides;

// One block of queries against all keys: output rows and their log-sum-exps. A query that sees
// nothing gets zeros, and plus infinity, by which the backward pass finds its weights to be 0.
static void attend(const Shape *shape, int rows, int first, Sides sides, float *out,
                   float *log_sums, float *scratch) {
  float *block = scratch + LAB_GEMM_SCRATCH, *tops = block + 2 * QUERY_BLOCK * LINE;
  float *sums = tops + QUERY_BLOCK;
  const int width = shape->width, value_width = shape->value_width;
  const int seen = visible(shape, first + rows - 1);
  for (int i = 0; i < rows; i++) tops[i] = -__builtin_inff(), sums[i] = 0;
  __builtin_memset(out, 0, (size_t)rows * value_width * sizeof(float));
  for (int j = 0; j < seen; j += KEY_BLOCK) {
    const int columns = seen - j < KEY_BLOCK ? seen - j : KEY_BLOCK;
    products(rows, columns, width, sides.q, sides.k + (size_t)j * width, block, scratch);
    for (int i = 0; i < rows; i++)
      take_row(columns, clamp(visible(shape, first + i) - j, columns), block + i * LINE,
               sides.mask + j, shape, tops + i, sums + i, out + (size_t)i * value_width);
    collect(rows, columns, value_width, block, sides.v + (size_t)j * value_width, out, scratch);
  }
  for (int i = 0; i < rows; i++) {
    const int is_empty = sums[i] == 0;
    scale_row(value_width, is_empty ? 0 : 1 / sums[i], out + (size_t)i * value_width);
    log_sums[i] = is_empty ? __builtin_inff() : tops[i] + log1(sums[i]);
  }
}

#define SHAPE_VALUES                                                                               \
  int length, int keys, int width, int value_width, int group, int causal, int offset,             \
      int mask_share, float scale
#define SHAPE                                                                                      \
  (Shape) { length, keys, width, value_width, group, causal, offset, mask_share, scale }

// Item: one block of 96 queries of one head. q [heads, length, width], k [heads / group, keys,
// width], v likewise with value_width, mask [heads / mask_share, keys].
EXPORT(attention)
void attention(int begin, int end, float *scratch, SHAPE_VALUES, const float *q, const float *k,
               const float *v, const float *mask, float *out, float *log_sums) {
  const Shape shape = SHAPE;
  const int blocks = (length + QUERY_BLOCK - 1) / QUERY_BLOCK;
  for (int item = begin; item < end; item++) {
    const int head = item / blocks, first = item % blocks * QUERY_BLOCK;
    const int rows = length - first < QUERY_BLOCK ? length - first : QUERY_BLOCK;
    const size_t row = (size_t)head * length + first, side = (size_t)(head / group) * keys;
    const Sides sides = {q + row * width, k + side * width, v + side * value_width,
                         mask + (size_t)(head / mask_share) * keys};
    attend(&shape, rows, first, sides, out + row * value_width, log_sums + row, scratch);
  }
}

// deltas[n] = dy[n] . out[n].
EXPORT(attention_deltas)
void attention_deltas(int begin, int end, const float *scratch, int width, const float *dy,
                      const float *out, float *deltas) {
  (void)scratch;
  for (int n = begin; n < end; n++)
    deltas[n] = dot(dy + (size_t)n * width, out + (size_t)n * width, width);
}

// Weights of a row again, from its scores and log-sum-exp.
static void weight_row(int columns, int count, float *x, const float *mask, float scale,
                       float log_sum) {
  __builtin_memset(x + count, 0, (size_t)(columns - count) * sizeof(float));
  finish_scores(count, x, mask, scale, 0);
  exponentials(count, x, log_sum);
}

// What a key block and a query block give each other's gradients.
typedef struct {
  const float *dy, *log_sums, *deltas;
  float *dq, *dk, *dv;
} Gradients;

// slopes = weights (slopes - delta) scale.
INLINE void score_slopes(int columns, const float *weights, float delta, float scale,
                         float *slopes) {
  const f4 d = splat4(delta), s = splat4(scale);
  int j = 0;
  for (; j + 4 <= columns; j += 4)
    store4(slopes + j, load4(weights + j) * (load4(slopes + j) - d) * s);
  for (; j < columns; j++) slopes[j] = weights[j] * (slopes[j] - delta) * scale;
}

static void block_gradients(const Shape *shape, int rows, int first, int columns, int key,
                            Sides sides, Gradients to, float *scratch) {
  float *weights = scratch + LAB_GEMM_SCRATCH, *slopes = weights + QUERY_BLOCK * LINE;
  const int width = shape->width, value_width = shape->value_width;
  products(rows, columns, width, sides.q, sides.k, weights, scratch);
  for (int i = 0; i < rows; i++)
    weight_row(columns, clamp(visible(shape, first + i) - key, columns), weights + i * LINE,
               sides.mask, shape->scale, to.log_sums[i]);
  lab_gemm(columns, value_width, rows, weights, LINE, 1, to.dy, value_width, 0, to.dv,
           value_width, 1, scratch);
  products(rows, columns, value_width, to.dy, sides.v, slopes, scratch);
  for (int i = 0; i < rows; i++)
    score_slopes(columns, weights + i * LINE, to.deltas[i], shape->scale, slopes + i * LINE);
  collect(rows, columns, width, slopes, sides.k, to.dq, scratch);
  lab_gemm(columns, width, rows, slopes, LINE, 1, sides.q, width, 0, to.dk, width, 1, scratch);
}

// All queries of a head against one block of keys.
static void head_gradients(const Shape *shape, int key, int columns, Sides sides, Gradients to,
                           float *scratch) {
  for (int first = 0; first < shape->length; first += QUERY_BLOCK) {
    const int rest = shape->length - first, rows = rest < QUERY_BLOCK ? rest : QUERY_BLOCK;
    const int seen = clamp(visible(shape, first + rows - 1) - key, columns);
    if (seen > 0) block_gradients(shape, rows, first, seen, key, sides, to, scratch);
    const size_t step = QUERY_BLOCK * (size_t)shape->width;
    sides.q += step, to.dq += step;
    to.dy += QUERY_BLOCK * (size_t)shape->value_width;
    to.log_sums += QUERY_BLOCK, to.deltas += QUERY_BLOCK;
  }
}

static void clear(size_t count, float *x) { __builtin_memset(x, 0, count * sizeof(float)); }

// Item: `chunk` keys of one head of keys, with all queries that see them; dq has one part
// [heads, length, width] for each chunk of a head.
EXPORT(attention_backward)
void attention_backward(int begin, int end, float *scratch, SHAPE_VALUES, int kv_heads, int chunk,
                        const float *q, const float *k, const float *v, const float *mask,
                        const float *dy, const float *log_sums, const float *deltas, float *dq,
                        float *dk, float *dv) {
  const Shape shape = SHAPE;
  const int chunks = keys > chunk ? (keys + chunk - 1) / chunk : 1;
  for (int item = begin; item < end; item++) {
    const int side = item / chunks, part = item % chunks, low = part * chunk;
    const int high = keys - low < chunk ? keys : low + chunk, head = side * group;
    float *own = dq + ((size_t)part * kv_heads + side) * group * length * width;
    clear((size_t)group * length * width, own);
    for (int key = low; key < high; key += KEY_BLOCK) {
      const int columns = high - key < KEY_BLOCK ? high - key : KEY_BLOCK;
      const size_t place = (size_t)side * keys + key;
      float *to_k = dk + place * width, *to_v = dv + place * value_width;
      clear((size_t)columns * width, to_k);
      clear((size_t)columns * value_width, to_v);
      for (int g = 0; g < group; g++) {
        const size_t row = (size_t)(head + g) * length;
        const Sides sides = {q + row * width, k + place * width, v + place * value_width,
                             mask + (size_t)((head + g) / mask_share) * keys + key};
        const Gradients to = {dy + row * value_width, log_sums + row, deltas + row,
                              own + (size_t)g * length * width, to_k, to_v};
        head_gradients(&shape, key, columns, sides, to, scratch);
      }
    }
  }
}

EXPORT(attention_scratch_bytes)
int attention_scratch_bytes(void) {
  return (LAB_GEMM_SCRATCH + 2 * QUERY_BLOCK * LINE + 2 * QUERY_BLOCK) * (int)sizeof(float);
}
