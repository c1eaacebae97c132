/// Writes a client's requests (RFC 9112 §3 to §6).
enum RequestEncoder {
  /// False for what could not be sent as one request: a target, a field or a method that is not well-formed, and fields that
  /// are the encoder's own.
  static func canWrite(_ request: HTTPClientRequest) -> Bool {
    guard request.method != .connect, request.method != .other, request.path.utf8.first == UInt8(ascii: "/"),
      request.path.utf8.allSatisfy({ ByteClass.target.contains($0) })
    else { return false }
    return request.fields.allSatisfy { field in
      field.kind != .invalid
        && !["host", "content-length", "transfer-encoding", "connection"].contains(field.name.lowercased())
    }
  }

  static func write(_ request: HTTPClientRequest, host: String, into sink: inout some ByteSink) {
    sink.append(request.method.token)
    sink.append(" ")
    sink.append(request.path)
    sink.append(" HTTP/1.1\r\nhost: ")
    sink.append(host)
    sink.append("\r\n")
    for field in request.fields {
      sink.append(field.name)
      sink.append(": ")
      sink.append(field.value)
      sink.append("\r\n")
    }
    if !request.body.isEmpty || request.method.expectsContent {
      sink.append("content-length: ")
      sink.append(decimal: request.body.count)
      sink.append("\r\n")
    }
    sink.append("\r\n")
    request.body.withUnsafeBytes { sink.append($0) }
  }
}

extension Method {
  /// RFC 9110 §8.6: content has a meaning for these, so its length is told even if it is 0.
  fileprivate var expectsContent: Bool { self == .post || self == .put || self == .patch }
}
