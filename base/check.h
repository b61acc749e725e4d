/* Asserts that stay in release builds. They guard against our own mistakes; input of a
 * client, a file or the network is refused with an error and never asserted. */
#ifndef HL_BASE_CHECK_H
#define HL_BASE_CHECK_H

/* Writes expression and place to standard error, then aborts. */
_Noreturn void hl_check_failed(const char *expression, const char *file, int line);

#define HL_CHECK(expression)                                                                       \
    ((expression) ? (void)0 : hl_check_failed(#expression, __FILE__, __LINE__))

/* Behind a switch over all values of an enum: nothing may come here. */
#define HL_NEVER(what) hl_check_failed(what, __FILE__, __LINE__)

#endif
