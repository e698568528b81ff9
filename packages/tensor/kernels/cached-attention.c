// Keys and values of the tokens so far, written where they stay, and attention of new tokens to
// them.
#include "attention-rows.h"
#include "csr.h"
#include "matmul.h"

// Keys that one piece of work takes of a head: a matter of positions alone, so that what a text
// gets depends neither on the other texts nor on threads.
#define PART 256
// Floats from one row of a block to the next; not a power of two, which would crowd the cache.
#define LINE (PART + 16)
// Queries whose products with keys are made at a time, where there are more than a few.
#define QUERY_BLOCK 96
#define FEW 5

// Tokens of one text in a batch, and what it holds once they are appended: keys [heads, capacity,
// width] and values [heads, capacity, value_width] of `held` positions. Tokens of no text hold 0.
typedef struct {
  float *keys, *values;
  int capacity;
  int entry, first, count;  // tokens first .. first + count - 1 of an entry of the batch
  int held;
} Place;

static void copy(size_t count, const float *from, float *to) {
  __builtin_memcpy(to, from, count * sizeof(float));
}

// Item: one head of one place; keys [entries, heads, tokens, width] and values likewise.
EXPORT(cache_append)
void cache_append(int begin, int end, const float *scratch, const void *places, int heads,
                  int tokens, int width, int value_width, const float *keys,
                  const float *values) {
  (void)scratch;
  for (int item = begin; item < end; item++) {
    const Place *place = (const Place *)places + item / heads;
    const int head = item % heads, count = place->count;
    const size_t from = ((size_t)place->entry * heads + head) * tokens + place->first;
    const size_t to = (size_t)head * place->capacity + place->held - count;
    copy((size_t)count * width, keys + from * width, place->keys + to * width);
    copy((size_t)count * value_width, values + from * value_width,
         place->values + to * value_width);
  }
}

// The keys low .. high - 1.
typedef struct {
  int low, high;
} Span;

// What the t-th token of a place sees; a window of 0 is none.
INLINE Span span_of(const Place *place, int t, int window) {
  const int high = place->held - place->count + t + 1;
  return (Span){window > 0 && high > window ? high - window : 0, high};
}

// Its part; empty where low >= high.
INLINE Span in_part(Span span, int part) {
  const int low = part * PART, high = low + PART;
  return (Span){span.low > low ? span.low : low, span.high < high ? span.high : high};
}

// tanh(x), with an error of 1e-7 at most.
INLINE f4 tanh4(f4 x) {
  const f4 one = splat4(1), e = exp_or_zero4(magnitude4(x) * splat4(-2));
  const i4 sign = (i4)x & (i4)splat4(-0.0f);
  return (f4)((i4)((one - e) / (one + e)) | sign);
}

typedef struct {
  int width, value_width, window;
  float scale, cap;   // factor of the products; bound of the scores, 0 for none
  const float *bias;  // added to the scores of a head, or null
} Rules;

INLINE f4 score4(f4 product, f4 bias, const Rules *rules) {
  const f4 scaled = product * splat4(rules->scale);
  if (rules->cap <= 0) return scaled + bias;
  return tanh4(scaled / splat4(rules->cap)) * splat4(rules->cap) + bias;
}

// Scores of keys from `low` on in place of their products x; the largest.
static float score_row(int count, int low, float *x, const Rules *rules) {
  const float *bias = rules->bias ? rules->bias + low : 0;
  f4 most = splat4(-__builtin_inff());
  const f4 none = splat4(0);
  int j = 0;
  for (; j + 4 <= count; j += 4) {
    const f4 score = score4(load4(x + j), bias ? load4(bias + j) : none, rules);
    store4(x + j, score);
    most = max4(most, score);
  }
  const int rest = count - j;
  if (rest == 0) return highest4(most);
  const f4 added = bias ? load_part(bias + j, rest, 0) : none;
  store_part(x + j, rest, score4(load_part(x + j, rest, 0), added, rules));
  return highest4(max4(most, load_part(x + j, rest, -__builtin_inff())));
}

// Products x of a token with the keys of a span become exponentials of their scores; the largest
// score and the sum of the exponentials go to `found`.
static void weigh_row(Span span, float *x, const Rules *rules, float *found) {
  const int count = span.high - span.low;
  const float top = score_row(count, span.low, x, rules);
  // Nothing but minus infinity: any finite top gives zeros.
  found[0] = top;
  found[1] = exponentials(count, x, top == -__builtin_inff() ? 0 : top);
}

// Keys and values of a head.
typedef struct {
  const float *keys, *values;
} Side;

// One token on the keys of a span: the weighted values, then the largest score and the sum.
static void attend_token(Span span, const float *q, Side side, const Rules *rules, float *block,
                         float *out) {
  const int count = span.high - span.low, width = rules->width, value_width = rules->value_width;
  for (int j = 0; j < count; j++)
    block[j] = dot(q, side.keys + (size_t)(span.low + j) * width, width);
  weigh_row(span, block, rules, out + value_width);
  __builtin_memset(out, 0, (size_t)value_width * sizeof(float));
  add_weighted(count, value_width, block, side.values + (size_t)span.low * value_width, out);
}

// The same for `rows` tokens of a place from its t-th on, rows of `out` `step` floats apart.
static void attend_tokens(const Place *place, int part, int t, int rows, const float *q, Side side,
                          const Rules *rules, float *scratch, float *out, size_t step) {
  float *block = scratch + LAB_GEMM_SCRATCH;
  const int width = rules->width, value_width = rules->value_width;
  const int low = in_part(span_of(place, t, rules->window), part).low;
  const int high = in_part(span_of(place, t + rows - 1, rules->window), part).high;
  if (low >= high) return;
  const int columns = high - low;
  lab_gemm(rows, columns, width, q, width, 0, side.keys + (size_t)low * width, width, 1, block,
           LINE, 0, scratch);
  for (int i = 0; i < rows; i++) {
    float *x = block + i * LINE;
    const Span own = in_part(span_of(place, t + i, rules->window), part);
    if (own.low >= own.high) {
      __builtin_memset(x, 0, (size_t)columns * sizeof(float));
      continue;
    }
    __builtin_memset(x, 0, (size_t)(own.low - low) * sizeof(float));
    __builtin_memset(x + own.high - low, 0, (size_t)(high - own.high) * sizeof(float));
    weigh_row(own, x + own.low - low, rules, out + i * step + value_width);
  }
  lab_gemm(rows, value_width, columns, block, LINE, 0, side.values + (size_t)low * value_width,
           value_width, 0, out, (int)step, 0, scratch);
}

// Item: a part of the keys of one head of queries of one place. q [entries, heads group, tokens,
// width]; out [entries, heads group, tokens, parts, value_width + 2]; bias rows `bias_step` apart.
EXPORT(cached_attention)
void cached_attention(int begin, int end, float *scratch, const void *places, int heads, int group,
                      int tokens, int width, int value_width, int parts, float scale, float cap,
                      int window, const float *bias, int bias_step, const float *q, float *out) {
  const size_t line = value_width + 2, step = line * parts;
  for (int item = begin; item < end; item++) {
    const int g = item % group, part = item / group % parts, side = item / group / parts;
    const Place *place = (const Place *)places + side / heads;
    const int head = side % heads, query_head = head * group + g, count = place->count;
    if (place->held <= part * PART) continue;
    const size_t stretch = (size_t)head * place->capacity;
    const Side own = {place->keys + stretch * width, place->values + stretch * value_width};
    const Rules rules = {width, value_width, window, scale, cap,
                         bias ? bias + (size_t)query_head * bias_step : 0};
    const size_t row = ((size_t)place->entry * heads * group + query_head) * tokens + place->first;
    const float *from = q + row * width;
    float *to = out + row * step + part * line;
    if (count > FEW) {
      for (int t = 0; t < count; t += QUERY_BLOCK)
        attend_tokens(place, part, t, count - t < QUERY_BLOCK ? count - t : QUERY_BLOCK,
                      from + (size_t)t * width, own, &rules, scratch, to + t * step, step);
      continue;
    }
    for (int t = 0; t < count; t++) {
      const Span span = in_part(span_of(place, t, window), part);
      if (span.low < span.high)
        attend_token(span, from + (size_t)t * width, own, &rules, scratch, to + t * step);
    }
  }
}

// A row of the result from its parts `first` to `last` in their order.
static void join_parts(int first, int last, int value_width, const float *from, float *out) {
  const int line = value_width + 2;
  float top = -__builtin_inff(), sum = 0;
  for (int p = first; p <= last; p++) top = max1(from[p * line + value_width], top);
  const float used = top == -__builtin_inff() ? 0 : top;
  for (int p = first; p <= last; p++) {
    const float *part = from + p * line, factor = exp_or_zero1(part[value_width] - used);
    sum += factor * part[value_width + 1];
    add_weighted(1, value_width, &factor, part, out);
  }
  scale_row(value_width, sum == 0 ? 0 : 1 / sum, out);
}

// Item: one head of queries of one place, its rows of the result [entries, query_heads, tokens,
// value_width]; zeros for a token that sees nothing.
EXPORT(cached_attention_join)
void cached_attention_join(int begin, int end, const float *scratch, const void *places,
                           int query_heads, int tokens, int value_width, int parts, int window,
                           const float *from, float *out) {
  (void)scratch;
  for (int item = begin; item < end; item++) {
    const Place *place = (const Place *)places + item / query_heads;
    const size_t row = ((size_t)place->entry * query_heads + item % query_heads) * tokens +
                       place->first;
    __builtin_memset(out + row * value_width, 0,
                     (size_t)place->count * value_width * sizeof(float));
    for (int t = 0; t < place->count; t++) {
      const Span span = span_of(place, t, window);
      if (span.low >= span.high) continue;
      join_parts(span.low / PART, (span.high - 1) / PART, value_width,
                 from + (row + t) * parts * (value_width + 2), out + (row + t) * value_width);
    }
  }
}

EXPORT(cached_attention_scratch_bytes)
int cached_attention_scratch_bytes(void) {
  return (LAB_GEMM_SCRATCH + QUERY_BLOCK * LINE) * (int)sizeof(float);
}
