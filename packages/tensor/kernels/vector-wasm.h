// Steps on four floats that WebAssembly has instructions of its own for.
#pragma once

#ifdef LAB_TABLE
#define EXPORT(name) LAB_EXPORT(name)
#else
#define EXPORT(name) __attribute__((export_name(#name), visibility("default")))
#endif

// Every step of the loop written out.
#define UNROLL _Pragma("clang loop unroll(full)")

typedef char bytes16 __attribute__((vector_size(16)));

// a * b + c: one rounding in the relaxed build, two in the plain one.
INLINE f4 madd4(f4 a, f4 b, f4 c) {
#ifdef __wasm_relaxed_simd__
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  return a * b + c;
#endif
}

// The second operand where it is smaller, or larger; else, with NaN too, the first.
INLINE f4 min4(f4 a, f4 b) { return __builtin_wasm_pmin_f32x4(a, b); }
INLINE f4 max4(f4 a, f4 b) { return __builtin_wasm_pmax_f32x4(a, b); }
INLINE f4 sqrt4(f4 a) { return __builtin_wasm_sqrt_f32x4(a); }

// Extremes as IEEE 754 has them: NaN where one is, and -0 below 0.
INLINE f4 highest_of4(f4 a, f4 b) { return __builtin_wasm_max_f32x4(a, b); }
INLINE f4 lowest_of4(f4 a, f4 b) { return __builtin_wasm_min_f32x4(a, b); }
INLINE float highest_of1(float a, float b) { return __builtin_wasm_max_f32(a, b); }
INLINE float lowest_of1(float a, float b) { return __builtin_wasm_min_f32(a, b); }

INLINE int all4(i4 mask) { return __builtin_wasm_all_true_i32x4(mask); }
INLINE int any4(i4 mask) { return __builtin_wasm_any_true_v128((bytes16)mask); }
