import Foundation
import Testing

/// The tables of `HTTP.md`: bytes to send, and what must come of them.
enum HTTPDocument {
  struct Row: Sendable, CustomTestStringConvertible {
    let section: String
    let sent: [UInt8]
    /// The cells between the bytes and the rule.
    let outcome: [String]
    let rule: String
    var testDescription: String { "\(section): \(rule)" }
  }

  static let refused = rows(of: "Refused")
  static let understood = rows(of: "Understood")

  /// Every row of a chapter, each in its section's frame: the first code before the table that holds `…`.
  private static func rows(of chapter: String) -> [Row] {
    let parts = text.components(separatedBy: "\n## ").first { $0.hasPrefix(chapter + "\n") }
    return (parts ?? "").components(separatedBy: "\n### ").dropFirst().flatMap { section in
      let lines = section.components(separatedBy: "\n")
      let prose = lines.prefix { !$0.hasPrefix("|") }.joined(separator: "\n")
      let codes = prose.components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
      let frame = (codes.first { $0.contains("…") } ?? "…").components(separatedBy: "…")
      return lines.filter { $0.hasPrefix("| `") }.map { line in
        let cells = line.replacing("\\|", with: "\\x7C").components(separatedBy: "|").dropFirst().dropLast()
          .map { $0.trimmingCharacters(in: .whitespaces) }
        let sent = frame[0] + cells[0].dropFirst().dropLast() + frame[1]
        return Row(
          section: lines[0], sent: bytes(of: sent), outcome: Array(cells[1..<cells.count - 1]),
          rule: cells[cells.count - 1])
      }
    }
  }

  private static var text: String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return (try? String(contentsOf: root.appendingPathComponent("HTTP.md"), encoding: .utf8)) ?? ""
  }

  /// `\r`, `\n`, `\t`, `\0`, `\\`, `\xE9`, and `«a×3»` for `aaa`.
  private static func bytes(of cell: String) -> [UInt8] {
    let spelt = cell.replacing(#/«(.+?)×(\d+)»/#) { match in
      String(repeating: String(match.1), count: Int(match.2) ?? 0)
    }
    var bytes: [UInt8] = []
    var rest = spelt.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
        bytes.append(byte)
        continue
      }
      switch escape {
      case UInt8(ascii: "r"): bytes.append(0x0D)
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "0"): bytes.append(0x00)
      case UInt8(ascii: "x"):
        bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
        rest = rest.dropFirst(2)
      default: bytes.append(escape)
      }
    }
    return bytes
  }
}
