import CLinux

/// What a program with client connections needs to be told. All calls come on the loop.
public protocol WebSocketClientHandler: AnyObject {
  /// The server's 101 was good: messages may be sent.
  func opened(_ socket: SourceID)
  /// One whole message. `bytes` are valid during the call and, for text, valid UTF-8.
  func received(_ socket: SourceID, _ bytes: UnsafeRawBufferPointer, isText: Bool)
  /// Once for each socket, also for one that never opened. The code is the server's, `.noStatus` if its close
  /// frame had none, `.abnormal` if the connection ended without a close frame or never opened.
  func closed(_ socket: SourceID, _ code: CloseCode)
}

/// The client's side of many WebSockets on one loop, for load tests and probes: it trusts its server more than
/// a server trusts its clients, and has no time-outs of its own.
///
/// What is sent in one tick to one socket leaves in one call at the end of the tick.
public final class WebSocketClient {
  let side: ClientSide
  /// The handler owns the client, not the other way round.
  unowned let handler: any WebSocketClientHandler
  let messageLimits: MessageLimits
  private var maskKeys = MaskKeys()

  /// - Parameter messageBytes: the longest message that is taken; a longer one ends its connection with 1009.
  public init(loop: EventLoop, handler: any WebSocketClientHandler, messageBytes: Int = 16 << 20) {
    side = ClientSide(loop: loop)
    self.handler = handler
    messageLimits = MessageLimits(messageBytes: messageBytes, fragments: 100_000)
  }

  /// Starts a connection and its handshake; `opened` or `closed` tells how it went.
  /// - Parameters:
  ///   - host: a name or a numeric address; a name is looked up at once, which blocks.
  ///   - source: the numeric address to connect from. One address has some 28,000 ports.
  ///   - fields: more fields for the request's head, such as `authorization`.
  public func connect(
    host: String, port: UInt16, path: String, source: String? = nil, fields: [Response.Field] = []
  ) throws(SystemError) -> SourceID {
    let fd = linux_connect(source, host, String(port))
    if fd < 0 { throw SystemError("connect to \(host):\(port)") }
    let key = ClientHandshake.key(Self.nonce())
    let connection = ClientConnection(
      fd: fd, client: self, accept: Handshake.acceptValue(for: key, sha1: Digest.sha1))
    try connection.start()
    // The kernel refuses it until the connection stands, and then it leaves from the backlog.
    ClientHandshake.request(host: "\(host):\(port)", path: path, key: key, fields: fields)
      .withUnsafeBytes { connection.append(side.outbox.store($0)) }
    return connection.id
  }

  /// In words: the system's generator makes a system call for each number, however short.
  private static func nonce() -> [16 of UInt8] {
    var random = SystemRandomNumberGenerator()
    let words = (random.next(), random.next())
    return [16 of UInt8] { UInt8(truncatingIfNeeded: ($0 < 8 ? words.0 : words.1) >> UInt64(8 * ($0 & 7))) }
  }

  public func send(text: UnsafeRawBufferPointer, to socket: SourceID) {
    guard let connection = connection(socket), connection.isOpen else { return }
    connection.send(.text, text)
  }

  /// Begins the closing handshake; `closed` follows when the server has ended the connection.
  public func close(_ socket: SourceID, _ code: CloseCode = .normal) {
    connection(socket)?.startClosing(code)
  }

  private func connection(_ socket: SourceID) -> ClientConnection? {
    side.loop.source(socket) as? ClientConnection
  }

  /// Builds a masked frame in the outbox.
  func frame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let key = maskKeys.next()
    let headerLength = FrameEncoder.headerLength(payload: payload.count, masked: true)
    let length = headerLength + payload.count
    let frame = UnsafeMutableRawBufferPointer(start: side.outbox.reserve(length), count: length)
    FrameEncoder.writeHeader(opcode, payload: payload.count, maskKey: key, into: frame)
    let body = UnsafeMutableRawBufferPointer(rebasing: frame[headerLength...])
    body.copyMemory(from: payload)
    Masking.apply(key, to: body)
    return UnsafeRawBufferPointer(frame)
  }
}

/// Mask keys. RFC 6455 §5.3 wants them unpredictable against a script that chooses what a browser sends; here
/// the program sends its own bytes, and a system call for each frame would be a good part of its time
/// (xorshift64).
private struct MaskKeys {
  private var state = UInt64.random(in: 1 ... .max)

  mutating func next() -> UInt32 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return UInt32(truncatingIfNeeded: state)
  }
}
