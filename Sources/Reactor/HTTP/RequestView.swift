/// A request as a handler on the loop sees it: a borrowed view of the connection's buffers, valid during the call.
/// It cannot be copied, so it cannot be kept; what must outlive the call is a `Request`.
public struct RequestView: ~Copyable {
  let head: RequestHead
  let headBytes: UnsafeRawBufferPointer
  /// The whole body; empty while a gate looks at the head alone.
  public internal(set) var body: UnsafeRawBufferPointer
  /// The values of the route's `{…}` segments, in order, percent-decoded.
  public let parameters: [String]
  /// What the route's gate found out about the caller.
  public internal(set) var context: (any Sendable)?
  /// The connection's socket, for what the kernel knows of the peer; -1 where there is none.
  var socket: Int32 = -1

  public var method: Method { head.method }
  public var path: String { text(head.path) }
  public var query: String? {
    guard let query = head.query else { return nil }
    return text(query)
  }
  public var authority: String { text(head.authority) }
  /// Whether the client wants to hear where its request's time went (`ServerTiming`).
  public var prefersServerTiming: Bool { head.prefersServerTiming }

  /// The value of the first field of that name; `name` in lower case.
  public func value(of name: StaticString) -> String? {
    head.bytes(of: name, in: headBytes).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The same without a copy, valid during the call.
  public func bytes(of name: StaticString) -> UnsafeRawBufferPointer? {
    head.bytes(of: name, in: headBytes).map { UnsafeRawBufferPointer(rebasing: $0) }
  }

  private func text(_ range: ByteRange) -> String { String(decoding: headBytes[range.range], as: UTF8.self) }
}

/// A request on its own: what crosses to a worker or into a task.
public struct Request: Sendable {
  let head: RequestHead
  let headBytes: [UInt8]
  public let body: [UInt8]
  /// The values of the route's `{…}` segments, in order, percent-decoded.
  public let parameters: [String]
  /// What the route's gate found out about the caller.
  public let context: (any Sendable)?

  init(
    head: RequestHead, headBytes: [UInt8], body: [UInt8], parameters: [String], context: (any Sendable)?
  ) {
    self.head = head
    self.headBytes = headBytes
    self.body = body
    self.parameters = parameters
    self.context = context
  }

  public var method: Method { head.method }
  public var path: String { String(decoding: headBytes[head.path.range], as: UTF8.self) }
  public var query: String? { head.query.map { String(decoding: headBytes[$0.range], as: UTF8.self) } }
  public var authority: String { String(decoding: headBytes[head.authority.range], as: UTF8.self) }
  /// Whether the client wants to hear where its request's time went (`ServerTiming`).
  public var prefersServerTiming: Bool { head.prefersServerTiming }

  /// The value of the first field of that name; `name` in lower case.
  public func value(of name: StaticString) -> String? {
    headBytes.withUnsafeBytes { bytes in
      head.bytes(of: name, in: bytes).map { String(decoding: $0, as: UTF8.self) }
    }
  }
}

extension RequestHead {
  func bytes(of name: StaticString, in bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
    fields.bytes(of: name, in: bytes)
  }
}

extension [RequestHead.Field] {
  /// The value of the first field of that name. Names are compared without case (RFC 9110 §5.1).
  func bytes(of name: StaticString, in bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
    let wanted = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    for field in self where Int(field.name.count) == wanted.count {
      let start = Int(field.name.start)
      var same = true
      for i in 0..<wanted.count where bytes[start + i].asciiLowercased != wanted[i] {
        same = false
        break
      }
      if same { return bytes[field.value.range] }
    }
    return nil
  }
}

extension UInt8 {
  var asciiLowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
}
