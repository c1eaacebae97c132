// A bare WebSocket echo server: how fast this machine's kernel and C can answer, the floor that Wattloop is measured
// against. One thread; one read and one write a readiness; nothing allocated a message. Whole frames up to 64 KiB,
// ping and close; no fragments, extensions, UTF-8 check or time-outs. Any other GET gets a plain 200 and stays open.
//
// GET /room/NAME joins a room, each of whose messages goes to every member by a write of its own.
//
//   echo [--port 9001] [--batch | --no-batch]     batch (default): one write answers all that one read brought
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { maxPayload = 64 << 10, maxHead = 16 << 10, capacity = 256 << 10, maxEvents = 512 };

struct bytes {
  uint8_t *at;
  size_t length, room;
};

struct room {
  char name[32];
  struct connection **members;
  size_t count, places;
  struct room *next;
};

struct connection {
  int fd;
  struct room *room;  // NULL for an echo
  size_t seat;
  int upgraded, closing;
  struct bytes partial;  // a request or frame that is not whole yet; room for a whole read
  struct bytes unsent;   // what the socket did not take; nothing is read while there is any
};

static uint8_t input[capacity];  // reads go here, except where a connection has something partial
static uint8_t output[capacity + maxPayload];
static size_t outputLength;
static int batch = 1;
static struct room *rooms;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void append(struct bytes *to, const uint8_t *from, size_t length) {
  if (to->room < to->length + length) {
    to->room = to->length + length < capacity ? capacity : 2 * (to->length + length);
    if (!(to->at = realloc(to->at, to->room))) fail("realloc");
  }
  memcpy(to->at + to->length, from, length);
  to->length += length;
}

// MARK: Writing

static void sendBytes(struct connection *c, const uint8_t *bytes, size_t length) {
  size_t sent = 0;
  if (!c->unsent.length && length) {
    ssize_t n = send(c->fd, bytes, length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) c->closing = 1;
    sent = n < 0 ? 0 : (size_t)n;
  }
  if (sent < length && !c->closing) append(&c->unsent, bytes + sent, length - sent);
}

static void flush(struct connection *c) {
  sendBytes(c, output, outputLength);
  outputLength = 0;
}

static void flushUnsent(struct connection *c) {
  ssize_t n = send(c->fd, c->unsent.at, c->unsent.length, MSG_NOSIGNAL);
  if (n < 0) {
    c->closing |= errno != EAGAIN;
    return;
  }
  c->unsent.length -= (size_t)n;
  memmove(c->unsent.at, c->unsent.at + n, c->unsent.length);
}

static uint8_t *reserve(struct connection *c, size_t length) {
  if (outputLength + length > sizeof output) flush(c);
  return output + outputLength;
}

// MARK: Rooms

static void join(struct connection *c, const char *name, size_t length) {
  struct room *room = rooms;
  if (length >= sizeof room->name) length = sizeof room->name - 1;
  while (room && (strlen(room->name) != length || memcmp(room->name, name, length))) room = room->next;
  if (!room) {
    if (!(room = calloc(1, sizeof *room))) fail("calloc");
    memcpy(room->name, name, length);
    room->next = rooms;
    rooms = room;
  }
  if (room->count == room->places) {
    room->places = room->places ? 2 * room->places : 128;
    if (!(room->members = realloc(room->members, room->places * sizeof *room->members))) fail("realloc");
  }
  c->room = room;
  c->seat = room->count;
  room->members[room->count++] = c;
}

static void leave(struct connection *c) {
  struct connection *last = c->room->members[--c->room->count];
  c->room->members[c->seat] = last;
  last->seat = c->seat;
}

static void broadcast(struct room *room, const uint8_t *frame, size_t length) {
  for (size_t i = 0; i < room->count; i++) sendBytes(room->members[i], frame, length);
}

// MARK: HTTP

static const char *findKey(const char *head, const char *end) {
  static const char name[] = "\r\nSec-WebSocket-Key:";
  for (const char *line = head; (line = memchr(line, '\r', (size_t)(end - line))); line++) {
    if ((size_t)(end - line) >= sizeof name - 1 + 24 && !strncasecmp(line, name, sizeof name - 1)) {
      line += sizeof name - 1;
      return line + (*line == ' ');
    }
  }
  return NULL;
}

static size_t handshake(const char *key, char *to) {
  static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 §1.3
  unsigned char salted[24 + 36], digest[SHA_DIGEST_LENGTH], accept[32];
  memcpy(salted, key, 24);
  memcpy(salted + 24, guid, 36);
  SHA1(salted, sizeof salted, digest);
  EVP_EncodeBlock(accept, digest, sizeof digest);
  return (size_t)sprintf(to,
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
}

// Answers the first request in `in`; returns its length, 0 when it is not whole yet.
static size_t request(struct connection *c, const uint8_t *in, size_t length) {
  static const char plain[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK";
  const char *head = (const char *)in, *end = memmem(in, length, "\r\n\r\n", 4);
  c->closing = length >= 4 ? memcmp(in, "GET ", 4) != 0 || (!end && length > maxHead) : 0;
  if (!end || c->closing) return 0;

  uint8_t *to = reserve(c, 256);
  const char *key = findKey(head, end);
  if (key) {
    outputLength += handshake(key, (char *)to);
    if (!memcmp(head, "GET /room/", 10)) join(c, head + 10, strcspn(head + 10, " \r"));
    c->upgraded = 1;
  } else {
    memcpy(to, plain, sizeof plain - 1);
    outputLength += sizeof plain - 1;
  }
  return (size_t)(end + 4 - head);
}

// MARK: Frames

static void unmask(uint8_t *restrict to, const uint8_t *restrict from, size_t length, const uint8_t *mask) {
  uint32_t half;
  memcpy(&half, mask, 4);
  uint64_t key = half | (uint64_t)half << 32, words[4];
  size_t i = 0;
  for (; i + 32 <= length; i += 32) {
    memcpy(words, from + i, 32);
    for (int w = 0; w < 4; w++) words[w] ^= key;
    memcpy(to + i, words, 32);
  }
  for (; i + 8 <= length; i += 8) {
    memcpy(words, from + i, 8);
    words[0] ^= key;
    memcpy(to + i, words, 8);
  }
  for (; i < length; i++) to[i] = from[i] ^ mask[i & 3];
}

// Answers the first frame in `in`; returns its length, 0 when it is not whole yet.
static size_t frame(struct connection *c, const uint8_t *in, size_t length) {
  if (length < 6) return 0;
  uint8_t opcode = in[0] & 0x0f;
  uint64_t payload = in[1] & 0x7f;
  size_t header = payload == 127 ? 14 : payload == 126 ? 8 : 6;  // with the mask
  if (length < header) return 0;
  if (header == 8) payload = (uint64_t)in[2] << 8 | in[3];
  if (header == 14) {
    memcpy(&payload, in + 2, 8);
    payload = __builtin_bswap64(payload);
  }
  int known = opcode == 1 || opcode == 2 || ((opcode == 8 || opcode == 9) && payload <= 125);
  if ((in[0] & 0xf0) != 0x80 || !(in[1] & 0x80) || !known || payload > maxPayload) {
    c->closing = 1;
    return 0;
  }
  if (length < header + payload) return 0;

  uint8_t *to = reserve(c, header + payload);
  memcpy(to, in, header - 4);
  to[0] = opcode == 9 ? 0x8a : in[0];
  to[1] &= 0x7f;
  unmask(to + header - 4, in + header, payload, in + header - 4);
  if (c->room && opcode <= 2) broadcast(c->room, to, header - 4 + payload);
  else outputLength += header - 4 + payload;
  c->closing = opcode == 8;
  return header + payload;
}

// MARK: Connections

// Answers whatever is whole in `in` and returns its length.
static size_t answer(struct connection *c, const uint8_t *in, size_t length) {
  size_t done = 0, step;
  while (done < length && !c->closing) {
    step = c->upgraded ? frame(c, in + done, length - done) : request(c, in + done, length - done);
    if (!step) break;
    done += step;
    if (!batch) flush(c);
  }
  flush(c);
  return done;
}

static void keep(struct connection *c, const uint8_t *rest, size_t length) {
  if (c->partial.length) {
    memmove(c->partial.at, rest, length);
    c->partial.length = length;
  } else if (length) {
    append(&c->partial, rest, length);
  }
}

// Edge-triggered: a short read has emptied the socket (epoll(7)), unless the peer's end is still to be read.
static void readAll(struct connection *c, int ended) {
  while (!c->closing && !c->unsent.length) {
    uint8_t *buffer = c->partial.length ? c->partial.at : input;
    size_t held = c->partial.length, room = capacity - held;
    ssize_t n = recv(c->fd, buffer + held, room, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      c->closing = 1;
      return;
    }
    size_t length = held + (size_t)n, done = answer(c, buffer, length);
    keep(c, buffer + done, length - done);
    if ((size_t)n < room && !ended) return;
  }
}

static void ready(struct connection *c, uint32_t events) {
  if (c->unsent.length) flushUnsent(c);
  readAll(c, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
  if (!c->closing) return;
  if (c->room) leave(c);
  close(c->fd);
  free(c->partial.at);
  free(c->unsent.at);
  free(c);
}

static void acceptAll(int listener, int poller) {
  int fd, on = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) fail("calloc");
    c->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = c}};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
  }
}

static int listenOn(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) fail("listen");
  return fd;
}

int main(int count, char **arguments) {
  int port = 9001;
  for (int i = 1; i < count; i++) {
    if (!strcmp(arguments[i], "--port") && i + 1 < count) {
      port = atoi(arguments[++i]);
    } else if (!strcmp(arguments[i], "--batch") || !strcmp(arguments[i], "--no-batch")) {
      batch = arguments[i][2] == 'b';
    } else {
      fprintf(stderr, "usage: %s [--port N] [--batch | --no-batch]\n", arguments[0]);
      return 64;
    }
  }

  int listener = listenOn(port), poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {EPOLLIN, {.ptr = NULL}}, events[maxEvents];
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event)) fail("epoll");
  fprintf(stderr, "echo: ws://127.0.0.1:%d\n", port);

  for (;;) {
    int n = epoll_wait(poller, events, maxEvents, -1);
    if (n < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < n; i++) {
      if (events[i].data.ptr) ready(events[i].data.ptr, events[i].events);
      else acceptAll(listener, poller);
    }
  }
}
