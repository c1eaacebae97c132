/// What one peer has seen of the server, in a form that two runs can be compared in.
struct Transcript: Equatable, CustomStringConvertible {
  let received: [UInt8]
  let isEnded: Bool
  let isResetOnClose: Bool

  init(_ wire: Wire, keepsContinue: Bool = true) {
    var received = Self.withoutDates(wire.received)
    if !keepsContinue { received = Self.without("HTTP/1.1 100 Continue\r\n\r\n", in: received) }
    self.received = received
    isEnded = wire.isEnded
    isResetOnClose = wire.isResetOnClose
  }

  var description: String {
    "\(String(decoding: received, as: UTF8.self).debugDescription), ended: \(isEnded), reset: \(isResetOnClose)"
  }

  /// Between two runs the clock of the day goes on.
  private static func withoutDates(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    let mark = Array("\r\ndate: ".utf8)
    for start in starts(of: mark, in: bytes) {
      let value = start + mark.count
      for at in value..<min(value + 29, bytes.count) { bytes[at] = UInt8(ascii: "-") }
    }
    return bytes
  }

  private static func without(_ text: String, in bytes: [UInt8]) -> [UInt8] {
    let mark = Array(text.utf8)
    var bytes = bytes
    for start in starts(of: mark, in: bytes).reversed() { bytes.removeSubrange(start..<start + mark.count) }
    return bytes
  }

  private static func starts(of mark: [UInt8], in bytes: [UInt8]) -> [Int] {
    guard bytes.count >= mark.count else { return [] }
    return (0...bytes.count - mark.count).filter { bytes[$0] == mark[0] && bytes[$0...].starts(with: mark) }
  }
}
