/// Readings from JSON: an object, an array of them, or a line of NDJSON.
enum JSONReadings {
  /// Reads a body that is one JSON text.
  /// - Throws: `malformed` if it is none; then nothing of it is taken.
  static func parse(_ body: [UInt8], into batch: inout ReadingBatch) throws(Problem) {
    do throws(JSONReader.Failure) {
      try JSONReader.check(body)
      let result = body.withUnsafeBytes { bytes in
        Result { () throws(JSONReader.Failure) in
          var reader = JSONReader(bytes)
          guard reader.nextKind() == .array else { return try element(&reader, &batch) }
          try reader.readElements { (reader) throws(JSONReader.Failure) in try element(&reader, &batch) }
        }
      }
      try result.get()
    } catch {
      throw Problem(.malformed, detail: "The body is not JSON: \(error).")
    }
  }

  /// Reads one line of NDJSON; a blank one is nothing.
  static func line(_ bytes: UnsafeRawBufferPointer, into batch: inout ReadingBatch) {
    if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      return batch.reject(.malformed, "the line is not UTF-8")
    }
    do throws(JSONReader.Failure) {
      var reader = JSONReader(bytes)
      guard reader.nextKind() == .object else {
        try reader.readValue()
        return batch.reject(.validation, "the line is no object")
      }
      var fields = ReadingFields()
      try reader.readObject { (name, value) throws(JSONReader.Failure) in take(name, value, &fields) }
      batch.add(fields)
    } catch {
      batch.reject(.malformed, "the line is not JSON: \(error)")
    }
  }

  private static func element(
    _ reader: inout JSONReader, _ batch: inout ReadingBatch
  ) throws(JSONReader.Failure) {
    guard reader.nextKind() == .object else {
      try reader.readValue()
      return batch.reject(.validation, "the element is no object")
    }
    var fields = ReadingFields()
    try reader.readMembers { (name, value) throws(JSONReader.Failure) in take(name, value, &fields) }
    batch.add(fields)
  }

  private static func take(
    _ name: UnsafeRawBufferPointer, _ value: JSONReader.Value, _ fields: inout ReadingFields
  ) {
    if known(name, value, &fields) || !name.contains(UInt8(ascii: "\\")) { return }
    // The same name, written with escapes (RFC 8259 §8.3).
    var plain: [UInt8] = []
    JSONString.unescape(name, into: &plain)
    plain.withUnsafeBytes { _ = known($0, value, &fields) }
  }

  /// False for a name that says nothing here.
  private static func known(
    _ name: UnsafeRawBufferPointer, _ value: JSONReader.Value, _ fields: inout ReadingFields
  ) -> Bool {
    switch name.count {
    case 3 where name.equals("end"): fields.end = time(value, "end", &fields)
    case 5 where name.equals("value"): takeValue(value, &fields)
    case 5 where name.equals("start"): fields.start = time(value, "start", &fields)
    case 6 where name.equals("metric"): takeText(value, "metric", &fields) { $0.takeMetric($1) }
    case 9 where name.equals("timestamp"): fields.timestamp = time(value, "timestamp", &fields)
    case 9 where name.equals("device_id"): takeText(value, "device_id", &fields) { $0.takeDevice($1) }
    default: return false
    }
    return true
  }

  private static func takeText(
    _ value: JSONReader.Value, _ name: StaticString, _ fields: inout ReadingFields,
    _ body: (inout ReadingFields, UnsafeRawBufferPointer) -> Void
  ) {
    switch value {
    case .null: break
    case .string(let content, hasEscapes: false): body(&fields, content)
    case .string(let content, hasEscapes: true):
      var text: [UInt8] = []
      JSONString.unescape(content, into: &text)
      text.withUnsafeBytes { body(&fields, $0) }
    case .integer, .decimal, .bool, .other: fields.complain("\(name) is not a string")
    }
  }

  private static func time(
    _ value: JSONReader.Value, _ name: StaticString, _ fields: inout ReadingFields
  ) -> Int64? {
    var time: Int64?
    takeText(value, name, &fields) { time = $0.time($1, name) }
    return time
  }

  private static func takeValue(_ value: JSONReader.Value, _ fields: inout ReadingFields) {
    switch value {
    case .integer(let number): fields.value = Double(number)
    case .decimal(let bytes): fields.takeValue(bytes)
    case .string, .bool, .null, .other: fields.complain("value is not a number")
    }
  }
}
