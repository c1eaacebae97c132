/// An element of `Sec-WebSocket-Extensions` (RFC 6455 §9.1): a name and its parameters.
struct ExtensionElement: Equatable {
  struct Parameter: Equatable {
    let name: String
    let value: String?
  }

  let name: String
  var parameters: [Parameter] = []
}

extension ExtensionElement {
  /// Reads one field's value, a list; nil if it breaks the grammar. Empty elements count for nothing (RFC 9110 §5.6.1.2).
  static func parse(_ value: UnsafeRawBufferPointer) -> [ExtensionElement]? {
    var reader = Reader(bytes: value)
    var elements: [ExtensionElement] = []
    repeat {
      reader.skipSpace()
      if reader.isAtEnd || reader.isAt(UInt8(ascii: ",")) { continue }
      guard let element = reader.element() else { return nil }
      elements.append(element)
    } while reader.take(UInt8(ascii: ","))
    return reader.isAtEnd ? elements : nil
  }

  private struct Reader {
    let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }
    func isAt(_ byte: UInt8) -> Bool { at < bytes.count && bytes[at] == byte }

    mutating func take(_ byte: UInt8) -> Bool {
      guard isAt(byte) else { return false }
      at += 1
      return true
    }

    mutating func skipSpace() { while isAt(0x20) || isAt(0x09) { at += 1 } }

    mutating func element() -> ExtensionElement? {
      guard let name = token() else { return nil }
      var element = ExtensionElement(name: name)
      skipSpace()
      while take(UInt8(ascii: ";")) {
        skipSpace()
        guard let parameter = parameter() else { return nil }
        element.parameters.append(parameter)
        skipSpace()
      }
      return element
    }

    private mutating func parameter() -> Parameter? {
      guard let name = token() else { return nil }
      guard take(UInt8(ascii: "=")) else { return Parameter(name: name, value: nil) }
      // A quoted value must be a token when its quotes are gone.
      let isQuoted = take(UInt8(ascii: "\""))
      guard let value = token(), !isQuoted || take(UInt8(ascii: "\"")) else { return nil }
      return Parameter(name: name, value: value)
    }

    private mutating func token() -> String? {
      let start = at
      while at < bytes.count, ByteClass.token.contains(bytes[at]) { at += 1 }
      guard at > start else { return nil }
      return String(decoding: bytes[start..<at], as: UTF8.self)
    }
  }
}

extension RequestHead {
  /// All offers, in order; nil if a field breaks the grammar.
  func offeredExtensions(in bytes: UnsafeRawBufferPointer) -> [ExtensionElement]? {
    var offers: [ExtensionElement] = []
    for value in values(of: "sec-websocket-extensions", in: bytes) {
      guard let elements = ExtensionElement.parse(value) else { return nil }
      offers += elements
    }
    return offers
  }
}
