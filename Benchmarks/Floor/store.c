// What disk and SQLite allow: the rows of a load, stored by a bare loop in one transaction for all that may be under way, each
// synced (`synchronous=FULL`). Nobody sends them and nobody is told; no rights, no counters, no buckets.
//
//   store FOLDER messages CONVERSATIONS BATCH SECONDS
//   store FOLDER readings DEVICES BATCH SECONDS [each]    a batch goes round the devices; with `each` it is of one device
//
// Prints rows a second and CPU time a row as JSON.
#define _GNU_SOURCE
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static sqlite3 *db;

static void check(int result) {
  if (result == SQLITE_OK || result == SQLITE_DONE) return;
  fprintf(stderr, "error: %s\n", sqlite3_errmsg(db));
  exit(1);
}

static void run(const char *sql) { check(sqlite3_exec(db, sql, NULL, NULL, NULL)); }

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement;
  check(sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
  return statement;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static double processor_microseconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return 1e6 * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

// The keys of the server's own tables: of a message its place in all, in its conversation, and its sender's word for it; of a
// reading its metric and its end.
static const char *messages_schema =
    "CREATE TABLE messages (position INTEGER PRIMARY KEY, conversation_id INTEGER, seq INTEGER, sender_id INTEGER, key TEXT,"
    " text TEXT, timestamp INTEGER);"
    "CREATE UNIQUE INDEX messages_by_seq ON messages (conversation_id, seq, sender_id);"
    "CREATE UNIQUE INDEX messages_by_key ON messages (sender_id, key)";
static const char *readings_schema =
    "CREATE TABLE readings (metric_id INTEGER, ends_at INTEGER, value REAL, PRIMARY KEY (metric_id, ends_at)) WITHOUT ROWID";

int main(int count, char **arguments) {
  if (count < 6) {
    fprintf(stderr, "usage: store FOLDER messages|readings PLACES BATCH SECONDS [each]\n");
    return 2;
  }
  int is_chat = strcmp(arguments[2], "messages") == 0;
  long places = atol(arguments[3]), batch = atol(arguments[4]);
  double length = atof(arguments[5]);
  int stays = count > 6;
  if (places < 1 || batch < 1 || length <= 0) return 2;

  char path[4096];
  snprintf(path, sizeof path, "%s/floor-%ld.sqlite", arguments[1], (long)time(NULL));
  check(sqlite3_open(path, &db));
  run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536");
  run(is_chat ? messages_schema : readings_schema);
  sqlite3_stmt *insert = prepare(
      is_chat ? "INSERT INTO messages VALUES (?2, ?1, ?2, ?1, ?3, ?4, ?2)" : "INSERT INTO readings VALUES (?1, ?2, ?3)");
  char text[200], key[32];
  memset(text, 'x', sizeof text);

  long stored = 0, batches = 0;
  double start = seconds(), used = processor_microseconds();
  while (seconds() - start < length) {
    run("BEGIN IMMEDIATE");
    for (long i = 0; i < batch; i++) {
      long place = (stays ? batches : stored) % places;
      sqlite3_bind_int64(insert, 1, place);
      sqlite3_bind_int64(insert, 2, stored);
      if (is_chat) {
        sqlite3_bind_text(insert, 3, key, snprintf(key, sizeof key, "c-%ld", stored), SQLITE_STATIC);
        sqlite3_bind_text(insert, 4, text, 200, SQLITE_STATIC);
      } else {
        sqlite3_bind_double(insert, 3, stored * 0.001);
      }
      check(sqlite3_step(insert) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR);
      sqlite3_reset(insert);
      stored++;
    }
    run("COMMIT");
    batches++;
  }
  double elapsed = seconds() - start;
  used = processor_microseconds() - used;
  const char *row = is_chat ? "message" : "reading";
  printf("{\"load\": \"C floor\", \"%ss_per_second\": %.1f, \"server_cpu_us_per_%s\": %.3f}\n", row, stored / elapsed, row,
         used / stored);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  unlink(path);
  return 0;
}
