// A timer with a descriptor: Swift's Glibc module lacks timerfd, and the loop's own timers are too coarse to send on
// a schedule.
#pragma once
#include <stdint.h>

// A non-blocking timer of the monotonic clock; -1 and errno if there is none.
int timer_open(void);
// Lets it fire once, at that time; at once if it has passed.
void timer_set(int timer, uint64_t nanoseconds);
// Takes what has fired, so that the descriptor is no longer readable.
void timer_take(int timer);
