import Testing

@testable import Reactor

@Suite("Masking (RFC 6455 §5.3)")
struct MaskingTests {
  /// The definition: octet i XOR key octet (i MOD 4).
  private func slowly(_ bytes: [UInt8], key: [UInt8], phase: Int) -> [UInt8] {
    bytes.enumerated().map { $1 ^ key[($0 + phase) % 4] }
  }

  private func word(_ key: [UInt8]) -> UInt32 {
    key.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  @Test(arguments: 0...3)
  func `equals the byte loop for every length, alignment and phase`(phase: Int) {
    let key: [UInt8] = [0x81, 0x42, 0x27, 0xFE]
    for offset in 0..<8 {
      for count in 0...100 {
        let plain = (0..<count + 16).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
        var bytes = plain
        bytes.withUnsafeMutableBytes { all in
          _ = Masking.apply(word(key), phase: phase, to: .init(rebasing: all[offset..<offset + count]))
        }
        let expected = slowly(Array(plain[offset..<offset + count]), key: key, phase: phase)
        #expect(Array(bytes[offset..<offset + count]) == expected)
        // Nothing beside it is touched.
        #expect(bytes[..<offset] == plain[..<offset])
        #expect(bytes[(offset + count)...] == plain[(offset + count)...])
      }
    }
  }

  @Test func `in pieces it is the same as at once`() {
    let key: [UInt8] = [9, 8, 7, 6]
    let plain = [UInt8]((0..<255).map { UInt8($0) })
    var bytes = plain
    bytes.withUnsafeMutableBytes { all in
      for (start, end) in [(0, 1), (1, 6), (6, 6), (6, 77), (77, 78), (78, 255)] {
        Masking.apply(word(key), phase: start, to: .init(rebasing: all[start..<end]))
      }
    }
    #expect(bytes == slowly(plain, key: key, phase: 0))
  }

  @Test(arguments: 0...100)
  func `tells whether what came out is ASCII`(count: Int) {
    let key: UInt32 = 0x80FF_7F81
    for other in -1..<count {
      var bytes = [UInt8](repeating: 0x61, count: count)
      if other >= 0 { bytes[other] = 0x80 }
      bytes.withUnsafeMutableBytes { bytes in
        Masking.apply(key, to: bytes)
        #expect(Masking.apply(key, to: bytes) == (other < 0))
      }
    }
  }

  @Test func `nothing at all is nothing to do`() {
    Masking.apply(1, to: UnsafeMutableRawBufferPointer(start: nil, count: 0))
  }
}
