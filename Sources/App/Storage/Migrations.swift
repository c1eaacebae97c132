import GRDB

/// The numbered steps from an empty file to today's schema. A step that was released is never changed.
enum Migrations {
  static let migrator: DatabaseMigrator = {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("001-users-and-chat") { try $0.execute(sql: usersAndChat) }
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

    -- direct_key is the two members' ids, the smaller first: one direct conversation a pair.
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
}
