import COpenSSL

/// A connection's TLS: an OpenSSL session that never blocks.
///
/// ```
///  handshaking ── done ──▶ open ── close_notify sent, FIN ──▶ shut
///       ├─ error ──▶ failed ◀── error ─┘
///       └─ plain HTTP ──▶ refused
/// ```
final class TLSTransport: Transport {
  private enum State: UInt8 { case handshaking, open, shut, failed, refused }

  /// A request is no longer than a few of them.
  private static let discardedReads = 4

  private let session: OpaquePointer
  private let context: TLSContext
  private var state = State.handshaking
  private var waitsToWrite = false
  private var ended = false

  /// nil if there is no memory.
  init?(_ context: TLSContext, now: UInt64) {
    guard let session = context.makeSession(now: now) else { return nil }
    self.session = session
    self.context = context
    super.init()
    context.socket.attach(session)
    SSL_set_accept_state(session)
  }

  deinit { SSL_free(session) }

  override var isSecure: Bool { true }
  override var isBusy: Bool { state == .handshaking }
  override var waitsForWritable: Bool { waitsToWrite }
  override var hasMore: Bool { ended }

  override func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    switch state {
    case .handshaking:
      if let result = handshake(fd, buffer) { return result }
      return readRecords(fd, into: buffer)
    case .open: return readRecords(fd, into: buffer)
    // What still comes is thrown away: it need not be deciphered.
    case .shut: return SocketIO.read(fd, into: buffer)
    case .failed: return .failed(0)
    case .refused: return discard(fd, buffer)
    }
  }

  /// nil when it is done.
  private func handshake(_ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> IOResult? {
    let result = call(fd) { SSL_do_handshake(session) }
    if result == 1 {
      state = .open
      return nil
    }
    let outcome = outcome(of: result)
    guard case .failed = outcome, ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST else {
      return outcome
    }
    // Who speaks plain HTTP is told so in that.
    _ = context.plainAnswer().withUnsafeBytes { SocketIO.write(fd, $0) }
    SocketIO.shutdownWrite(fd)
    state = .refused
    return discard(fd, buffer)
  }

  /// The rest of a plain request is read, until the peer's FIN or the time for a head is over: unread, it would turn the end
  /// into a reset, which destroys the answer.
  private func discard(_ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    for _ in 0..<Self.discardedReads {
      let result = SocketIO.read(fd, into: buffer)
      guard case .bytes = result else { return result }
    }
    return .failed(0)
  }

  /// Reads until the buffer is full or the socket is empty: a short read says that there is no more.
  private func readRecords(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    var filled = 0
    while filled < buffer.count && !ended {
      var count = 0
      let result = call(fd) {
        SSL_read_ex(session, buffer.baseAddress! + filled, buffer.count - filled, &count)
      }
      if result == 1 {
        filled += count
        continue
      }
      switch outcome(of: result) {
      case .ended: ended = true
      case let other: return filled > 0 ? .bytes(filled) : other
      }
    }
    return filled > 0 ? .bytes(filled) : .ended
  }

  /// One record after the other, as long as the socket takes them. The bytes of a record that it took in part come again:
  /// they are not counted before all of it is gone.
  override func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> IOResult {
    guard state == .open else { return .failed(0) }
    var sent = 0
    while sent < bytes.count {
      var count = 0
      let result = call(fd) { SSL_write_ex(session, bytes.baseAddress! + sent, bytes.count - sent, &count) }
      guard result == 1 else {
        let outcome = outcome(of: result)
        if case .wouldBlock = outcome, sent > 0 { break }
        return outcome
      }
      sent += count
    }
    return .bytes(sent)
  }

  /// close_notify (RFC 8446 §6.1), if the socket takes it, and FIN. The peer's is not waited for.
  override func shutdownWrite(_ fd: Int32) {
    if state == .open { _ = call(fd) { SSL_shutdown(session) } }
    state = .shut
    super.shutdownWrite(fd)
  }

  private func call(_ fd: Int32, _ body: () -> Int32) -> Int32 {
    context.socket.point(at: fd)
    // SSL_get_error looks at the whole thread's errors.
    ERR_clear_error()
    waitsToWrite = false
    return body()
  }

  private func outcome(of result: Int32) -> IOResult {
    switch SSL_get_error(session, result) {
    case SSL_ERROR_WANT_READ: return .wouldBlock
    case SSL_ERROR_WANT_WRITE:
      waitsToWrite = true
      return .wouldBlock
    case SSL_ERROR_ZERO_RETURN: return .ended
    default:
      // After such an error not even close_notify may be sent.
      state = .failed
      return .failed(0)
    }
  }
}
