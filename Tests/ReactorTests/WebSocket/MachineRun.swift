import Testing

@testable import Reactor

/// A step, copied out.
enum Seen: Equatable, CustomStringConvertible {
  case text(String)
  case binary([UInt8])
  case compressed([UInt8], isText: Bool)
  case ping([UInt8])
  case pong([UInt8])
  case close(UInt16?, String)
  case failed(UInt16)

  init?(_ step: WebSocketStep) {
    switch step {
    case .needMore: return nil
    case .message(let bytes, isText: true): self = .text(String(decoding: bytes, as: UTF8.self))
    case .message(let bytes, isText: false): self = .binary(Array(bytes))
    case .compressed(let bytes, let isText): self = .compressed(Array(bytes), isText: isText)
    case .ping(let bytes): self = .ping(Array(bytes))
    case .pong(let bytes): self = .pong(Array(bytes))
    case .close(let code, let reason): self = .close(code?.rawValue, String(decoding: reason, as: UTF8.self))
    }
  }

  var description: String {
    switch self {
    case .text(let text): "text(\(text.utf8.count): \(text.prefix(20)))"
    case .binary(let bytes): "binary(\(bytes.count): \(bytes.prefix(8)))"
    case .compressed(let bytes, let isText): "compressed(\(isText ? "text" : "binary"), \(bytes.count))"
    case .ping(let bytes): "ping(\(bytes))"
    case .pong(let bytes): "pong(\(bytes))"
    case .close(let code, let reason): "close(\(code.map(String.init) ?? "-"), \(reason))"
    case .failed(let code): "failed(\(code))"
    }
  }
}

let roomy = MessageLimits(messageBytes: 1 << 20, fragments: 1 << 17)

/// Plays the caller: keeps what was not consumed, and shows it again in front of the next bytes. Every call
/// gets a fresh allocation of exactly the bytes there are, so a sanitizer sees a read beyond them.
struct MachineRun {
  var machine: WebSocketMachine
  var limits = roomy
  var kept: [UInt8] = []
  var seen: [Seen] = []
  /// How many of all bytes had been shown when the machine failed.
  var failedAfter: Int?
  private var shown = 0
  /// Asks for a short message first, as connections do.
  private let asksForShort: Bool

  init(_ role: WebSocketRole, limits: MessageLimits = roomy, asksForShort: Bool = false) {
    machine = WebSocketMachine(role: role)
    self.limits = limits
    self.asksForShort = asksForShort
  }

  mutating func feed(_ bytes: some Collection<UInt8>) {
    shown += bytes.count
    kept += bytes
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: kept.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: kept)
    var at = 0
    do throws(WebSocketError) {
      while let step = try step(buffer, &at) { seen.append(step) }
    } catch {
      seen.append(.failed(error.code.rawValue))
      failedAfter = shown
      // From here on everything is swallowed.
      while (try? step(buffer, &at)) != nil {}
    }
    kept = Array(buffer[at...])
    #expect(kept.count < 140, "more kept than a control frame")
  }

  private mutating func step(
    _ buffer: UnsafeMutableRawBufferPointer, _ at: inout Int
  ) throws(WebSocketError) -> Seen? {
    var consumed = -1
    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[at...])
    defer { at += consumed }
    if asksForShort, let message = machine.shortMessage(rest, limits: limits) {
      consumed = message.frameLength
      return Seen(.message(message.payload, isText: message.isText))
    }
    return Seen(try machine.next(rest, consumed: &consumed, limits: limits))
  }
}

/// What the machine makes of `bytes` when they come in pieces of these sizes, over and over; the rest at the
/// end.
func stepsOf(
  _ bytes: [UInt8], pieces: [Int], to role: WebSocketRole, limits: MessageLimits = roomy,
  asksForShort: Bool = false
) -> [Seen] {
  var run = MachineRun(role, limits: limits, asksForShort: asksForShort)
  var at = 0
  var turn = 0
  while at < bytes.count {
    let end = min(at + pieces[turn % pieces.count], bytes.count)
    run.feed(bytes[at..<end])
    at = end
    turn += 1
  }
  return run.seen
}

/// One row of a table: what the peer of `role` sends, and what must come of it however it is cut.
struct WireCase: CustomTestStringConvertible, Sendable {
  let name: String
  let role: WebSocketRole
  let bytes: [UInt8]
  let steps: [Seen]
  let limits: MessageLimits

  init(
    _ name: String, _ bytes: [UInt8], _ steps: [Seen], to role: WebSocketRole = .server,
    limits: MessageLimits = roomy
  ) {
    (self.name, self.role, self.bytes, self.steps, self.limits) = (name, role, bytes, steps, limits)
  }

  var testDescription: String { name }

  /// Whole, byte by byte, with trailing bytes, and (short ones) at every split.
  func check() {
    #expect(run([max(1, bytes.count)]) == steps, "whole")
    #expect(run([1]) == steps, "byte by byte")
    if bytes.count <= 600 {
      for split in bytes.indices.dropFirst() {
        #expect(run([split, bytes.count]) == steps, "split at \(split)")
      }
    }
    checkTrailing()
  }

  /// One more ping behind the last byte is seen, unless the connection was over before.
  private func checkTrailing() {
    let longer = bytes + frame(.ping, [7], to: role)
    let expected = isOver ? steps : steps + [.ping([7])]
    #expect(cut(longer, [longer.count]) == expected, "with trailing bytes")
    #expect(cut(longer, [1]) == expected, "with trailing bytes, byte by byte")
  }

  private var isOver: Bool {
    switch steps.last {
    case .close, .failed: true
    case .text, .binary, .compressed, .ping, .pong, nil: false
    }
  }

  private func run(_ pieces: [Int]) -> [Seen] { cut(bytes, pieces) }

  /// However short messages are taken, the steps are the same.
  private func cut(_ bytes: [UInt8], _ pieces: [Int]) -> [Seen] {
    let steps = stepsOf(bytes, pieces: pieces, to: role, limits: limits)
    #expect(stepsOf(bytes, pieces: pieces, to: role, limits: limits, asksForShort: true) == steps)
    return steps
  }
}
