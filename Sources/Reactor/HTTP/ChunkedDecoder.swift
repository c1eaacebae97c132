/// The chunked transfer coding (RFC 9112 §7.1), byte by byte outside the data, and to the letter: a reader
/// that is lenient here can be made to disagree with another one about where a request ends.
///
///     size [extensions] CRLF ─► data CRLF ─► size …          size 0 ─► trailer lines ─► CRLF ─► done
struct ChunkedDecoder: Sendable {
  private enum State: Equatable {
    case sizeStart, size
    case extensions(ChunkExtension)
    case sizeLineFeed
    case data, dataReturn, dataLineFeed
    case trailers(TrailerSection)
    case done
  }

  private var limits: BodyLimits
  private var state = State.sizeStart
  /// While the line is read: the chunk's size; in the data: what is still to come of it.
  private var remaining = 0
  private var digits = 0
  private var lineBytes = 0
  private var extensionBytes = 0
  private var trailerBytes = 0
  private var contentBytes = 0

  init(limits: BodyLimits) { self.limits = limits }

  mutating func next(_ bytes: RawSpan) throws(HTTPError) -> BodyStep {
    var at = 0
    while state != .done {
      if at == bytes.byteCount { return .needMore(consumed: at) }
      if state == .data { return takeData(from: at, to: bytes.byteCount) }
      try take(bytes[at])
      at += 1
    }
    return .end(consumed: at)
  }

  /// Lets only so much more content come; false if the present chunk is longer.
  mutating func limitRest(to bytes: Int) -> Bool {
    // In the data, the whole chunk has been counted.
    let toCome = state == .data ? remaining : 0
    limits.contentBytes = min(limits.contentBytes, contentBytes - toCome + bytes)
    return toCome <= bytes
  }

  private mutating func takeData(from start: Int, to end: Int) -> BodyStep {
    let count = min(remaining, end - start)
    remaining -= count
    if remaining == 0 { state = .dataReturn }
    return .data(start..<start + count, consumed: start + count)
  }

  private mutating func take(_ byte: UInt8) throws(HTTPError) {
    switch state {
    case .sizeStart, .size:
      try countLineByte()
      try takeSize(byte)
    case .extensions(let extensions):
      try countLineByte()
      try countExtensionByte()
      enter(try extensions.next(byte))
    case .sizeLineFeed:
      guard byte == .lineFeed else { throw .bareCarriageReturn }
      try startChunk()
    case .dataReturn:
      guard byte == .carriageReturn else { throw .inChunk(byte) }
      state = .dataLineFeed
    case .dataLineFeed:
      guard byte == .lineFeed else { throw .bareCarriageReturn }
      state = .sizeStart
    case .trailers(let section):
      try countTrailerByte()
      let next = try section.next(byte)
      state = next == .end ? .done : .trailers(next)
    case .data, .done:
      return
    }
  }

  /// 1*HEXDIG: no sign, no prefix, no space.
  private mutating func takeSize(_ byte: UInt8) throws(HTTPError) {
    if let digit = byte.hexValue {
      digits += 1
      guard digits <= 16, remaining <= Int.max >> 4 else { throw .chunkSizeTooLarge }
      remaining = remaining << 4 | Int(digit)
      state = .size
    } else {
      guard state == .size else { throw .inChunk(byte) }
      enter(try ChunkExtension(afterSize: byte))
    }
  }

  private mutating func enter(_ extensions: ChunkExtension) {
    state = extensions == .end ? .sizeLineFeed : .extensions(extensions)
  }

  private mutating func startChunk() throws(HTTPError) {
    digits = 0
    lineBytes = 0
    if remaining == 0 {
      state = .trailers(.lineStart)
      return
    }
    if remaining > limits.contentBytes - contentBytes { throw .contentTooLarge }
    contentBytes += remaining
    state = .data
  }

  private mutating func countLineByte() throws(HTTPError) {
    lineBytes += 1
    if lineBytes > limits.chunkLineBytes { throw .chunkLineTooLong }
  }

  private mutating func countExtensionByte() throws(HTTPError) {
    extensionBytes += 1
    if extensionBytes > limits.extensionBytes { throw .chunkExtensionsTooLarge }
  }

  private mutating func countTrailerByte() throws(HTTPError) {
    trailerBytes += 1
    if trailerBytes > limits.trailerBytes { throw .trailersTooLarge }
  }
}
