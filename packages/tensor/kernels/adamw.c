// One step of Adam with decoupled weight decay, in place.
#include "vector.h"

// What a step multiplies with.
typedef struct {
  fw b1, c1, b2, c2, keep, rate, root, epsilon;
} Step;

// m, v and p of as many parameters as a vector holds after they have taken g in.
INLINE void update(const Step *s, fw g, float *p, float *m, float *v) {
  const fw first = maddw(loadw(m), s->b1, g * s->c1);
  const fw second = maddw(loadw(v), s->b2, g * g * s->c2);
  storew(m, first);
  storew(v, second);
  const fw change = s->rate * first / maddw(sqrtw(second), s->root, s->epsilon);
  storew(p, loadw(p) * s->keep - change);
}

// The same of the last few, in room for a whole vector.
NOINLINE static void update_rest(const Step *s, int count, const float *g, float *p, float *m,
                                 float *v) {
  float rest[4][WIDE] = {{0}};
  const size_t bytes = (size_t)count * sizeof(float);
  __builtin_memcpy(rest[0], g, bytes);
  __builtin_memcpy(rest[1], p, bytes);
  __builtin_memcpy(rest[2], m, bytes);
  __builtin_memcpy(rest[3], v, bytes);
  update(s, loadw(rest[0]), rest[1], rest[2], rest[3]);
  __builtin_memcpy(p, rest[1], bytes);
  __builtin_memcpy(m, rest[2], bytes);
  __builtin_memcpy(v, rest[3], bytes);
}

// p = p decay - rate m / (sqrt(v) root_scale + epsilon) after m and v have taken g in;
// rate = learning rate / (1 - beta1^t), root_scale = 1 / sqrt(1 - beta2^t).
EXPORT(adamw)
void adamw(int begin, int end, const float *scratch, float *p, const float *g, float *m, float *v,
           float beta1, float beta2, float decay, float rate, float root_scale, float epsilon) {
  (void)scratch;
  const Step s = {splatw(beta1), splatw(1 - beta1), splatw(beta2),      splatw(1 - beta2),
                  splatw(decay), splatw(rate),      splatw(root_scale), splatw(epsilon)};
  p += begin, g += begin, m += begin, v += begin;
  int count = end - begin;
  for (; count >= 4 * WIDE; count -= 4 * WIDE, p += 4 * WIDE, g += 4 * WIDE, m += 4 * WIDE,
                            v += 4 * WIDE)
#pragma clang loop unroll(full)
    for (int i = 0; i < 4 * WIDE; i += WIDE) update(&s, loadw(g + i), p + i, m + i, v + i);
  for (; count >= WIDE; count -= WIDE, p += WIDE, g += WIDE, m += WIDE, v += WIDE)
    update(&s, loadw(g), p, m, v);
  if (count > 0) update_rest(&s, count, g, p, m, v);
}
