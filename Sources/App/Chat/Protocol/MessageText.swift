/// The rules of a message's text and key.
enum MessageText {
  static let maximumCharacters = 8_000
  /// Any `Idempotency-Key` can be a message's key.
  static let maximumKeyCharacters = 255

  /// The text without white space at its ends.
  static func trimmed(_ text: UnsafeRawBufferPointer) throws(Problem) -> UnsafeRawBufferPointer {
    var start = 0
    var end = text.count
    while start < end, case let width = spaceWidth(text, at: start), width > 0 { start += width }
    while end > start, case let width = spaceWidth(text, endingAt: end), width > 0 { end -= width }
    let result = UnsafeRawBufferPointer(rebasing: text[start..<end])
    if result.isEmpty { throw .validation("/text", "must hold a character that is no white space") }
    try checkCharacters(result, "/text", maximum: maximumCharacters)
    return result
  }

  /// The same of a text on its own.
  static func trimmed(_ text: String) throws(Problem) -> [UInt8] {
    let bytes = Array(text.utf8)
    var result: Result<[UInt8], Problem> = .failure(.internal)
    bytes.withUnsafeBytes { bytes in
      do throws(Problem) { result = .success([UInt8](try trimmed(bytes))) } catch { result = .failure(error) }
    }
    return try result.get()
  }

  static func checkKey(_ key: UnsafeRawBufferPointer) throws(Problem) {
    if key.isEmpty { throw .validation("/key", "must hold at least 1 character") }
    try checkCharacters(key, "/key", maximum: maximumKeyCharacters)
  }

  /// A character is a Unicode scalar, as in JSON Schema's `maxLength`.
  private static func checkCharacters(
    _ text: UnsafeRawBufferPointer, _ pointer: String, maximum: Int
  ) throws(Problem) {
    var characters = 0
    for byte in text {
      if byte == 0 { throw .validation(pointer, "must not hold the character U+0000") }
      // Every scalar has one byte that is no continuation.
      if byte & 0xC0 != 0x80 { characters += 1 }
    }
    if characters > maximum { throw .validation(pointer, "must hold at most \(maximum) characters") }
  }

  /// The length of the white space (Unicode's White_Space) that starts there; 0 if none does.
  private static func spaceWidth(_ text: UnsafeRawBufferPointer, at start: Int) -> Int {
    switch text[start] {
    case 0x20, 0x09...0x0D: return 1
    case 0xC2, 0xE1, 0xE2, 0xE3:
      for width in 2...3 where start + width <= text.count && isSpace(text, start, width) { return width }
      return 0
    default: return 0
    }
  }

  private static func spaceWidth(_ text: UnsafeRawBufferPointer, endingAt end: Int) -> Int {
    for width in 1...3 where end - width >= 0 && spaceWidth(text, at: end - width) == width { return width }
    return 0
  }

  private static func isSpace(_ text: UnsafeRawBufferPointer, _ start: Int, _ width: Int) -> Bool {
    let first = text[start]
    let second = text[start + 1]
    if width == 2 { return first == 0xC2 && (second == 0x85 || second == 0xA0) }
    let third = text[start + 2]
    switch (first, second) {
    case (0xE1, 0x9A): return third == 0x80  // U+1680
    case (0xE2, 0x80): return 0x80...0x8A ~= third || third == 0xA8 || third == 0xA9 || third == 0xAF
    case (0xE2, 0x81): return third == 0x9F  // U+205F
    case (0xE3, 0x80): return third == 0x80  // U+3000
    default: return false
    }
  }
}
