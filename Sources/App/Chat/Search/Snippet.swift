/// Around the words that FTS5's `highlight` has found. A number that nobody knows makes them different from whatever a
/// message holds.
struct HitMarks: Sendable {
  let open: String
  let close: String

  init(_ number: UInt64 = .random(in: 0 ... .max)) {
    open = "\u{2}\(String(number, radix: 36))\u{2}"
    close = "\u{3}\(String(number, radix: 36))\u{3}"
  }
}

/// A text with marks around the words that were found.
struct MarkedText {
  private let characters: [(character: Unicode.Scalar, isFound: Bool)]

  /// How many words were found.
  let hits: Int
  var length: Int { characters.count }

  init(_ marked: String, _ marks: HitMarks) {
    var hits = 0
    var characters: [(Unicode.Scalar, Bool)] = []
    for (index, part) in marked.split(separator: marks.open, omittingEmptySubsequences: false).enumerated() {
      // The first part stands before all marks; each other begins with what was found.
      let pieces =
        index == 0
        ? [part] : part.split(separator: marks.close, maxSplits: 1, omittingEmptySubsequences: false)
      hits += index == 0 ? 0 : 1
      if index > 0, let found = pieces.first { characters += found.unicodeScalars.map { ($0, true) } }
      if index == 0 || pieces.count > 1, let rest = pieces.last {
        characters += rest.unicodeScalars.map { ($0, false) }
      }
    }
    self.characters = characters
    self.hits = hits
  }

  /// Characters of a snippet, and of those what stands before the first word that was found.
  private static let most = 160
  private static let before = 40

  /// The part where the first words stand, as HTML: escaped, the words in `<mark>`, `…` where the text goes on.
  var snippet: String {
    let first = characters.firstIndex { $0.isFound } ?? 0
    let start = wordStart(from: max(0, first - Self.before), to: first)
    let end = wordEnd(from: min(characters.count, start + Self.most), to: start + Self.most / 2)
    var html = start > 0 ? "…" : ""
    var isOpen = false
    for (character, isFound) in characters[start..<end] {
      if isFound != isOpen { html += isFound ? "<mark>" : "</mark>" }
      isOpen = isFound
      Self.append(character, to: &html)
    }
    if isOpen { html += "</mark>" }
    return end < characters.count ? html + "…" : html
  }

  /// The next beginning of a word.
  private func wordStart(from start: Int, to limit: Int) -> Int {
    if start == 0 { return 0 }
    return (start..<max(start, limit)).first { isSpace($0) }.map { $0 + 1 } ?? start
  }

  /// The last end of a word.
  private func wordEnd(from end: Int, to limit: Int) -> Int {
    if end == characters.count { return end }
    return (min(limit, end)..<end).last { isSpace($0) } ?? end
  }

  private func isSpace(_ index: Int) -> Bool { characters[index].character.properties.isWhitespace }

  private static func append(_ character: Unicode.Scalar, to html: inout String) {
    switch character {
    case "&": html += "&amp;"
    case "<": html += "&lt;"
    case ">": html += "&gt;"
    case "\"": html += "&quot;"
    case "'": html += "&#39;"
    default: html.unicodeScalars.append(character)
    }
  }
}
