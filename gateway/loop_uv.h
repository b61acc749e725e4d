/* base/loop.h on libuv: one thread, one uv_loop_t, one queue of posted tasks woken by one
 * uv_async_t. uv.h is included by loop_uv.c and wire.c only. */
#ifndef HL_GATEWAY_LOOP_UV_H
#define HL_GATEWAY_LOOP_UV_H

#include <stdint.h>

#include "base/loop.h"

struct hl_loop_uv;

int hl_loop_uv_create(struct hl_loop_uv **out_loop); /* 0, -errno */
void hl_loop_uv_destroy(struct hl_loop_uv *loop);    /* after run returned; all timers ended */
struct hl_loop *hl_loop_uv_loop(struct hl_loop_uv *loop);
void *hl_loop_uv_handle(struct hl_loop_uv *loop); /* uv_loop_t, for wire.c */

/* Runs on the calling thread until hl_loop_uv_stop. */
void hl_loop_uv_run(struct hl_loop_uv *loop);
void hl_loop_uv_stop(struct hl_loop_uv *loop); /* any thread */

/* Repeating timer on the loop's thread (start before run or on it). */
struct hl_loop_timer;
int hl_loop_timer_start(struct hl_loop_uv *loop, uint32_t every_ms, void (*fire)(void *arg),
                        void *arg, struct hl_loop_timer **out_timer);
void hl_loop_timer_stop(struct hl_loop_timer *timer); /* loop thread; accepts NULL */

#endif
