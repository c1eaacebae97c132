/// Finds the end of a request head, line by line, and remembers where it stopped: a head that comes in pieces
/// is looked at once. What no head may hold is refused as soon as it is seen, long before the head is
/// complete.
///
///     start ── empty line ──► requestLine ── line ──► fields ── empty line ──► end
///       └─────────────── line ──────────────────────►┘ └─ line ─┘
struct HeadScanner: Sendable {
  private enum Phase: UInt8 { case start, requestLine, fields }

  private var phase = Phase.start
  private var position: UInt32 = 0
  private var lineStart: UInt32 = 0

  /// A method, two spaces and the version stand beside the target; no registered method is near this long.
  private static var requestLineSlack: Int { 32 }

  /// The head's length with its empty line, nil while it is incomplete.
  mutating func end(in bytes: RawSpan, limits: HeadLimits) throws(HTTPError) -> Int? {
    let limit = min(bytes.byteCount, limits.headBytes)
    var at = Int(position)
    scan: while true {
      at = bytes.firstControl(from: at, to: limit)
      try checkRequestLine(reaching: at, limits: limits)
      if at >= limit { break }
      switch bytes[at] {
      case .tab:
        at += 1
      case .carriageReturn:
        if at + 1 == limit { break scan }
        guard bytes[at + 1] == .lineFeed else { throw .bareCarriageReturn }
        if try endLine(at: at) { return at + 2 }
        at += 2
      case .lineFeed:
        throw .bareLineFeed
      default:
        throw .controlCharacter
      }
    }
    if limit == limits.headBytes { throw .headTooLarge }
    position = UInt32(at)
    return nil
  }

  private func checkRequestLine(reaching at: Int, limits: HeadLimits) throws(HTTPError) {
    guard phase != .fields else { return }
    if at - Int(lineStart) > limits.targetBytes + Self.requestLineSlack { throw .targetTooLong }
  }

  /// True for the line that ends the head.
  private mutating func endLine(at end: Int) throws(HTTPError) -> Bool {
    let isEmpty = end == Int(lineStart)
    lineStart = UInt32(end + 2)
    switch phase {
    case .start:
      // RFC 9112 §2.2: one empty line may come before a request line, an old client's mistake after a body.
      phase = isEmpty ? .requestLine : .fields
      return false
    case .requestLine:
      if isEmpty { throw .malformedRequestLine }
      phase = .fields
      return false
    case .fields:
      return isEmpty
    }
  }
}
