/// A message of which only a part is here: its bytes so far, and where in the current frame we are. It exists
/// only while a message is incomplete, so an idle socket holds none.
final class PartialMessage {
  let isText: Bool
  let isCompressed: Bool
  private(set) var fragments = 0
  /// What is left of the current frame's payload.
  private(set) var remaining = 0
  private(set) var isFinal = false
  private var maskKey: UInt32?
  private var phase = 0
  private var validator = UTF8Validator()

  private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private(set) var count = 0

  /// How far an announced length is believed before its bytes are here: headers cost a peer nothing.
  private static let trustedBytes = 16 * 1024

  init(isText: Bool, isCompressed: Bool) {
    self.isText = isText
    self.isCompressed = isCompressed
  }

  deinit { storage.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage.baseAddress, count: count) }

  func begin(_ header: FrameHeader) {
    fragments += 1
    remaining = header.payloadLength
    isFinal = header.fin
    maskKey = header.masked ? header.maskKey : nil
    phase = 0
  }

  /// Takes from `input` what belongs to the current frame, and returns how many bytes that was.
  func take(_ input: UnsafeMutableRawBufferPointer, limits: MessageLimits) throws(WebSocketError) -> Int {
    let taken = min(remaining, input.count)
    if taken > 0 {
      reserve(taken, limits: limits)
      let piece = UnsafeMutableRawBufferPointer(rebasing: storage[count..<count + taken])
      piece.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<taken]))
      if let maskKey { Masking.apply(maskKey, phase: phase, to: piece) }
      if isPlainText && !validator.consume(UnsafeRawBufferPointer(piece)) { throw .invalidText }
      count += taken
      phase = (phase + taken) & 3
      remaining -= taken
    }
    if isPlainText && isFinal && remaining == 0 && !validator.finish() { throw .invalidText }
    return taken
  }

  /// Compressed text is looked at when it is decompressed.
  private var isPlainText: Bool { isText && !isCompressed }

  /// Doubles, so many small fragments cost linear time; never more than the message can still need.
  private func reserve(_ more: Int, limits: MessageLimits) {
    let needed = count + more
    guard needed > storage.count else { return }
    let announced = count + remaining
    let ceiling = isFinal ? announced : limits.messageBytes
    let wished = max(2 * storage.count, min(announced, Self.trustedBytes))
    let grown = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(needed, min(wished, ceiling)), alignment: MemoryLayout<UInt64>.alignment)
    grown.copyMemory(from: bytes)
    storage.deallocate()
    storage = grown
  }
}
