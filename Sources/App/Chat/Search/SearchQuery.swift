/// What a user looks for, as an expression of FTS5: all words must be there, `word*` is a beginning, `"…"` words in a row.
///
/// Every word is quoted, so that nothing a user types means anything else to FTS5.
struct SearchQuery: Sendable, Equatable {
  static let longest = 256
  private static let mostTerms = 16

  private let words: String

  /// - Throws: `validation` for a text without a word, or one too long.
  init(_ text: String?) throws(Problem) {
    guard let text else { throw .validation("?q", "is missing") }
    guard text.unicodeScalars.count <= Self.longest, !text.unicodeScalars.contains("\0") else {
      throw .validation("?q", "must hold at most \(Self.longest) characters, without U+0000")
    }
    let terms = Self.terms(text)
    guard !terms.isEmpty else { throw .validation("?q", "must hold a word") }
    guard terms.count <= Self.mostTerms else {
      throw .validation("?q", "must hold at most \(Self.mostTerms) words")
    }
    words = terms.joined(separator: " AND ")
  }

  /// For messages anywhere.
  var expression: String { "text : (\(words))" }

  /// For the messages of some conversations: the index skips from one to the next of theirs.
  func expression(in conversations: [Int64]) -> String {
    let scopes = conversations.map { "\"\(EntityID.conversation.text($0))\"" }
    return "\(expression) AND scope : (\(scopes.joined(separator: " OR ")))"
  }

  private static func terms(_ text: String) -> [String] {
    var terms: [String] = []
    // Between two double quotes lies a phrase; an odd one at the end is none.
    let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if index % 2 == 1 && index < parts.count - 1 {
        add(part, isPrefix: false, to: &terms)
      } else {
        for word in part.split(whereSeparator: \.isWhitespace) {
          add(word.prefix(while: { $0 != "*" }), isPrefix: word.contains("*"), to: &terms)
        }
      }
    }
    return terms
  }

  private static func add(_ words: Substring, isPrefix: Bool, to terms: inout [String]) {
    guard words.contains(where: { $0.isLetter || $0.isNumber }) else { return }
    terms.append("\"\(words)\"" + (isPrefix ? " *" : ""))
  }
}
