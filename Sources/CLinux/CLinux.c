#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(linux_event) == sizeof(struct epoll_event), "linux_event has epoll_event's layout");
_Static_assert(LINUX_EPOLLIN == EPOLLIN && LINUX_EPOLLOUT == EPOLLOUT && LINUX_EPOLLERR == EPOLLERR &&
                   LINUX_EPOLLHUP == EPOLLHUP && LINUX_EPOLLRDHUP == EPOLLRDHUP && LINUX_EPOLLET == EPOLLET,
               "the event bits are the kernel's");

int linux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int linux_epoll_add(int epoll, int fd, uint32_t events, uint64_t source) {
  struct epoll_event event = {.events = events, .data.u64 = source};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int linux_epoll_wait(int epoll, linux_event *events, int capacity, int timeout_ms) {
  return epoll_wait(epoll, (struct epoll_event *)events, capacity, timeout_ms);
}

int linux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int linux_signalfd(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int linux_signalfd_take(int fd) {
  struct signalfd_siginfo info;
  return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static struct addrinfo *resolve(const char *host, const char *port, int flags) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *found = NULL;
  if (getaddrinfo(host, port, &hints, &found) != 0) {
    errno = EADDRNOTAVAIL;
    return NULL;
  }
  return found;
}

static int close_keeping_errno(int fd) {
  int kept = errno;
  close(fd);
  errno = kept;
  return -1;
}

int linux_listen(const char *host, const char *port, int backlog) {
  struct addrinfo *address = resolve(host, port, AI_PASSIVE | AI_NUMERICSERV);
  if (!address) return -1;
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  if (fd >= 0) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, backlog) != 0) fd = close_keeping_errno(fd);
  }
  freeaddrinfo(address);
  return fd;
}

int linux_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int linux_connect(const char *source, const char *host, const char *port) {
  struct addrinfo *address = resolve(host, port, AI_NUMERICSERV);
  if (!address) return -1;
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  if (fd >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct addrinfo *from = source ? resolve(source, "0", AI_NUMERICHOST | AI_NUMERICSERV) : NULL;
    if (source) {
      // The port is chosen at connect, by the four-tuple: 28,000 connections for each source address.
      setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
      if (!from || bind(fd, from->ai_addr, from->ai_addrlen) != 0) fd = close_keeping_errno(fd);
    }
    if (from) freeaddrinfo(from);
    if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS)
      fd = close_keeping_errno(fd);
  }
  freeaddrinfo(address);
  return fd;
}

int linux_local_port(int fd) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) return -1;
  return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                              : ((struct sockaddr_in *)&address)->sin_port);
}

void linux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

uint64_t linux_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
