import Foundation
import Testing

@testable import App

@Suite struct `The JSON reader` {
  private func accepts(_ text: String) -> Bool {
    do throws(JSONReader.Failure) {
      try JSONReader.check(Array(text.utf8))
      return true
    } catch {
      return false
    }
  }

  /// RFC 8259, section by section.
  @Test(arguments: [
    "{}", "[]", " [ 1 , 2 ] ", "0", "-0", "-1.5e+10", "1E2", "\"\"", "true", "false", "null", "\t\r\n{}",
    #"{"a":{"b":[{}]}}"#, #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, "\"é😀\u{7F}\"",
    "123456789012345678901234567890",
  ]) func `takes what is JSON`(_ text: String) { #expect(accepts(text)) }

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "[,1]", #"{"a":1,}"#, #"{"a"}"#, #"{a:1}"#, #"{"a":1 "b":2}"#, "{} {}", "01",
    "-",
    "+1", ".5", "1.", "1e", "0x1", "NaN", "Infinity", "True", "nul", "'a'", "\"a", "\"\u{1}\"", "\"\t\"",
    #""\x""#,
    #""\u12g4""#, #""\u12"#, #""\ud800""#, #""\ud800x""#, #""\udc00""#, #""\ud800\u0041""#, "[1", "// c\n1",
  ]) func `refuses what is none`(_ text: String) { #expect(!accepts(text)) }

  @Test func `refuses bytes that are no UTF-8, and depth that would exhaust the stack`() {
    #expect(throws: JSONReader.Failure.self) { try JSONReader.check([0x22, 0xFF, 0x22]) }
    #expect(throws: JSONReader.Failure.self) { try JSONReader.check([0x22, 0xC0, 0x80, 0x22]) }
    #expect(!accepts(String(repeating: "[", count: 1_000_000)))
    #expect(accepts(String(repeating: "[", count: 30) + String(repeating: "]", count: 30)))
  }

  @Test func `gives an object's members as they lie`() throws {
    var seen: [String] = []
    let text = #" {"s":"a\"b","i":-12,"b":true,"n":null,"f":1.5,"o":{"x":[1]},"big":9223372036854775808} "#
    try Array(text.utf8).withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      try reader.readObject { (name, value) throws(JSONReader.Failure) in
        let name = String(decoding: name, as: UTF8.self)
        switch value {
        case .string(let content, let escapes):
          seen.append("\(name)=\(String(decoding: content, as: UTF8.self)) \(escapes)")
        case .integer(let number): seen.append("\(name)=\(number)")
        case .decimal(let bytes): seen.append("\(name)=\(String(decoding: bytes, as: UTF8.self))")
        case .bool(let flag): seen.append("\(name)=\(flag)")
        case .null: seen.append("\(name)=null")
        case .other: seen.append("\(name)=other")
        }
      }
    }
    #expect(
      seen == [#"s=a\"b true"#, "i=-12", "b=true", "n=null", "f=1.5", "o=other", "big=9223372036854775808"])
  }

  /// Whatever is written comes back, from Foundation's parser and from the reader's own unescaping.
  @Test func `reads what the writer wrote, and so does Foundation`() throws {
    var random = SystemRandomNumberGenerator()
    let scalars = (0...0x2FF).compactMap(Unicode.Scalar.init) + ["\u{2028}", "\u{FFFF}", "😀", "\u{10FFFF}"]
    for _ in 0..<300 {
      let length = Int.random(in: 0..<40, using: &random)
      var text = String.UnicodeScalarView()
      for _ in 0..<length { text.append(scalars.randomElement(using: &random)!) }
      var writer = JSONWriter()
      writer.string(String(text))
      let parsed = try JSONSerialization.jsonObject(with: Data(writer.bytes), options: .fragmentsAllowed)
      #expect(Array((parsed as? String ?? "").unicodeScalars) == Array(text))
      var back: [UInt8] = []
      writer.bytes.withUnsafeBytes { bytes in
        JSONString.unescape(UnsafeRawBufferPointer(rebasing: bytes[1..<(bytes.count - 1)]), into: &back)
      }
      #expect(back == Array(String(text).utf8))
    }
  }
}

@Suite struct `A message's text` {
  private func trimmed(_ text: String) -> String? {
    Array(text.utf8).withUnsafeBytes { bytes in
      (try? MessageText.trimmed(bytes)).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  @Test func `loses every kind of Unicode white space at its ends, and nothing else`() {
    for value in UInt32(1)...0x3100 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = "\(Character(scalar))a\(Character(scalar))"
      let expected = scalar.properties.isWhitespace ? "a" : text
      #expect(
        Array(trimmed(text)?.unicodeScalars ?? "".unicodeScalars) == Array(expected.unicodeScalars),
        "U+\(String(value, radix: 16))")
    }
  }

  @Test func `is 1 to 8000 characters long and holds no U+0000`() {
    #expect(trimmed(" \u{3000}\n") == nil && trimmed("") == nil && trimmed("a\u{0}b") == nil)
    #expect(trimmed(String(repeating: "é", count: 8000)) != nil)
    #expect(trimmed(String(repeating: "é", count: 8001)) == nil)
  }
}

@Suite struct `A message's key` {
  private func isTaken(_ key: String) -> Bool {
    Array(key.utf8).withUnsafeBytes { (try? MessageText.checkKey($0)) != nil }
  }

  @Test func `is 1 to 255 characters long and holds no U+0000`() {
    #expect(isTaken("k") && isTaken(String(repeating: "é", count: 255)))
    #expect(!isTaken("") && !isTaken(String(repeating: "k", count: 256)) && !isTaken("a\u{0}b"))
  }
}
