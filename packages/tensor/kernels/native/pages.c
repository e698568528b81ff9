#include "pages.h"

#ifdef __linux__
#include <sys/mman.h>

int release_pages(void *address, size_t bytes) {
  return madvise(address, bytes, MADV_DONTNEED) == 0;
}
#else
int release_pages(void *address, size_t bytes) {
  (void)address, (void)bytes;
  return 0;
}
#endif
