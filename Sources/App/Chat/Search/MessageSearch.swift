import GRDB

/// Finds messages by their words, among those that a user may see, on a reader's thread.
///
/// Of many matches the newest are weighed, and the best of those come first: a word that stands in a million messages
/// costs no more than one in a thousand.
struct MessageSearch {
  /// The matches that are weighed against each other.
  static let candidates = 200
  /// The conversations of a user with more are not named to the index; its matches are sifted, so many of them.
  private static let mostScopes = 400
  private static let mostSifted = 20_000

  let query: SearchQuery
  let user: Int64
  /// The only one to look in; the user is a member.
  let conversation: Int64?
  let db: Database
  private let marks = HitMarks()

  init(query: SearchQuery, user: Int64, conversation: Int64?, db: Database) {
    self.query = query
    self.user = user
    self.conversation = conversation
    self.db = db
  }

  struct Match {
    let position: Int64
    let text: MarkedText

    /// BM25's weight of how often the words stand in a text of its length. How rare a word is makes no difference, for
    /// every match has all of them.
    fileprivate var score: Double {
      let hits = Double(text.hits)
      return hits * 2.2 / (hits + 1.2 * (0.25 + 0.75 * Double(text.length) / 120))
    }
  }

  /// The best matches, the best first.
  /// - Parameter position: newer messages are passed over, so that the pages of one search fit together.
  func run(upTo position: Int64) throws -> [Match] {
    let found = try matches(upTo: position)
    let scores = found.map(\.score)
    return found.indices.sorted { (scores[$0], found[$0].position) > (scores[$1], found[$1].position) }
      .map { found[$0] }
  }

  private func matches(upTo position: Int64) throws -> [Match] {
    guard let scopes = try scopes() else { return try sifted(upTo: position) }
    if scopes.isEmpty { return [] }
    return try fetch(
      """
      SELECT rowid, highlight(message_words, 0, ?4, ?5) FROM message_words
      WHERE message_words MATCH ?1 AND rowid <= ?2 ORDER BY rowid DESC LIMIT ?3
      """, [query.expression(in: scopes), position, Self.candidates, marks.open, marks.close])
  }

  /// nil where there are too many to name.
  private func scopes() throws -> [Int64]? {
    if let conversation { return [conversation] }
    let scopes = try Int64.fetchAll(
      db.cachedStatement(sql: "SELECT conversation_id FROM members WHERE user_id = ? LIMIT ?"),
      arguments: [user, Self.mostScopes + 1])
    return scopes.count > Self.mostScopes ? nil : scopes
  }

  private func sifted(upTo position: Int64) throws -> [Match] {
    try fetch(
      """
      SELECT f.rowid, highlight(message_words, 0, ?6, ?7)
      FROM message_words f JOIN messages m ON m.position = f.rowid
      WHERE f.message_words MATCH ?1 AND f.rowid <= ?2
        AND f.rowid > coalesce((SELECT rowid FROM message_words WHERE message_words MATCH ?1 AND rowid <= ?2
          ORDER BY rowid DESC LIMIT 1 OFFSET ?5), 0)
        AND EXISTS (SELECT 1 FROM members WHERE conversation_id = m.conversation_id AND user_id = ?4)
      ORDER BY f.rowid DESC LIMIT ?3
      """, [query.expression, position, Self.candidates, user, Self.mostSifted, marks.open, marks.close])
  }

  private func fetch(_ sql: String, _ arguments: StatementArguments) throws -> [Match] {
    try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments).map { row in
      Match(position: row[0], text: MarkedText(row[1], marks))
    }
  }
}
