@testable import Reactor

/// The receiving half of a WebSocket (RFC 6455 §5 and §7), as a server and as a client: any chunking gives the same
/// steps, within the limits; and a message that our encoder cuts into frames comes back whole.
enum FramesTarget: FuzzTarget {
  static let limits = MessageLimits(messageBytes: 300, fragments: 6)

  static func run(_ bytes: UnsafeRawBufferPointer) {
    for role in [WebSocketRole.server, .client] {
      let runs = cuts(of: bytes).map { FrameRun.steps(of: bytes, $0, role) }
      precondition(runs.allSatisfy { $0 == runs[0] }, "the cuts make a difference: \(runs)")
      comeBack(bytes, role)
    }
  }

  /// The bytes as a message, in frames of the pieces' lengths. `role` receives it.
  private static func comeBack(_ bytes: UnsafeRawBufferPointer, _ role: WebSocketRole) {
    let payload = UnsafeRawBufferPointer(rebasing: bytes.prefix(limits.messageBytes))
    let ends = Array((cuts(of: payload).last ?? []).prefix(limits.fragments - 1)) + [payload.count]
    var frames: [UInt8] = []
    var start = 0
    for (index, end) in ends.enumerated() {
      frames += frame(
        index == 0 ? .binary : .continuation, UnsafeRawBufferPointer(rebasing: payload[start..<end]),
        fin: index == ends.count - 1, key: role == .server ? 0xA5C3_0F69 &+ UInt32(index) : nil)
      start = end
    }
    frames.withUnsafeBytes { frames in
      let steps = FrameRun.steps(of: frames, cuts(of: frames).last ?? [], role)
      precondition(steps == [.message([UInt8](payload), isText: false)], "what was encoded is not read back")
    }
  }

  private static func frame(
    _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, fin: Bool, key: UInt32?
  ) -> [UInt8] {
    let length = FrameEncoder.headerLength(payload: payload.count, masked: key != nil)
    var frame = [UInt8](repeating: 0, count: length) + payload
    frame.withUnsafeMutableBytes { frame in
      FrameEncoder.writeHeader(opcode, fin: fin, payload: payload.count, maskKey: key, into: frame)
      if let key { Masking.apply(key, to: UnsafeMutableRawBufferPointer(rebasing: frame[length...])) }
    }
    return frame
  }
}
