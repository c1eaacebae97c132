@testable import Reactor

/// permessage-deflate (RFC 7692). The first byte says what was agreed on. The rest is taken as frames from a client: any
/// chunking gives the same steps, and nothing is longer than it may be; and it is taken as messages: what we compress comes back.
enum DeflateTarget: FuzzTarget {
  static func run(_ bytes: UnsafeRawBufferPointer) {
    guard let first = bytes.first else { return }
    let agreement = agreement(first)
    let rest = UnsafeRawBufferPointer(rebasing: bytes[1...])
    let runs = cuts(of: rest).map { FrameRun.steps(of: rest, $0, .server, agreement) }
    precondition(runs.allSatisfy { $0 == runs[0] }, "the cuts make a difference: \(runs)")
    comeBack(rest, agreement)
  }

  private static func agreement(_ choice: UInt8) -> DeflateAgreement {
    var agreement = DeflateAgreement()
    agreement.serverWindowBits = 9 + Int(choice & 7) % 7
    agreement.clientWindowBits = agreement.serverWindowBits
    agreement.serverForgets = choice & 8 != 0
    agreement.clientForgets = agreement.serverForgets
    return agreement
  }

  /// The pieces as messages, one after the other: a context goes from each to the next. What compresses has its bound, and
  /// room for no byte more.
  private static func comeBack(_ bytes: UnsafeRawBufferPointer, _ agreement: DeflateAgreement) {
    guard
      let deflater = Deflater(
        windowBits: agreement.serverWindowBits, memoryLevel: 5, forgets: agreement.serverForgets),
      let inflater = Inflater(windowBits: agreement.clientWindowBits, forgets: agreement.clientForgets)
    else { preconditionFailure("no memory") }
    var start = 0
    for end in cuts(of: bytes).last ?? [] {
      let message = [UInt8](bytes[start..<end])
      start = end
      precondition(
        inflate(deflate(message, deflater), message.count, inflater) == message, "it did not come back")
    }
  }

  private static func deflate(_ message: [UInt8], _ deflater: Deflater) -> [UInt8] {
    var packed = [UInt8](repeating: 0, count: deflater.bound(message.count))
    let count = message.withUnsafeBytes { message in
      packed.withUnsafeMutableBytes { deflater.deflate(message, into: $0) }
    }
    return Array(packed[..<count])
  }

  private static func inflate(_ packed: [UInt8], _ count: Int, _ inflater: Inflater) -> [UInt8]? {
    var message = [UInt8](repeating: 0, count: count + 1)
    let found = packed.withUnsafeBytes { packed in
      message.withUnsafeMutableBytes { try? inflater.inflate(packed, into: $0) }
    }
    return found.map { Array(message[..<$0]) }
  }
}
