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

  /// The positions of the best matches, the best first.
  /// - Parameter position: newer messages are passed over, so that the pages of one search fit together.
  func run(upTo position: Int64) throws -> [Int64] {
    let found = try matches(upTo: position)
    let scores = try found.map { try score($0) }
    return found.indices.sorted { (scores[$0], found[$0]) > (scores[$1], found[$1]) }.map { found[$0] }
  }

  private func matches(upTo position: Int64) throws -> [Int64] {
    guard let scopes = try scopes() else { return try sifted(upTo: position) }
    if scopes.isEmpty { return [] }
    return try Int64.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT rowid FROM message_words WHERE message_words MATCH ? AND rowid <= ? ORDER BY rowid DESC LIMIT ?
          """), arguments: [query.expression(in: scopes), position, Self.candidates])
  }

  /// nil where there are too many to name.
  private func scopes() throws -> [Int64]? {
    if let conversation { return [conversation] }
    let scopes = try Int64.fetchAll(
      db.cachedStatement(sql: "SELECT conversation_id FROM members WHERE user_id = ? LIMIT ?"),
      arguments: [user, Self.mostScopes + 1])
    return scopes.count > Self.mostScopes ? nil : scopes
  }

  private func sifted(upTo position: Int64) throws -> [Int64] {
    try Int64.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT m.position FROM (
            SELECT rowid AS found FROM message_words WHERE message_words MATCH ? AND rowid <= ?
            ORDER BY rowid DESC LIMIT ?) JOIN messages m ON m.position = found
          WHERE EXISTS (SELECT 1 FROM members WHERE conversation_id = m.conversation_id AND user_id = ?)
          ORDER BY m.position DESC LIMIT ?
          """),
      arguments: [query.expression, position, Self.mostSifted, user, Self.candidates])
  }

  /// BM25's weight of how often the words stand in a text of its length. How rare a word is makes no difference, for
  /// every match has all of them.
  private func score(_ position: Int64) throws -> Double {
    let marked = try marked("highlight(message_words, 0, char(2), char(3))", position)
    let hits = Double(marked.utf8.lazy.filter { $0 == 2 }.count)
    let length = Double(marked.utf8.count) / 120
    return hits * 2.2 / (hits + 1.2 * (0.25 + 0.75 * length))
  }

  /// The part of the text where the words stand, as HTML: escaped, and the words in `<mark>`.
  func snippet(_ position: Int64) throws -> String {
    var html = ""
    for character in try marked("snippet(message_words, 0, char(2), char(3), '…', 24)", position)
      .unicodeScalars
    {
      switch character {
      case "\u{2}": html += "<mark>"
      case "\u{3}": html += "</mark>"
      case "&": html += "&amp;"
      case "<": html += "&lt;"
      case ">": html += "&gt;"
      case "\"": html += "&quot;"
      case "'": html += "&#39;"
      default: html.unicodeScalars.append(character)
      }
    }
    return html
  }

  private func marked(_ function: String, _ position: Int64) throws -> String {
    try String.fetchOne(
      db.cachedStatement(
        sql: "SELECT \(function) FROM message_words WHERE message_words MATCH ? AND rowid = ?"),
      arguments: [query.expression, position]) ?? ""
  }
}
