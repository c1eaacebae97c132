/// Writes responses (RFC 9112 §4 to §6). It knows of the request what decides about the answer's form.
struct ResponseEncoder: Sendable {
  let isHead: Bool
  let isOldVersion: Bool
  let keepsAlive: Bool

  init(method: Method, minorVersion: UInt8, keepsAlive: Bool) {
    isHead = method == .head
    isOldVersion = minorVersion == 0
    self.keepsAlive = keepsAlive
  }

  init(answering head: RequestHead) {
    self.init(method: head.method, minorVersion: head.minorVersion, keepsAlive: head.keepAlive)
  }

  /// For what could not be read as a request: whatever it was, the connection ends.
  static var refusal: ResponseEncoder { ResponseEncoder(method: .other, minorVersion: 1, keepsAlive: false) }

  /// RFC 9110 §15.2.1. Never for an HTTP/1.0 client (§15.2); the parser's `expectsContinue` sees to that.
  static var `continue`: StaticString { "HTTP/1.1 100 Continue\r\n\r\n" }

  /// Whether another request may follow on the connection.
  func persists(after response: Response) -> Bool { keepsAlive && !response.closes }

  /// RFC 9110 §6.4.1: HEAD is answered without content, too.
  func sendsContent(of response: Response) -> Bool { response.status.hasContent && !isHead }

  func write(_ response: Response, date: HTTPDate, into sink: inout some ByteSink) {
    writeHead(of: response, date: date, into: &sink)
    if sendsContent(of: response) { response.body.withUnsafeBytes { sink.append($0) } }
  }

  /// The head alone, its empty line included. `response.body` counts for `content-length`, unless the content is streamed.
  func writeHead(
    of response: Response, isStreamed: Bool = false, date: HTTPDate, into sink: inout some ByteSink
  ) {
    writeStatusLine(response.status, into: &sink)
    if response.status.rawValue >= 200 {
      // RFC 9110 §6.6.1: an origin server with a clock sends it.
      sink.append("date: ")
      sink.append(date)
      sink.append("\r\n")
    }
    var offersUpgrade = false
    for field in response.fields {
      switch field.kind {
      case .ours, .invalid: continue
      case .upgrade: offersUpgrade = true
      case .other: break
      }
      write(field, into: &sink)
    }
    if isStreamed { writeCoding(of: response, into: &sink) } else { writeLength(of: response, into: &sink) }
    writeConnection(persists: persists(after: response), offersUpgrade: offersUpgrade, into: &sink)
    sink.append("\r\n")
  }

  /// RFC 9112 §4: the space before an empty reason stays.
  private func writeStatusLine(_ status: Status, into sink: inout some ByteSink) {
    if status == .ok {
      sink.append("HTTP/1.1 200 OK\r\n")
      return
    }
    sink.append("HTTP/1.1 ")
    sink.append(decimal: Int(status.rawValue))
    sink.append(" ")
    sink.append(status.reason)
    sink.append("\r\n")
  }

  private func write(_ field: Response.Field, into sink: inout some ByteSink) {
    sink.append(field.name)
    sink.append(": ")
    sink.append(field.value)
    sink.append("\r\n")
  }

  /// RFC 9110 §8.6: never in 1xx and 204; in 304 it would have to be the length of the content that is not
  /// sent.
  private func writeLength(of response: Response, into sink: inout some ByteSink) {
    guard response.status.hasContent else { return }
    sink.append("content-length: ")
    sink.append(decimal: response.body.count)
    sink.append("\r\n")
  }

  /// RFC 9112 §6.1: an HTTP/1.0 client does not know chunks; the connection's end is the content's.
  private func writeCoding(of response: Response, into sink: inout some ByteSink) {
    guard response.status.hasContent, !isOldVersion else { return }
    sink.append("transfer-encoding: chunked\r\n")
  }

  /// RFC 9112 §9.3 for the connection's fate; RFC 9110 §7.8: who sends Upgrade also sends the option.
  private func writeConnection(persists: Bool, offersUpgrade: Bool, into sink: inout some ByteSink) {
    switch (persists, offersUpgrade) {
    case (true, false): if isOldVersion { sink.append("connection: keep-alive\r\n") }
    case (true, true): sink.append("connection: upgrade\r\n")
    case (false, false): sink.append("connection: close\r\n")
    case (false, true): sink.append("connection: close, upgrade\r\n")
    }
  }
}
