// One step of Adam with decoupled weight decay, in place.
#include "vector.h"

// What a step multiplies with.
typedef struct {
  f4 b1, c1, b2, c2, keep, rate, root, epsilon;
} Step;

// m, v and p of four parameters after they have taken g in.
INLINE void update4(const Step *s, f4 g, float *p, float *m, float *v) {
  const f4 first = madd4(load4(m), s->b1, g * s->c1);
  const f4 second = madd4(load4(v), s->b2, g * g * s->c2);
  store4(m, first);
  store4(v, second);
  const f4 change = s->rate * first / madd4(sqrt4(second), s->root, s->epsilon);
  store4(p, load4(p) * s->keep - change);
}

// p = p decay - rate m / (sqrt(v) root_scale + epsilon) after m and v have taken g in;
// rate = learning rate / (1 - beta1^t), root_scale = 1 / sqrt(1 - beta2^t).
EXPORT(adamw)
void adamw(int begin, int end, const float *scratch, float *p, const float *g, float *m, float *v,
           float beta1, float beta2, float decay, float rate, float root_scale, float epsilon) {
  (void)scratch;
  const Step s = {splat4(beta1), splat4(1 - beta1), splat4(beta2),      splat4(1 - beta2),
                  splat4(decay), splat4(rate),      splat4(root_scale), splat4(epsilon)};
  p += begin, g += begin, m += begin, v += begin;
  int count = end - begin;
  for (; count >= 16; count -= 16, p += 16, g += 16, m += 16, v += 16)
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 4) update4(&s, load4(g + i), p + i, m + i, v + i);
  for (; count >= 4; count -= 4, p += 4, g += 4, m += 4, v += 4) update4(&s, load4(g), p, m, v);
  if (count == 0) return;
  float rest[3][4];
  store4(rest[0], load_part(p, count, 0));
  store4(rest[1], load_part(m, count, 0));
  store4(rest[2], load_part(v, count, 0));
  update4(&s, load_part(g, count, 0), rest[0], rest[1], rest[2]);
  store_part(p, count, load4(rest[0]));
  store_part(m, count, load4(rest[1]));
  store_part(v, count, load4(rest[2]));
}
