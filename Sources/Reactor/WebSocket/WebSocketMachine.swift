// The receiving half of one WebSocket (RFC 6455 §5 and §7): bytes in, steps out. It calls nobody.
//
//   state              what comes                             step                  next state
//   ─────────────────  ─────────────────────────────────────  ────────────────────  ──────────
//   idle               a whole, unfragmented data frame       .message, in place    idle
//   idle               a first or an incomplete data frame                          payload
//   fragmented         a continuation frame                                         payload
//   payload            a part of the frame's payload          .needMore             payload
//   payload            the rest of it, FIN not set                                  fragmented
//   payload            the rest of it, FIN set                .message, buffered    delivered
//   delivered          the next call: releases the buffer                           idle
//   idle, fragmented   a ping or pong                         .ping, .pong          the same
//   idle, fragmented   a close                                .close                closed
//   idle, fragmented   an incomplete header or control frame  .needMore, not eaten  the same
//   any but closed     what breaks a rule                     throws                closed
//   closed             anything: swallowed                    .needMore             closed
//
// What is not eaten the caller shows again, with more bytes behind it. An incomplete data frame is eaten as it
// comes, into `partial`.

/// What became of the bytes. Pointers are valid until the next call, and no longer than the bytes given to
/// this one.
enum WebSocketStep {
  /// Nothing (more) to hand out. What was not consumed is less than one control frame.
  case needMore
  /// For text, valid UTF-8.
  case message(UnsafeRawBufferPointer, isText: Bool)
  /// A whole message as permessage-deflate packs it (RFC 7692). Whether its text is UTF-8 is not known yet.
  case compressed(UnsafeRawBufferPointer, isText: Bool)
  case ping(UnsafeRawBufferPointer)
  case pong(UnsafeRawBufferPointer)
  /// The code is nil if the frame had none; the reason is valid UTF-8.
  case close(CloseCode?, reason: UnsafeRawBufferPointer)
}

/// One owner: `partial` is shared by copies.
struct WebSocketMachine {
  enum State: UInt8 {
    case idle
    case fragmented
    case payload
    case delivered
    case closed
  }

  private var partial: PartialMessage?
  private(set) var state = State.idle
  let role: WebSocketRole
  /// permessage-deflate is agreed on.
  var deflates = false

  init(role: WebSocketRole) { self.role = role }

  /// True while no buffer is held.
  var isEmpty: Bool { partial == nil }

  /// The next step that `input`, the bytes not consumed so far, allows; `input` may be unmasked in place.
  /// `consumed` becomes the number of bytes used up, which are not to be shown again.
  ///
  /// Call until `.needMore`, also with nothing left: that call releases what the last message was held in.
  /// After a close frame or an error the connection is over: whatever follows is swallowed (RFC 6455 §5.5.1).
  mutating func next(
    _ input: UnsafeMutableRawBufferPointer, consumed: inout Int, limits: MessageLimits
  ) throws(WebSocketError) -> WebSocketStep {
    consumed = 0
    do throws(WebSocketError) {
      return try advance(input, &consumed, limits)
    } catch {
      state = .closed
      partial = nil
      consumed = input.count
      throw error
    }
  }

  @inline(__always)
  private mutating func advance(
    _ input: UnsafeMutableRawBufferPointer, _ consumed: inout Int, _ limits: MessageLimits
  ) throws(WebSocketError) -> WebSocketStep {
    while true {
      switch state {
      case .idle, .fragmented:
        let rest = input.dropping(consumed)
        guard let header = try FrameParser.parse(UnsafeRawBufferPointer(rest), role: role, deflates: deflates)
        else {
          return .needMore
        }
        // Not the sum of both lengths: a hostile one would overflow.
        let isWhole = header.payloadLength <= rest.count - header.headerLength
        if header.opcode.isControl {
          guard isWhole else { return .needMore }
          consumed += header.headerLength + header.payloadLength
          return try control(header, header.unmaskedPayload(of: rest))
        }
        try admit(header, limits)
        if state == .idle && header.fin && isWhole {
          consumed += header.headerLength + header.payloadLength
          return try message(header, header.unmaskedPayload(of: rest))
        }
        consumed += header.headerLength
        begin(header)
      case .payload:
        guard let step = try collect(input, &consumed, limits) else { continue }
        return step
      case .delivered:
        partial = nil
        state = .idle
      case .closed:
        consumed = input.count
        return .needMore
      }
    }
  }

  /// RFC 6455 §5.4: fragments of two messages are never mixed. The limits hold as soon as a header announces
  /// it.
  @inline(__always)
  private func admit(_ header: FrameHeader, _ limits: MessageLimits) throws(WebSocketError) {
    if (header.opcode == .continuation) != (state == .fragmented) {
      throw .protocolError(state == .idle ? "continuation of no message" : "message within a message")
    }
    guard header.payloadLength <= limits.messageBytes - (partial?.count ?? 0) else {
      throw .tooBig("message too big")
    }
    guard partial?.fragments ?? 0 < limits.fragments else { throw .tooBig("too many fragments") }
  }

  @inline(__always)
  private func message(
    _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WebSocketError) -> WebSocketStep {
    let isText = header.opcode == .text
    if header.compressed { return .compressed(payload, isText: isText) }
    guard !isText || UTF8Validator.isValid(payload) else { throw .invalidText }
    return .message(payload, isText: isText)
  }

  private mutating func begin(_ header: FrameHeader) {
    let message = partial ?? PartialMessage(isText: header.opcode == .text, isCompressed: header.compressed)
    message.begin(header)
    partial = message
    state = .payload
  }

  /// Nil when a fragment, but not yet the message, is complete.
  private mutating func collect(
    _ input: UnsafeMutableRawBufferPointer, _ consumed: inout Int, _ limits: MessageLimits
  ) throws(WebSocketError) -> WebSocketStep? {
    guard let partial else { return .needMore }
    consumed += try partial.take(input.dropping(consumed), limits: limits)
    guard partial.remaining == 0 else { return .needMore }
    state = partial.isFinal ? .delivered : .fragmented
    guard partial.isFinal else { return nil }
    return partial.isCompressed
      ? .compressed(partial.bytes, isText: partial.isText) : .message(partial.bytes, isText: partial.isText)
  }

  private mutating func control(
    _ header: FrameHeader, _ payload: UnsafeRawBufferPointer
  ) throws(WebSocketError) -> WebSocketStep {
    switch header.opcode {
    case .ping: return .ping(payload)
    case .pong: return .pong(payload)
    case .close, .continuation, .text, .binary: return try close(payload)
    }
  }

  /// RFC 6455 §5.5.1: no payload, or a code and a reason in UTF-8.
  private mutating func close(_ payload: UnsafeRawBufferPointer) throws(WebSocketError) -> WebSocketStep {
    state = .closed
    partial = nil
    guard payload.count > 0 else { return .close(nil, reason: payload) }
    guard payload.count > 1 else { throw .protocolError("close payload of one byte") }
    let code = CloseCode(rawValue: UInt16(bigEndian: payload.loadUnaligned(as: UInt16.self)))
    guard code.isAllowedOnWire else { throw .protocolError("close code not allowed") }
    let reason = UnsafeRawBufferPointer(rebasing: payload[2...])
    guard UTF8Validator.isValid(reason) else {
      throw WebSocketError(code: .invalidPayload, reason: "close reason is not UTF-8")
    }
    return .close(code, reason: reason)
  }
}

extension FrameHeader {
  /// The payload of a frame that lies whole in `frame`, unmasked where it lies.
  @inline(__always)
  fileprivate func unmaskedPayload(of frame: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer {
    let payload = UnsafeMutableRawBufferPointer(
      rebasing: frame[headerLength..<headerLength + payloadLength])
    if masked { Masking.apply(maskKey, to: payload) }
    return UnsafeRawBufferPointer(payload)
  }
}
