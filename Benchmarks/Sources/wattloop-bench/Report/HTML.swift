import Foundation

/// Text for a page.
enum HTML {
  static func escape(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: "\"", with: "&quot;")
  }

  static func number(_ value: Double) -> String {
    switch abs(value) {
    case 0: "0"
    case ..<10: String(format: "%.2g", value)
    case ..<10_000: String(format: "%.0f", value)
    case ..<1_000_000: String(format: "%.0fk", value / 1000)
    default: String(format: "%.1fM", value / 1_000_000)
    }
  }
}
