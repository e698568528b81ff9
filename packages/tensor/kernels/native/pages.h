// Pages of memory that the system can have back.
#pragma once

#include <stddef.h>

// Has the system take back the pages at an address, which are read from their file when they are
// next touched; whether it did. The values of pages without a file would be lost.
int release_pages(void *address, size_t bytes);
