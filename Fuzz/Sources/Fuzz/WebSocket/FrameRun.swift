@testable import Reactor

/// Plays the caller of a WebSocket machine: keeps what was not consumed, and shows it again in front of the next bytes.
/// With permessage-deflate it decompresses as a connection does.
struct FrameRun {
  /// A step, copied out.
  enum Step: Equatable {
    case message([UInt8], isText: Bool)
    case ping([UInt8])
    case pong([UInt8])
    case close(CloseCode?, reason: [UInt8])
    case failed(CloseCode)
  }

  private var machine: WebSocketMachine
  private var kept: [UInt8] = []
  private var isOver = false
  private(set) var steps: [Step] = []

  private let compression: MessageCompression?

  private init(_ role: WebSocketRole, _ agreement: DeflateAgreement?) {
    machine = WebSocketMachine(role: role)
    machine.deflates = agreement != nil
    compression = agreement.map { MessageCompression($0) }
  }

  static func steps(
    of bytes: UnsafeRawBufferPointer, _ cuts: [Int], _ role: WebSocketRole,
    _ agreement: DeflateAgreement? = nil
  ) -> [Step] {
    var run = FrameRun(role, agreement)
    var start = 0
    for end in cuts {
      run.feed(bytes[start..<end])
      start = end
    }
    return run.steps
  }

  private mutating func feed(_ bytes: Slice<UnsafeRawBufferPointer>) {
    guard !isOver else { return }
    kept += bytes
    let shown = kept
    shown.withUnsafeBytes { shown in
      withExactCopy(shown) { copy in
        let taken = drain(copy)
        kept = [UInt8](copy[taken...])
        precondition(kept.elementsEqual(shown[taken...]), "bytes that were not consumed were changed")
      }
    }
    let longest = FrameHeader.maximumLength + FrameHeader.maximumControlPayload
    precondition(kept.count < longest, "more is left to the caller than a control frame")
  }

  private mutating func drain(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    var taken = 0
    while true {
      var consumed = 0
      let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[taken...])
      do throws(WebSocketError) {
        let step = try machine.next(rest, consumed: &consumed, limits: FramesTarget.limits)
        taken += consumed
        guard let step = try copy(step) else { return taken }
        steps.append(step)
      } catch {
        precondition(error.code.isAllowedOnWire && error.reason.utf8CodeUnitCount <= 123)
        steps.append(.failed(error.code))
        // The caller ends the connection.
        isOver = true
        return bytes.count
      }
    }
  }

  /// Nil when more is needed.
  private func copy(_ step: WebSocketStep) throws(WebSocketError) -> Step? {
    switch step {
    case .needMore: return nil
    case .message(let bytes, let isText):
      precondition(bytes.count <= FramesTarget.limits.messageBytes)
      precondition(!isText || Self.isUTF8(bytes), "text that is not UTF-8 was let in")
      return .message([UInt8](bytes), isText: isText)
    case .compressed(let bytes, let isText):
      guard let compression else { preconditionFailure("a compressed message without an agreement") }
      return .message(try inflate(bytes, isText, compression), isText: isText)
    case .ping(let bytes): return .ping([UInt8](bytes))
    case .pong(let bytes): return .pong([UInt8](bytes))
    case .close(let code, let reason):
      precondition(code?.isAllowedOnWire ?? true && Self.isUTF8(reason))
      return .close(code, reason: [UInt8](reason))
    }
  }

  private func inflate(
    _ bytes: UnsafeRawBufferPointer, _ isText: Bool, _ compression: MessageCompression
  ) throws(WebSocketError) -> [UInt8] {
    let room = UnsafeMutableRawBufferPointer.allocate(
      byteCount: FramesTarget.limits.messageBytes + 1, alignment: 16)
    defer { room.deallocate() }
    let whole = try compression.inflate(bytes, into: room)
    precondition(whole.count <= FramesTarget.limits.messageBytes, "a bomb went off")
    guard !isText || Self.isUTF8(whole) else { throw .invalidText }
    return [UInt8](whole)
  }

  /// As the standard library judges it.
  private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    String(validating: bytes, as: UTF8.self) != nil
  }
}
