import Foundation

@testable import Reactor

/// The opening handshake (RFC 6455 §4), both sides. The bytes are the fields of a request, and an answer: what the
/// server accepts follows the rules, and our client takes the server's answer and, with these fields in it, any
/// chunking of them alike.
enum HandshakeTarget: FuzzTarget {
  static func run(_ bytes: UnsafeRawBufferPointer) {
    serve(Array("GET /ws HTTP/1.1\r\n".utf8) + bytes)
    ask(bytes)
  }

  private static func serve(_ request: [UInt8]) {
    var parser = RequestParser()
    var head = RequestHead()
    request.withUnsafeBytes { bytes in
      guard case .head(let length)? = try? parser.next(bytes, into: &head, limits: HeadLimits()) else {
        return
      }
      let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<length])
      guard case .accept(let key, _) = Handshake.check(head, in: bytes) else { return }
      check(head, bytes, key)
    }
  }

  private static func check(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer, _ key: Handshake.Key) {
    let fields = head.fields.map { field in
      let name = String(decoding: bytes[field.name.range], as: UTF8.self).lowercased()
      return (name: name, value: String(decoding: bytes[field.value.range], as: UTF8.self))
    }
    func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
    let text = withUnsafeBytes(of: key) { String(decoding: $0, as: UTF8.self) }
    precondition(values("sec-websocket-key") == [text] && values("sec-websocket-version") == ["13"])
    precondition(values("upgrade").contains { $0.lowercased().contains("websocket") })
    precondition(values("connection").contains { $0.lowercased().contains("upgrade") })
    precondition(head.framing == .none, "content would be read as frames")
    // Foundation's decoder as the judge: 16 bytes, and written as they would be.
    let nonce = Data(base64Encoded: text)
    precondition(nonce?.count == 16 && nonce?.base64EncodedString() == text, "the key is not 16 bytes")
    greet(key)
  }

  /// Our client takes our server's answer.
  private static func greet(_ key: Handshake.Key) {
    let accept = Handshake.acceptValue(for: key, sha1: Digest.sha1)
    precondition(Data(base64Encoded: accept)?.count == 20)
    var answer: [UInt8] = []
    let fields = [Response.Field("upgrade", "websocket"), Response.Field("sec-websocket-accept", accept)]
    ResponseEncoder(method: .get, minorVersion: 1, keepsAlive: true).write(
      Response(.switchingProtocols, fields: fields), date: HTTPDate(unixSeconds: 0), into: &answer)
    let verdict = answer.withUnsafeBytes { ClientHandshake.check($0, accept: accept) }
    precondition(verdict == .accepted(headLength: answer.count, subprotocol: nil))
  }

  /// RFC 6455 §1.3's own example as the accept value.
  private static func ask(_ answer: UnsafeRawBufferPointer) {
    let verdicts = cuts(of: answer).map { cuts in
      for cut in cuts {
        let verdict = withExactCopy(UnsafeRawBufferPointer(rebasing: answer[..<cut])) {
          ClientHandshake.check(
            UnsafeRawBufferPointer($0), accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", offered: ["chat"])
        }
        if verdict != .needMore { return verdict }
      }
      return .needMore
    }
    precondition(verdicts.allSatisfy { $0 == verdicts[0] }, "the cuts make a difference: \(verdicts)")
    if case .accepted(let length, _) = verdicts[0] {
      let text = String(decoding: answer[..<length], as: UTF8.self)
      precondition(text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    }
  }
}
