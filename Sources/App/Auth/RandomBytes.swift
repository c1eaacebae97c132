/// Unpredictable bytes: on Linux Swift's system generator is getrandom(2), which cannot fail once the machine
/// is up.
enum RandomBytes {
  static func make(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }
}
