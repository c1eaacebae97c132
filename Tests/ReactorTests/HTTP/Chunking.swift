@testable import Reactor

/// The ways in which each row's bytes arrive: whole, byte by byte, and in two parts at every place. A cut is
/// the number of bytes that have arrived so far; the last one is always all of them.
func chunkings(of count: Int) -> [[Int]] {
  guard count > 1 else { return [[count]] }
  return [[count], Array(1...count)] + (1..<count).map { [$0, count] }
}

func randomChunking(of count: Int, using generator: inout SeededGenerator) -> [Int] {
  let places = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
    Int.random(in: 0...count, using: &generator)
  }
  return places.sorted() + [count]
}

/// A text as bytes, one for each character up to U+00FF: `\u{E9}` is the byte 0xE9.
func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

/// Bytes that mean something to one of the machines, for random damage.
private let telling = latin1("\r\n\t\0 :;,=/?#%*\"\\[]@-+0159aAfFgxhHTP.\u{7F}\u{80}\u{FF}")

func damaged(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
  var bytes = bytes
  for _ in 0..<Int.random(in: 0...3, using: &generator) {
    let at = Int.random(in: 0..<max(bytes.count, 1), using: &generator)
    let byte = telling.randomElement(using: &generator) ?? 0
    switch Int.random(in: 0..<3, using: &generator) {
    case 0: bytes.insert(byte, at: min(at, bytes.count))
    case 1 where at < bytes.count: bytes.remove(at: at)
    default: if at < bytes.count { bytes[at] = byte }
    }
  }
  return bytes
}
