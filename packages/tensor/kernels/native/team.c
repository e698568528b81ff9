// The threads of a process that share the blocks of a kernel; they start when they can first help
// and sleep between the jobs. Ours rather than OpenMP's: its library is not on every machine.
#include "team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "kernel-table.h"

int gemm_scratch_bytes(void);

// Looks at a counter before a thread sleeps: some 100 microseconds, more than lies between two
// kernels of a training step as a rule. To wake a thread takes as long.
#define SPINS 4000

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("isb")
#else
#define PAUSE()
#endif
// The generation of a job and the number of its helpers are one word, so that nobody sees the one
// without the other.
#define HELPERS(word) ((word) % 512)
#define NEXT(word, helpers) (((word) / 512 + 1) % 4096 * 512 + (helpers))

// A job on its way: blocks are taken from `next` on; `busy` helpers are at them.
typedef struct {
  const Job *job;
  const Kernel *kernel;
  const Value *values;
  int blocks;
  atomic_int next, busy;
} Work;

static pthread_mutex_t team = PTHREAD_MUTEX_INITIALIZER;  // held by who runs a job on the team
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static atomic_int announced, sleepers;
static int threads = 1, started = 1;
static int first_seen[MOST_THREADS];
static void *scratch[MOST_THREADS];
static Work work;

int kernel_count(void) { return (int)(sizeof kernels / sizeof *kernels); }

const char *kernel_name(int kernel) { return kernels[kernel].name; }

int kernel_values(int kernel) {
  int count = 0;
  while (kernels[kernel].types[count]) count++;
  return count;
}

int use_threads(int wanted) {
  return threads = wanted < 1 ? 1 : wanted > MOST_THREADS ? MOST_THREADS : wanted;
}

static void *address_in(const Job *job, double offset) {
  return offset == 0 ? NULL : job->base + (size_t)offset;
}

// Scratch as large as a product needs, on whole cache lines.
static void *new_scratch(void) {
  return aligned_alloc(64, ((size_t)gemm_scratch_bytes() + 63) & ~(size_t)63);
}

// Takes blocks until none is left; which thread has which does not change any result.
static void run_blocks(Work *w, int thread, void *own_scratch) {
  const Job *job = w->job;
  char *given = address_in(job, job->scratch);
  Range range = {.scratch = own_scratch};
  if (given) range.scratch = given + (size_t)thread * (size_t)job->scratch_bytes;
  for (int b; (b = atomic_fetch_add(&w->next, 1)) < w->blocks;) {
    range.begin = b * job->block;
    range.end = job->count - range.begin < job->block ? job->count : range.begin + job->block;
    w->kernel->call(&range, w->values);
  }
}

static int await_job(int seen) {
  for (int spin = 0; spin < SPINS; spin++, PAUSE())
    if (atomic_load(&announced) != seen) return atomic_load(&announced);
  pthread_mutex_lock(&lock);
  atomic_fetch_add(&sleepers, 1);
  while (atomic_load(&announced) == seen) pthread_cond_wait(&wake, &lock);
  atomic_fetch_sub(&sleepers, 1);
  pthread_mutex_unlock(&lock);
  return atomic_load(&announced);
}

static void *help(void *argument) {
  const int thread = (int)(intptr_t)argument;
  for (int seen = first_seen[thread];;) {
    seen = await_job(seen);
    if (thread > HELPERS(seen)) continue;
    atomic_fetch_add(&work.busy, 1);
    // Who comes after the job was closed has no part in it, nor in what is written for the next.
    if (atomic_load(&announced) == seen) run_blocks(&work, thread, scratch[thread]);
    if (atomic_fetch_sub(&work.busy, 1) > 1) continue;
    pthread_mutex_lock(&lock);
    pthread_cond_signal(&done);
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

// Starts threads until there are `wanted`, or no more can be had; how many there are.
static int start_threads(int wanted) {
  for (; started < wanted; started++) {
    pthread_t thread;
    first_seen[started] = atomic_load(&announced);
    if (!scratch[started] && !(scratch[started] = new_scratch())) break;
    if (pthread_create(&thread, NULL, help, (void *)(intptr_t)started)) break;
    pthread_detach(thread);
  }
  return started < wanted ? started : wanted;
}

static void announce(int helpers) {
  atomic_store(&announced, NEXT(atomic_load(&announced), helpers));
  if (atomic_load(&sleepers) == 0) return;
  pthread_mutex_lock(&lock);
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&lock);
}

// Closes the job, whose blocks are all taken, and waits for those who still compute.
static void await_helpers(void) {
  atomic_store(&announced, NEXT(atomic_load(&announced), 0));
  for (int spin = 0; spin < SPINS && atomic_load(&work.busy) > 0; spin++) PAUSE();
  if (atomic_load(&work.busy) == 0) return;
  pthread_mutex_lock(&lock);
  while (atomic_load(&work.busy) > 0) pthread_cond_wait(&done, &lock);
  pthread_mutex_unlock(&lock);
}

// All blocks on this thread alone: the team is at work for another thread of JavaScript.
static void run_alone(Work *own, int *failed) {
  void *room = new_scratch();
  if (room) run_blocks(own, 0, room);
  else *failed = 1;
  free(room);
}

static void run_on_team(const Work *given, int *failed) {
  if (!scratch[0] && !(scratch[0] = new_scratch())) {
    *failed = 1;
    return;
  }
  const int helpers = start_threads(threads < given->blocks ? threads : given->blocks) - 1;
  work.job = given->job, work.kernel = given->kernel, work.values = given->values;
  work.blocks = given->blocks;
  atomic_store(&work.next, 0);
  if (helpers > 0) announce(helpers);
  run_blocks(&work, 0, scratch[0]);
  if (helpers > 0) await_helpers();
}

double run_job(const Job *job, int *failed) {
  const Kernel *kernel = kernels + job->kernel;
  Value values[MOST_VALUES];
  for (int i = 0; kernel->types[i]; i++) {
    if (kernel->types[i] == 'p') values[i].address = address_in(job, job->values[i]);
    else values[i].number = job->values[i];
  }
  if (!kernel->is_of_blocks) return kernel->call(&(Range){0, 0, NULL}, values);
  if (job->count <= 0) return 0;
  Work own = {job, kernel, values, (job->count - 1) / job->block + 1, 0, 0};
  if (pthread_mutex_trylock(&team)) {
    run_alone(&own, failed);
    return 0;
  }
  run_on_team(&own, failed);
  pthread_mutex_unlock(&team);
  return 0;
}
