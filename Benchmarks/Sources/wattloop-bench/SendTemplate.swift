import Glibc

/// A sender's request, built once: for each message only its number is written into it, at three places.
struct SendTemplate {
  private static let digits = 16
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

  /// The request for the message of that number, valid during the call.
  mutating func withBytes(of number: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    for place in places { write(number, at: place) }
    bytes.withUnsafeBytes(body)
  }

  private mutating func write(_ number: Int, at place: Int) {
    var rest = number
    for i in (place..<place + Self.digits).reversed() {
      bytes[i] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }
}
