#include "CTimer.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int timer_open(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); }

void timer_set(int timer, uint64_t nanoseconds) {
  struct itimerspec at = {
    .it_value = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)}};
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

void timer_take(int timer) {
  uint64_t count;
  // Nothing to take is no error: the timer may have been set anew since it fired.
  if (read(timer, &count, sizeof count) < 0) return;
}
