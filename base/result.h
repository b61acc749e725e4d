/* Results. Every fallible function returns an int:
 *   0          it was done;
 *   negative   -errno: the caller passes it up unchanged and never matches on it;
 *   positive   an outcome named in that function's own header: the caller must handle it
 *              and may not pass it on.
 * Text for people is made where the log line is written, not carried in results. */
#ifndef HL_BASE_RESULT_H
#define HL_BASE_RESULT_H

#include <errno.h>

#endif
