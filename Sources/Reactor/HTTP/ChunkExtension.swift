/// The extensions of a chunk-size line (RFC 9112 §7.1.1), as the state after the bytes so far: `*( BWS ";"
/// BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`. They mean nothing to us, but only well-formed ones
/// pass. A blank must be followed by one of the signs: none may stand before the CRLF.
enum ChunkExtension: UInt8, Sendable {
  case blank, start
  case name, nameBlank
  case valueStart, token, quoted, escape, quotedEnd, valueBlank
  /// The CR was seen.
  case end

  /// `byte` is the one that ended the chunk size.
  init(afterSize byte: UInt8) throws(HTTPError) {
    self = try Self.afterElement(byte, blank: .blank)
  }

  func next(_ byte: UInt8) throws(HTTPError) -> ChunkExtension {
    switch self {
    case .start:
      return byte.isBlank ? .start : try Self.token(byte, .name)
    case .name:
      if ByteClass.token.contains(byte) { return .name }
      if byte == UInt8(ascii: "=") { return .valueStart }
      return try Self.afterElement(byte, blank: .nameBlank)
    case .nameBlank:
      if byte == UInt8(ascii: "=") { return .valueStart }
      return try Self.afterBlank(byte, blank: .nameBlank)
    case .valueStart:
      if byte.isBlank { return .valueStart }
      return byte == UInt8(ascii: "\"") ? .quoted : try Self.token(byte, .token)
    case .token:
      if ByteClass.token.contains(byte) { return .token }
      return try Self.afterElement(byte, blank: .valueBlank)
    case .quoted:
      if byte == UInt8(ascii: "\"") { return .quotedEnd }
      return byte == UInt8(ascii: "\\") ? .escape : try Self.quotedText(byte)
    case .escape:
      return try Self.quotedText(byte)
    case .quotedEnd:
      return try Self.afterElement(byte, blank: .valueBlank)
    case .blank, .valueBlank:
      return try Self.afterBlank(byte, blank: self)
    case .end:
      return .end
    }
  }

  private static func afterElement(_ byte: UInt8, blank: Self) throws(HTTPError) -> Self {
    byte == .carriageReturn ? .end : try afterBlank(byte, blank: blank)
  }

  private static func afterBlank(_ byte: UInt8, blank: Self) throws(HTTPError) -> Self {
    if byte.isBlank { return blank }
    if byte == UInt8(ascii: ";") { return .start }
    throw .inChunk(byte)
  }

  private static func token(_ byte: UInt8, _ next: Self) throws(HTTPError) -> Self {
    guard ByteClass.token.contains(byte) else { throw .inChunk(byte) }
    return next
  }

  /// Inside quotes: tab, visible ASCII, space, and the bytes from 0x80 (RFC 9110 §5.6.4).
  private static func quotedText(_ byte: UInt8) throws(HTTPError) -> Self {
    guard byte == .tab || !byte.isControl else { throw .inChunk(byte) }
    return .quoted
  }
}

extension HTTPError {
  /// What a byte means that does not belong where it stands in a chunk's framing.
  static func inChunk(_ byte: UInt8) -> HTTPError { byte == .lineFeed ? .bareLineFeed : .malformedChunk }
}
