// A kernel as native programs call it: by its place in the table, with values from JavaScript.
#pragma once

#include <stdint.h>

// The items begin .. end - 1 of a job, and the scratch of the thread that computes them.
typedef struct {
  int begin, end;
  void *scratch;
} Range;

// A value of a call: a number, or an address where the C function takes a pointer.
typedef union {
  double number;
  void *address;
} Value;

// `types` has a letter a value: i, u, f and d for numbers, p for an address. A kernel of blocks
// computes the items of a range; another is called once.
typedef struct {
  const char *name;
  const char *types;
  int is_of_blocks;
  double (*call)(const Range *range, const Value *values);
} Kernel;

// A kernel as it is started on a GPU. Its `types` are those of the kernel, with an a at the end
// where the kernel returns an int: the address where the launcher writes it. `call` is null where
// the launchers were not compiled; it returns the CUDA error, 0 when all is well.
typedef struct {
  const char *name;
  const char *types;
  int is_of_blocks;
  int (*call)(void *stream, int count, const Value *values);
} Launcher;
