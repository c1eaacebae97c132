/// Readings from CSV (RFC 4180). The first row names the columns, in any order: `device_id`, `metric`, `timestamp`, `start`,
/// `end`, `value`; others are passed over. A field holds no line break.
struct CSVReadings: Sendable {
  private enum Column { case device, metric, timestamp, start, end, value, other }

  private var columns: [Column] = []
  private var separator = UInt8(ascii: ",")

  /// - Throws: `validation` if the first row is no such header.
  mutating func line(_ bytes: UnsafeRawBufferPointer, into batch: inout ReadingBatch) throws(Problem) {
    let row = Self.withoutCarriageReturn(bytes)
    if columns.isEmpty { return try header(row) }
    if row.isEmpty { return }
    guard let cells = Self.cells(row, separator), cells.count == columns.count else {
      return batch.reject(.malformed, "the row has not the \(columns.count) fields of the header")
    }
    var fields = ReadingFields()
    for (column, cell) in zip(columns, cells) where !cell.isEmpty {
      cell.withUnsafeBytes { take(column, $0, &fields) }
    }
    batch.add(fields)
  }

  private mutating func header(_ row: UnsafeRawBufferPointer) throws(Problem) {
    // Spreadsheets put a byte order mark in front, and in half of Europe semicolons between.
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let row = row.starts(with: mark) ? UnsafeRawBufferPointer(rebasing: row.dropFirst(3)) : row
    if !row.contains(UInt8(ascii: ",")) && row.contains(UInt8(ascii: ";")) { separator = UInt8(ascii: ";") }
    let names = Self.cells(row, separator)?.map { String(decoding: $0, as: UTF8.self).lowercased() } ?? []
    guard names.contains("value"), names.contains("timestamp") || names.contains("end") else {
      throw .validation("", "must begin with a row of column names: value, timestamp or start and end, …")
    }
    guard Set(names).count == names.count else { throw .validation("", "names a column twice") }
    columns = names.map(Self.column)
  }

  private static func column(_ name: String) -> Column {
    switch name {
    case "device_id": .device
    case "metric": .metric
    case "timestamp": .timestamp
    case "start": .start
    case "end": .end
    case "value": .value
    default: .other
    }
  }

  private func take(_ column: Column, _ cell: UnsafeRawBufferPointer, _ fields: inout ReadingFields) {
    switch column {
    case .device: fields.takeDevice(cell)
    case .metric: fields.takeMetric(cell)
    case .timestamp: fields.timestamp = fields.time(cell, "timestamp")
    case .start: fields.start = fields.time(cell, "start")
    case .end: fields.end = fields.time(cell, "end")
    case .value: fields.takeValue(cell)
    case .other: break
    }
  }

  private static func withoutCarriageReturn(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    bytes.last == UInt8(ascii: "\r") ? UnsafeRawBufferPointer(rebasing: bytes.dropLast()) : bytes
  }

  /// The fields of a row, without their quotes; nil if a quote is where none may be.
  static func cells(_ row: UnsafeRawBufferPointer, _ separator: UInt8) -> [[UInt8]]? {
    var cells: [[UInt8]] = []
    var at = 0
    while true {
      guard let cell = cell(row, separator, &at) else { return nil }
      cells.append(cell)
      if at == row.count { return cells }
      guard row[at] == separator else { return nil }
      at += 1
    }
  }

  private static func cell(_ row: UnsafeRawBufferPointer, _ separator: UInt8, _ at: inout Int) -> [UInt8]? {
    guard at < row.count, row[at] == UInt8(ascii: "\"") else {
      let end = row[at...].firstIndex(of: separator) ?? row.count
      defer { at = end }
      let bare = row[at..<end]
      return bare.contains(UInt8(ascii: "\"")) ? nil : Array(bare)
    }
    var content: [UInt8] = []
    at += 1
    while at < row.count {
      if row[at] != UInt8(ascii: "\"") {
        content.append(row[at])
        at += 1
      } else if at + 1 < row.count, row[at + 1] == UInt8(ascii: "\"") {
        content.append(UInt8(ascii: "\""))
        at += 2
      } else {
        at += 1
        return content
      }
    }
    return nil
  }
}
