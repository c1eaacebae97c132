// What of SQLite is variadic, and so not seen by Swift.
#pragma once
#include <sqlite3.h>

// Before the first database is opened: SQLite counts no memory. Counting takes a mutex for each allocation, and nobody asks.
static inline int sqlite_count_no_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
