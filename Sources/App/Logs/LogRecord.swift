/// One event of the log, and its two forms. Both are one line whatever a client put into it.
struct LogRecord: Sendable {
  let time: Timestamp
  let level: String
  let label: String
  let message: String
  let metadata: [String: String]

  /// Adds `2026-11-23T19:00:00.000Z info wattloop: message key=value`.
  func appendText(to bytes: inout [UInt8]) {
    time.append(to: &bytes)
    var line = " \(level) \(label): \(Self.escaped(message))"
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      line += " \(Self.escaped(key))=\(Self.escaped(value))"
    }
    bytes += line.utf8
    bytes.append(0x0A)
  }

  /// Adds one JSON object.
  func appendJSON(to bytes: inout [UInt8]) {
    // Texts alone always encode.
    bytes += (try? JSON.encode(Line(self))) ?? []
    bytes.append(0x0A)
  }

  private struct Line: Encodable {
    let time: Timestamp
    let level: String
    let logger: String
    let message: String
    let fields: [String: String]?

    init(_ record: LogRecord) {
      time = record.time
      level = record.level
      logger = record.label
      message = record.message
      fields = record.metadata.isEmpty ? nil : record.metadata
    }
  }

  /// Control characters would let a client write lines of its own, or to the operator's terminal.
  private static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
    return text.unicodeScalars.map { isUnsafe($0) ? $0.escaped(asASCII: true) : String($0) }.joined()
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
