// One step of Adam with decoupled weight decay, in place.
#include "vector.h"

// p = p decay - rate m / (sqrt(v) root_scale + epsilon) after m and v have taken g in;
// rate = learning rate / (1 - beta1^t), root_scale = 1 / sqrt(1 - beta2^t).
EXPORT(adamw)
void adamw(int begin, int end, const float *scratch, float *p, const float *g, float *m, float *v,
           float beta1, float beta2, float decay, float rate, float root_scale, float epsilon) {
  (void)scratch;
  const f4 b1 = splat4(beta1), c1 = splat4(1 - beta1), b2 = splat4(beta2), c2 = splat4(1 - beta2);
  const f4 keep = splat4(decay), r = splat4(rate), root = splat4(root_scale), e = splat4(epsilon);
  int i = begin;
  for (; i + 4 <= end; i += 4) {
    const f4 x = load4(g + i);
    const f4 first = load4(m + i) * b1 + x * c1, second = load4(v + i) * b2 + x * x * c2;
    store4(m + i, first);
    store4(v + i, second);
    store4(p + i, load4(p + i) * keep - r * first / (sqrt4(second) * root + e));
  }
  for (; i < end; i++) {
    m[i] = m[i] * beta1 + g[i] * (1 - beta1);
    v[i] = v[i] * beta2 + g[i] * g[i] * (1 - beta2);
    p[i] = p[i] * decay - rate * m[i] / (sqrt1(v[i]) * root_scale + epsilon);
  }
}
