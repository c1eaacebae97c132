/// A run of bytes inside a request head, by position: the head is parsed once, in place, and nothing is
/// copied.
public struct ByteRange: Sendable, Equatable {
  public var start: UInt32
  public var count: UInt32

  public init(start: Int, count: Int) {
    self.start = UInt32(start)
    self.count = UInt32(count)
  }

  public static let empty = ByteRange(start: 0, count: 0)
  public var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// How a request's body is delimited (RFC 9112 §6.3).
public enum BodyFraming: Sendable, Equatable {
  case none
  case length(Int)
  case chunked
}

/// What the parser found in one request head: positions into the head's bytes, and what they mean for the
/// connection.
///
/// It is filled again and again (`reset` keeps the capacity), so a keep-alive request allocates nothing here.
public struct RequestHead: Sendable, Equatable {
  public struct Field: Sendable, Equatable {
    public var name: ByteRange
    public var value: ByteRange
  }

  public internal(set) var method = Method.other
  /// The request-target without its query: for absolute-form its path (`/` if it has none, but for OPTIONS
  /// empty), for `OPTIONS *` the asterisk, for `CONNECT` empty.
  public internal(set) var path = ByteRange.empty
  /// What follows the first `?`, without it; nil if there is none.
  public internal(set) var query: ByteRange?
  /// The authority the request is for: from an absolute-form target, else `Host`; empty in HTTP/1.0 without
  /// one.
  public internal(set) var authority = ByteRange.empty
  /// The target is in absolute-form, with the scheme `https`.
  public internal(set) var isForHTTPS = false
  public internal(set) var minorVersion: UInt8 = 1
  public internal(set) var fields: [Field] = []
  /// `.none` for `Content-Length: 0`, too; any method may have content.
  public internal(set) var framing = BodyFraming.none
  /// False when the connection ends after this exchange (RFC 9112 §9.3).
  public internal(set) var keepAlive = true
  /// `Expect: 100-continue` of an HTTP/1.1 client whose request has content (RFC 9110 §10.1.1).
  public internal(set) var expectsContinue = false
  /// `Connection: upgrade` together with `Upgrade: websocket` in a GET of HTTP/1.1 without content (RFC 6455
  /// §4.2.1).
  public internal(set) var upgradesToWebSocket = false
  /// `Prefer: server-timing`: the client wants to hear where its request's time went.
  public internal(set) var prefersServerTiming = false
  /// When it was parsed, nanoseconds of the loop's clock; 0 where nobody wants to hear it.
  var parsed: UInt64 = 0

  public init() {}

  /// Of a request that was not read to its end, which is its method: HEAD is answered without content, even if
  /// nothing else of it is understood (RFC 9110 §9.3.2).
  init(unread bytes: UnsafeRawBufferPointer) {
    let line = bytes.starts(with: "\r\n".utf8) ? bytes.dropFirst(2) : bytes[...]
    if line.starts(with: "HEAD ".utf8) { method = .head }
  }

  mutating func reset() {
    // Swapped out and back: an array with a second owner would be copied when it is emptied.
    var kept: [Field] = []
    swap(&kept, &fields)
    self = RequestHead()
    kept.removeAll(keepingCapacity: true)
    swap(&kept, &fields)
  }
}
