// Runs a kernel on values from JavaScript, its blocks shared among the threads of the process.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// The addon hides its symbols but for those that ops.cc, an addon of its own, calls.
#define VISIBLE __attribute__((visibility("default")))

// Most threads of a team.
#define MOST_THREADS 256
// Most values of a call besides those that say how it is cut.
#define MOST_VALUES 32

// What to run: place of the kernel in the table; items and most of them in a block; scratch for
// all threads, null for the threads' own, and bytes of it for each; then the kernel's own values.
// Addresses are counted from `base`; 0 is none.
typedef struct {
  int kernel, count, block;
  char *base;
  double scratch, scratch_bytes;
  const double *values;
} Job;

// How many kernels there are, the name of one, and how many values of its own it takes.
VISIBLE int kernel_count(void);
VISIBLE const char *kernel_name(int kernel);
int kernel_values(int kernel);

// Sets the threads of the jobs that follow; how many there can be of the wanted ones.
int use_threads(int wanted);

// Runs the job and returns what a kernel without blocks returns. Sets `failed` to 1 when there is
// no memory for the scratch of a thread.
VISIBLE double run_job(const Job *job, int *failed);

#ifdef __cplusplus
}
#endif
