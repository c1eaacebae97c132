extension RequestView {
  /// The subprotocols that a WebSocket client offers, in its order of preference.
  public var offeredSubprotocols: [String] { head.offeredSubprotocols(in: headBytes) ?? [] }
}

extension RequestHead {
  /// RFC 6455 §11.3.4: one list, perhaps over several fields, of tokens. Nil if an element is none; empty
  /// elements count for nothing (RFC 9110 §5.6.1.2).
  func offeredSubprotocols(in bytes: UnsafeRawBufferPointer) -> [String]? {
    var offers: [String] = []
    for value in values(of: "sec-websocket-protocol", in: bytes) {
      for element in value.split(separator: UInt8(ascii: ",")) {
        let name = element.trimmingWhitespace
        guard name.allSatisfy(ByteClass.token.contains) else { return nil }
        if !name.isEmpty { offers.append(String(decoding: name, as: UTF8.self)) }
      }
    }
    return offers
  }

  /// The values of all fields of that name, in order; `name` in lower case.
  func values(of name: StaticString, in bytes: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
    let wanted = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    var found: [UnsafeRawBufferPointer] = []
    for field in fields where Int(field.name.count) == wanted.count {
      guard bytes[field.name.range].elementsEqual(wanted, by: { $0.asciiLowercased == $1 }) else { continue }
      found.append(UnsafeRawBufferPointer(rebasing: bytes[field.value.range]))
    }
    return found
  }
}

extension Slice<UnsafeRawBufferPointer> {
  /// Without the spaces and tabs at both ends (OWS, RFC 9110 §5.6.3).
  fileprivate var trimmingWhitespace: Self {
    var trimmed = self
    while let first = trimmed.first, first == 0x20 || first == 0x09 { trimmed.removeFirst() }
    while let last = trimmed.last, last == 0x20 || last == 0x09 { trimmed.removeLast() }
    return trimmed
  }
}
