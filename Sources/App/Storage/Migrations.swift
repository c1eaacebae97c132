import GRDB

/// The numbered steps from an empty file to today's schema. A step that was released is never changed.
enum Migrations {
  static let migrator: DatabaseMigrator = {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("001-users-and-chat") { try $0.execute(sql: usersAndChat) }
    migrator.registerMigration("002-sessions") { try $0.execute(sql: sessions) }
    migrator.registerMigration("003-energy") { try $0.execute(sql: energy) }
    migrator.registerMigration("004-access-tokens") { try $0.execute(sql: accessTokens) }
    migrator.registerMigration("005-chat-events") { try $0.execute(sql: chatEvents) }
    migrator.registerMigration("006-search") { try $0.execute(sql: search) }
    return migrator
  }()

  private static let usersAndChat = """
    CREATE TABLE meta (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- AUTOINCREMENT: an id that was given out once never means somebody else.
    CREATE TABLE users (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      username TEXT NOT NULL,
      username_folded TEXT NOT NULL UNIQUE,
      display_name TEXT NOT NULL,
      email TEXT,
      role TEXT NOT NULL CHECK (role IN ('admin', 'client')),
      disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
      password_hash TEXT,
      created_at INTEGER NOT NULL,
      deleted_at INTEGER
    ) STRICT;

    -- digest is the token's SHA-256; used_at stays, so that a second use is seen.
    CREATE TABLE refresh_tokens (
      digest TEXT PRIMARY KEY,
      family TEXT NOT NULL,
      user_id INTEGER NOT NULL REFERENCES users (id),
      expires_at INTEGER NOT NULL,
      used_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
    CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

    -- direct_key is the two members' ids, the smaller first: one direct conversation a pair; or the one user whose
    -- support conversation it is.
    CREATE TABLE conversations (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL CHECK (kind IN ('direct', 'group', 'support')),
      title TEXT,
      direct_key TEXT UNIQUE,
      created_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE members (
      conversation_id INTEGER NOT NULL REFERENCES conversations (id),
      user_id INTEGER NOT NULL REFERENCES users (id),
      joined_at INTEGER NOT NULL,
      read_seq INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (conversation_id, user_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX members_by_user ON members (user_id, conversation_id);

    -- position is the order of all events of the store, seq that of one conversation's messages.
    -- kind: 0 text, 1 alert, 2 system. key is the sender's own, and NULL for what the server says.
    CREATE TABLE messages (
      position INTEGER PRIMARY KEY,
      conversation_id INTEGER NOT NULL REFERENCES conversations (id),
      seq INTEGER NOT NULL CHECK (seq > 0),
      sender_id INTEGER NOT NULL REFERENCES users (id),
      timestamp INTEGER NOT NULL,
      kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
      text TEXT NOT NULL,
      key TEXT,
      reply_to INTEGER,
      edited_at INTEGER,
      deleted_at INTEGER,
      UNIQUE (conversation_id, seq),
      UNIQUE (sender_id, key)
    ) STRICT;
    """

  /// Refresh tokens from before have no session, and are dropped: their owners log in again.
  private static let sessions = """
    -- Tokens that say a lower version than their user's are dead.
    ALTER TABLE users ADD COLUMN token_version INTEGER NOT NULL DEFAULT 0;

    -- Who speaks where the server does. '#' is in no name that a user can have.
    INSERT INTO users (id, username, username_folded, display_name, role, disabled, created_at)
    VALUES (0, 'system', '#system', 'Wattloop', 'client', 1, 0);

    -- A log-in and all the tokens that came from it.
    CREATE TABLE sessions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INTEGER NOT NULL REFERENCES users (id),
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      ended_at INTEGER
    ) STRICT;
    CREATE INDEX sessions_by_user ON sessions (user_id);
    CREATE INDEX sessions_by_expiry ON sessions (expires_at);

    -- digest is the token's SHA-256; used_at stays, so that a second use is seen.
    DROP TABLE refresh_tokens;
    CREATE TABLE refresh_tokens (
      digest TEXT PRIMARY KEY,
      session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      expires_at INTEGER NOT NULL,
      used_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
    CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

    -- The first answer to a request with an Idempotency-Key. digest is that of method, path and body.
    CREATE TABLE idempotency_keys (
      user_id INTEGER NOT NULL,
      key TEXT NOT NULL,
      digest TEXT NOT NULL,
      status INTEGER NOT NULL,
      location TEXT,
      body BLOB NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (user_id, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
    """

  private static let accessTokens = """
    -- When the last access token of the session expires: so long must be remembered that it ended.
    ALTER TABLE sessions ADD COLUMN access_until INTEGER NOT NULL DEFAULT 0;
    """

  private static let chatEvents = """
    -- Made anew, because an index that belongs to a constraint cannot be changed. changed_position is that of the last
    -- event that changed the message, NULL while it stands as it was sent. first_digest is the SHA-256 of the text as it
    -- was sent, kept when that is replaced: a retry with the same key is still known. No reference is checked for each
    -- message: its conversation has its sender among the members, whose rows are.
    ALTER TABLE messages RENAME TO old_messages;
    CREATE TABLE messages (
      position INTEGER PRIMARY KEY,
      conversation_id INTEGER NOT NULL,
      seq INTEGER NOT NULL CHECK (seq > 0),
      sender_id INTEGER NOT NULL,
      timestamp INTEGER NOT NULL,
      kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
      text TEXT NOT NULL,
      key TEXT,
      reply_to INTEGER,
      edited_at INTEGER,
      deleted_at INTEGER,
      changed_position INTEGER,
      first_digest TEXT,
      UNIQUE (sender_id, key)
    ) STRICT;
    INSERT INTO messages
      SELECT position, conversation_id, seq, sender_id, timestamp, kind, text, key, reply_to, edited_at, deleted_at,
        NULL, NULL
      FROM old_messages ORDER BY position;
    DROP TABLE old_messages;
    -- The sender is in it so that a member's own messages are counted in the index alone.
    CREATE UNIQUE INDEX messages_by_seq ON messages (conversation_id, seq, sender_id);

    -- What has happened but new messages and alerts, in the order of all events of the store.
    -- kind: 0 message changed, 1 receipt, 2 conversation created, 3 updated, 4 member added, 5 member removed.
    -- user_id: whose receipt, or who was added or removed. by_id: who did it. public_read_seq: what the others see of a
    -- receipt; NULL where they see nothing. members: of a new conversation, their ids with commas between; NULL if many.
    CREATE TABLE events (
      position INTEGER PRIMARY KEY,
      kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 5),
      conversation_id INTEGER NOT NULL,
      user_id INTEGER,
      by_id INTEGER,
      seq INTEGER,
      received_seq INTEGER,
      read_seq INTEGER,
      public_read_seq INTEGER,
      title TEXT,
      members TEXT
    ) STRICT;
    CREATE INDEX events_by_conversation ON events (conversation_id, position);
    -- Who was removed is told, though no member any more.
    CREATE INDEX removals_by_user ON events (user_id, position) WHERE kind = 5;

    -- counted_seq: up to there sent_counts holds how many messages each user has sent in it.
    ALTER TABLE conversations ADD COLUMN founder_id INTEGER;
    ALTER TABLE conversations ADD COLUMN counted_seq INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE sent_counts (
      conversation_id INTEGER NOT NULL,
      user_id INTEGER NOT NULL,
      sent INTEGER NOT NULL,
      PRIMARY KEY (conversation_id, user_id)
    ) STRICT, WITHOUT ROWID;

    -- public_read_seq: read_seq as the others see it, without private reads. joined_position: what came before it is
    -- history and not news. own_read: how many of the member's own messages lie at or below read_seq.
    ALTER TABLE members ADD COLUMN joined_position INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE members ADD COLUMN received_seq INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE members ADD COLUMN public_read_seq INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE members ADD COLUMN own_read INTEGER NOT NULL DEFAULT 0;
    -- A user's conversations are put in order by the index alone.
    DROP INDEX members_by_user;
    CREATE INDEX members_by_user ON members (user_id, conversation_id, joined_position);

    -- Events up to this position may have been taken away.
    INSERT INTO meta (name, value) VALUES ('events_from', '0');
    """

  private static let search = """
    -- scope is a word that names the conversation: the index finds the words of some conversations alone.
    CREATE VIEW searchable AS SELECT position, text, 'c' || conversation_id AS scope FROM messages;
    CREATE VIRTUAL TABLE message_words USING fts5(
      text, scope, content = 'searchable', content_rowid = 'position', tokenize = 'unicode61 remove_diacritics 2');
    -- Messages up to this position are in the index.
    INSERT INTO meta (name, value) VALUES ('indexed', '0');
    """

  private static let energy = """
    CREATE TABLE devices (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      address TEXT,
      owner_id INTEGER REFERENCES users (id),
      timezone TEXT NOT NULL,
      max_hourly_kwh REAL,
      created_at INTEGER NOT NULL,
      deleted_at INTEGER
    ) STRICT;
    CREATE INDEX devices_by_owner ON devices (owner_id, id);

    -- place 0 is the device's main metric: its consumption is the device's.
    -- longest: the longest span that a reading names by its start, in milliseconds.
    CREATE TABLE metrics (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      device_id INTEGER NOT NULL REFERENCES devices (id),
      place INTEGER NOT NULL,
      name TEXT NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('counter', 'interval', 'power')),
      unit TEXT NOT NULL CHECK (unit IN ('kWh', 'Wh', 'W')),
      longest INTEGER NOT NULL DEFAULT 0,
      UNIQUE (device_id, name)
    ) STRICT;

    -- digest is the token's SHA-256.
    CREATE TABLE device_keys (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      device_id INTEGER NOT NULL REFERENCES devices (id),
      name TEXT,
      digest TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX device_keys_by_device ON device_keys (device_id);

    -- Times are milliseconds of Unix time; values are as they were sent, in the metric's unit.
    CREATE TABLE readings (
      metric_id INTEGER NOT NULL REFERENCES metrics (id),
      ends_at INTEGER NOT NULL,
      starts_at INTEGER,
      value REAL NOT NULL,
      PRIMARY KEY (metric_id, ends_at)
    ) STRICT, WITHOUT ROWID;
    -- Those that reach beyond a quarter hour, for what lies within them.
    CREATE INDEX long_readings ON readings (metric_id, ends_at) WHERE ends_at - starts_at > 900000;

    -- number: quarter hours since 1970. energy: microwatt-hours. covered: milliseconds.
    CREATE TABLE buckets (
      metric_id INTEGER NOT NULL REFERENCES metrics (id),
      number INTEGER NOT NULL,
      energy INTEGER NOT NULL,
      covered INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      PRIMARY KEY (metric_id, number)
    ) STRICT, WITHOUT ROWID;

    -- Where a counter began anew. at is the end of the first reading after a fall, or the time of a meter change.
    -- An undone one stays, so that the same fall is not taken for a reset again.
    CREATE TABLE resets (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      metric_id INTEGER NOT NULL REFERENCES metrics (id),
      at INTEGER NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('detected', 'declared', 'undone')),
      value_before REAL,
      value_after REAL,
      created_at INTEGER NOT NULL,
      UNIQUE (metric_id, at)
    ) STRICT;

    -- One for a device and hour. energy: microwatt-hours.
    CREATE TABLE alerts (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      device_id INTEGER NOT NULL REFERENCES devices (id),
      starts_at INTEGER NOT NULL,
      ends_at INTEGER NOT NULL,
      energy INTEGER NOT NULL,
      limit_kwh REAL NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('firing', 'cleared')),
      fired_at INTEGER NOT NULL,
      cleared_at INTEGER,
      acknowledged_by INTEGER REFERENCES users (id),
      acknowledged_at INTEGER,
      UNIQUE (device_id, starts_at)
    ) STRICT;

    -- What happened to alerts, in the order of all events of the store.
    CREATE TABLE alert_events (
      position INTEGER PRIMARY KEY,
      alert_id INTEGER NOT NULL REFERENCES alerts (id),
      state TEXT NOT NULL CHECK (state IN ('firing', 'cleared', 'acknowledged')),
      energy INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX alert_events_by_alert ON alert_events (alert_id);
    """
}
