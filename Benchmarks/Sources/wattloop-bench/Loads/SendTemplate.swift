import Glibc

/// A request `send`, built once: for each message only its number is written into it, at three places.
struct SendTemplate {
  private static let digits = 16
  /// A text begins with the number of its message.
  static let leastText = digits
  private var bytes: [UInt8]
  private let places: [Int]

  /// - Parameter run: makes the keys of this run differ from those of every other.
  init(conversation: String, run: String, textBytes: Int) {
    let zeros = String(repeating: "0", count: Self.digits)
    let parts = [
      #"{"type":"send","id":""#,
      #"","conversation":"\#(conversation)","key":"\#(run)-"#,
      #"","text":""#,
    ]
    var text = ""
    var places: [Int] = []
    for part in parts {
      text += part
      places.append(text.utf8.count)
      text += zeros
    }
    text += String(repeating: "x", count: textBytes - Self.digits) + #""}"#
    bytes = Array(text.utf8)
    self.places = places
  }

  /// What the keys of a run begin with.
  static func newRun() -> String { String(UInt64.random(in: 0 ... .max), radix: 36) }

  /// The request for the message of that number, valid during the call.
  mutating func withBytes(of number: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeMutableBytes { bytes in
      let first = UnsafeMutableRawBufferPointer(rebasing: bytes[places[0]..<places[0] + Self.digits])
      Self.write(number, into: first)
      for place in places.dropFirst() {
        UnsafeMutableRawBufferPointer(rebasing: bytes[place...]).copyMemory(
          from: UnsafeRawBufferPointer(first))
      }
      body(UnsafeRawBufferPointer(bytes))
    }
  }

  private static func write(_ number: Int, into target: UnsafeMutableRawBufferPointer) {
    var rest = UInt(number)
    var place = digits
    // The digits in front of a shorter number are zeros from the start on, for numbers only grow.
    while rest > 0, place > 0 {
      place -= 1
      target[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}
