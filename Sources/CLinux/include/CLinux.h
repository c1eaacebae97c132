// The Linux calls that Swift's Glibc module lacks. The calls stand behind plain prototypes because _GNU_SOURCE, which
// some of them need, clashes with that module when a header defines it.
#pragma once
#include <stdint.h>

// Has the layout of `struct epoll_event`: packed on x86-64, so that it is declared anew for Swift.
typedef struct {
  uint32_t events;
  uint64_t source;
}
#if defined(__x86_64__)
__attribute__((packed))
#endif
linux_event;

enum {
  LINUX_EPOLLIN = 0x001,
  LINUX_EPOLLOUT = 0x004,
  LINUX_EPOLLERR = 0x008,
  LINUX_EPOLLHUP = 0x010,
  LINUX_EPOLLRDHUP = 0x2000,
};
#define LINUX_EPOLLET (1u << 31)

int linux_epoll_create(void);
int linux_epoll_add(int epoll, int fd, uint32_t events, uint64_t source);
int linux_epoll_wait(int epoll, linux_event *events, int capacity, int timeout_ms);

int linux_eventfd(void);
// A descriptor that becomes readable at SIGTERM, SIGINT or SIGHUP; blocks them, and ignores SIGPIPE. Call it before
// any thread is started, so that all inherit the mask.
int linux_signalfd(void);
// The number of one pending signal, 0 if there is none.
int linux_signalfd_take(int fd);

// A listening TCP socket, non-blocking; -1 and errno if it cannot be. Accepted sockets inherit TCP_NODELAY.
int linux_listen(const char *host, const char *port, int backlog);
// Accepts one connection, non-blocking and close-on-exec.
int linux_accept(int listener);
// Starts a non-blocking connection to host:port, from `source` if it is not NULL (both numeric).
int linux_connect(const char *source, const char *host, const char *port);
int linux_local_port(int fd);

// Names the calling thread; 15 bytes are kept.
void linux_name_thread(const char *name);

uint64_t linux_monotonic_ns(void);
