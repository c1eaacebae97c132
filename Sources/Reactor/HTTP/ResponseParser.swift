/// One step through a response. `consumed` counts from the start of the bytes that were given.
enum ResponseStep: Equatable, Sendable {
  /// In the head nothing is consumed: the next call has the same bytes and more.
  case needMore(consumed: Int)
  /// A 1xx response, which means nothing here (RFC 9110 §15.2); the final one follows.
  case interim(consumed: Int)
  /// The final head.
  case head(consumed: Int)
  /// A run of content inside the given bytes.
  case content(Range<Int>, consumed: Int)
  /// The response is complete.
  case end(consumed: Int)
}

/// The response machine (RFC 9112 §4 to §7): bytes in, steps out, for one response. The caller loops.
///
/// The result does not depend on how the bytes were cut.
struct ResponseParser: Sendable {
  private enum State {
    case head
    case content(BodyDecoder)
    case untilClose(room: Int)
  }

  private let method: Method
  private let limits: ResponseLimits
  private var scanner = HeadScanner()
  private var state = State.head
  /// Means nothing before `.head`.
  private(set) var head = ResponseHead()

  /// - Parameter method: the request's, on which the framing depends.
  init(answering method: Method, limits: ResponseLimits) {
    self.method = method
    self.limits = limits
  }

  /// The connection's end is the response's, too.
  var endsWithConnection: Bool {
    if case .untilClose = state { true } else { false }
  }

  mutating func next(_ bytes: UnsafeRawBufferPointer) throws(HTTPError) -> ResponseStep {
    switch state {
    case .head: return try nextOfHead(bytes.bytes)
    case .content(var decoder):
      let step = try decoder.next(bytes)
      state = .content(decoder)
      switch step {
      case .needMore(let consumed): return .needMore(consumed: consumed)
      case .data(let range, let consumed): return .content(range, consumed: consumed)
      case .end(let consumed): return .end(consumed: consumed)
      }
    case .untilClose(let room):
      if bytes.isEmpty { return .needMore(consumed: 0) }
      if bytes.count > room { throw .contentTooLarge }
      state = .untilClose(room: room - bytes.count)
      return .content(0..<bytes.count, consumed: bytes.count)
    }
  }

  private mutating func nextOfHead(_ bytes: RawSpan) throws(HTTPError) -> ResponseStep {
    guard let length = try scanner.end(in: bytes, limits: limits.head) else { return .needMore(consumed: 0) }
    scanner = HeadScanner()
    head = try ResponseHead(bytes.extracting(0..<length), answering: method, limits: limits.head)
    if head.status == .switchingProtocols { throw .unaskedUpgrade }
    if head.status.rawValue < 200 { return .interim(consumed: length) }
    switch head.framing {
    case .none: state = .content(BodyDecoder())
    case .length(let count): state = .content(try BodyDecoder(.length(count), limits: bodyLimits))
    case .chunked: state = .content(try BodyDecoder(.chunked, limits: bodyLimits))
    case .untilClose: state = .untilClose(room: limits.contentBytes)
    }
    return .head(consumed: length)
  }

  private var bodyLimits: BodyLimits { BodyLimits(contentBytes: limits.contentBytes) }
}
