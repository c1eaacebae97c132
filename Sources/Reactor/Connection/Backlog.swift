/// What the kernel did not take of a connection's output. It exists only while something waits.
final class Backlog {
  private var bytes: [UInt8] = []
  private var sent = 0
  /// The loop's tick count at which a peer that takes nothing is given up.
  var deadline: UInt32 = 0

  var count: Int { bytes.count - sent }

  func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

  func withUnsent<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
  }

  func didSend(_ count: Int) {
    sent += count
    // Moving the rest to the front costs its length, so wait until the gap is as long.
    if sent > bytes.count / 2 {
      bytes.removeFirst(sent)
      sent = 0
    }
  }
}
