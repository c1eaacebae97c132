/// One step through a request's body. `consumed` counts from the start of the bytes that were given; what follows
/// belongs to the next call.
enum BodyStep: Equatable, Sendable {
  case needMore(consumed: Int)
  /// A run of content inside the given bytes.
  case data(Range<Int>, consumed: Int)
  /// The body is complete; beyond `consumed` the next request begins.
  case end(consumed: Int)
}

/// Takes the content out of a body (RFC 9112 §6 and §7). The caller loops: it gives the bytes that were not consumed
/// yet and gets one step. No byte is looked at twice, and none has to be kept for the decoder.
struct BodyDecoder: Sendable {
  private enum Framing { case length, chunked }

  private let framing: Framing
  private var remaining: Int
  private var chunks: ChunkedDecoder

  /// Throws `contentTooLarge` for an announced length beyond the limit: before `100 Continue` is sent.
  init(_ framing: BodyFraming, limits: BodyLimits) throws(HTTPError) {
    chunks = ChunkedDecoder(limits: limits)
    switch framing {
    case .none:
      self.framing = .length
      remaining = 0
    case .length(let length):
      if length > limits.contentBytes { throw .contentTooLarge }
      self.framing = .length
      remaining = length
    case .chunked:
      self.framing = .chunked
      remaining = 0
    }
  }

  /// Of a request without content.
  init() {
    framing = .length
    remaining = 0
    chunks = ChunkedDecoder(limits: BodyLimits(contentBytes: 0))
  }

  mutating func next(_ bytes: UnsafeRawBufferPointer) throws(HTTPError) -> BodyStep {
    switch framing {
    case .length: nextOfLength(available: bytes.count)
    case .chunked: try chunks.next(bytes.bytes)
    }
  }

  /// Lets only so much more content come; false if more is announced already.
  mutating func limitRest(to bytes: Int) -> Bool {
    switch framing {
    case .length: remaining <= bytes
    case .chunked: chunks.limitRest(to: bytes)
    }
  }

  private mutating func nextOfLength(available: Int) -> BodyStep {
    if remaining == 0 { return .end(consumed: 0) }
    if available == 0 { return .needMore(consumed: 0) }
    let count = min(remaining, available)
    remaining -= count
    return .data(0..<count, consumed: count)
  }
}
