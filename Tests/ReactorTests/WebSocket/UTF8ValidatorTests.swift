import Testing

@testable import Reactor

@Suite("UTF-8, piece by piece (RFC 3629)")
struct UTF8ValidatorTests {
  private func isValid(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { UTF8Validator.isValid($0) } }

  /// Swift's own validation is the oracle.
  private func oracle(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

  /// How many bytes were accepted one by one.
  private func accepted(_ bytes: [UInt8]) -> Int {
    var validator = UTF8Validator()
    for (i, byte) in bytes.enumerated() {
      let goesOn = withUnsafeBytes(of: byte) { validator.consume($0) }
      if !goesOn { return i }
    }
    return bytes.count
  }

  /// Bytes at every border of the encoding.
  private let borders: [UInt8] = [
    0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
    0xEE,
    0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFC, 0xFE, 0xFF,
  ]

  @Test func `every second byte behind every kind of first byte`() {
    for first in borders where first >= 0x80 {
      for second in UInt8.min...UInt8.max {
        for third: UInt8 in [0x7F, 0x80, 0xBF, 0xC0] {
          let (three, four) = ([first, second, third], [first, second, third, 0x80])
          if isValid(three) != oracle(three) || isValid(four) != oracle(four) { Issue.record("\(four)") }
        }
      }
    }
  }

  @Test func `every scalar is valid in the fast and in the slow path`() {
    for value in UInt32(0)...0x10FFFF where value % 61 == 0 || value < 0x900 || value & 0xFFF > 0xFFD {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let bytes = Array(String(scalar).utf8)
      if !isValid(bytes) || !isValid(bytes + [0x61, 0x61, 0x61]) { Issue.record("\(scalar)") }
    }
  }

  @Test func `mutated text is judged as Swift judges it, wherever it is cut`() {
    var random = SeededGenerator(seed: 1)
    let plain = Array("wattloop κόσμε 你好 😀 ok, ASCII long enough for the words ÄÖÜ \u{10FFFF}\u{800}".utf8)
    for _ in 0..<1_500 {
      var bytes = plain
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = borders.randomElement(using: &random) ?? 0
      }
      bytes.removeLast(Int.random(in: 0...6, using: &random))
      let cut = Int.random(in: 0...bytes.count, using: &random)
      var validator = UTF8Validator()
      let inPieces = bytes.withUnsafeBytes { all in
        validator.consume(.init(rebasing: all[..<cut])) && validator.consume(.init(rebasing: all[cut...]))
          && validator.finish()
      }
      if inPieces != oracle(bytes) || isValid(bytes) != oracle(bytes) {
        Issue.record("\(bytes) cut at \(cut)")
      }
    }
  }

  @Test func `it fails at the first byte that no continuation can save`() {
    let endings: [[UInt8]] = [
      [], [0x80], [0x80, 0x80], [0x80, 0x80, 0x80], [0xA0, 0x80], [0x90, 0x80, 0x80],
    ]
    for first in borders where first >= 0x80 {
      for second in borders {
        for third in borders {
          let bytes = [first, second, third]
          let viable = (1...3).prefix { count in endings.contains { oracle(bytes[..<count] + $0) } }.count
          if accepted(bytes) != viable { Issue.record("\(bytes): \(accepted(bytes)), not \(viable)") }
        }
      }
    }
  }

  @Test func `an unfinished scalar is no end`() {
    for text in ["Ä", "你", "😀"] {
      let bytes = Array(text.utf8)
      for count in 1..<bytes.count { #expect(!isValid(Array(bytes[..<count]))) }
      #expect(isValid(bytes))
    }
  }
}
