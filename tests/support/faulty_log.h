/* An engine around another one that makes the n-th call go wrong, n a parameter: for every n
 * what was acknowledged must be there and nothing half done. */
#ifndef HL_TESTS_SUPPORT_FAULTY_LOG_H
#define HL_TESTS_SUPPORT_FAULTY_LOG_H

#include "store/log.h"

enum hl_fault {
    HL_FAULT_BUSY = 1, /* not taken */
    HL_FAULT_BEFORE,   /* done(-EIO), and nothing happened */
    HL_FAULT_AFTER,    /* done(-EIO), though it happened */
    HL_FAULT_END,
    HL_FAULT_FORGETFUL, /* every submit, whatever n: its conditions are not looked at */
};

/* Call 0 never goes wrong: the wrapper changes nothing. Closing it closes the inner log. */
struct hl_log *hl_faulty_log_create(struct hl_log *inner, enum hl_fault fault, uint64_t nth_call);
uint64_t hl_faulty_log_calls(struct hl_log *log);
/* Nothing goes wrong any more. */
void hl_faulty_log_heal(struct hl_log *log);
struct hl_log *hl_faulty_log_inner(struct hl_log *log);

#endif
