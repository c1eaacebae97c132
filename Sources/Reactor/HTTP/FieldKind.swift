/// What the encoder does with a field of an answer.
enum FieldKind: Sendable {
  /// The encoder's own: what a handler says here is ignored.
  case ours
  /// Not a field (RFC 9110 §5.1 and §5.5). A CR, LF or NUL in a value would let a handler's input split the response.
  case invalid
  case upgrade, other

  init(_ name: String, _ value: String) {
    var name = name
    var value = value
    let isValue = value.withUTF8 { bytes in !bytes.contains { $0 == 0 || $0 == 0x0A || $0 == 0x0D } }
    self = isValue ? name.withUTF8 { FieldKind(UnsafeRawBufferPointer($0).bytes) } : .invalid
  }

  private init(_ name: RawSpan) {
    let all = 0..<name.byteCount
    guard name.byteCount > 0, name.first(outside: .token, from: 0) == name.byteCount else {
      self = .invalid
      return
    }
    switch name.byteCount {
    case 4: self = name.equals("date", at: all) ? .ours : .other
    case 7: self = name.equals("upgrade", at: all) ? .upgrade : .other
    case 10: self = name.equals("connection", at: all) ? .ours : .other
    case 14: self = name.equals("content-length", at: all) ? .ours : .other
    case 17: self = name.equals("transfer-encoding", at: all) ? .ours : .other
    default: self = .other
    }
  }
}
