/* Everything a session does because time passed: pings and their answers, stalls, the wait of
 * a poll, the end of what nobody came back to. Thread: the loop's. */
#ifndef HL_SESSION_DEADLINE_H
#define HL_SESSION_DEADLINE_H

struct hl_session;

/* Sets the session's timer to what is due next. After anything that bears on it changed. */
void hl_deadline_set(struct hl_session *session);

#endif
