/// The trailer section of a chunked body (RFC 9112 §7.1.2), as the state after the bytes so far. Its lines
/// obey the rules of field lines, and are dropped: merging them into the head would let a sender change what
/// was routed by.
enum TrailerSection: UInt8, Sendable {
  case lineStart, name, value, lineFeed
  case endLineFeed, end

  func next(_ byte: UInt8) throws(HTTPError) -> TrailerSection {
    switch self {
    case .lineStart:
      return byte == .carriageReturn ? .endLineFeed : try Self.name(byte, isFirst: true)
    case .name:
      return byte == UInt8(ascii: ":") ? .value : try Self.name(byte, isFirst: false)
    case .value:
      return try Self.value(byte)
    case .lineFeed:
      guard byte == .lineFeed else { throw .bareCarriageReturn }
      return .lineStart
    case .endLineFeed:
      guard byte == .lineFeed else { throw .bareCarriageReturn }
      return .end
    case .end:
      return .end
    }
  }

  private static func name(_ byte: UInt8, isFirst: Bool) throws(HTTPError) -> Self {
    if ByteClass.token.contains(byte) { return .name }
    if byte == .lineFeed { throw .bareLineFeed }
    throw RequestHead.Field.fault(byte, isFirst: isFirst)
  }

  private static func value(_ byte: UInt8) throws(HTTPError) -> Self {
    switch byte {
    case .carriageReturn: return .lineFeed
    case .lineFeed: throw .bareLineFeed
    case .tab: return .value
    default:
      if byte.isControl { throw .controlCharacter }
      return .value
    }
  }
}
