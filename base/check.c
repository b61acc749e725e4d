#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void hl_check_failed(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "check failed: %s at %s:%d\n", expression, file, line);
    abort();
}
