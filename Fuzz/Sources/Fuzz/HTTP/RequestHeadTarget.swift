@testable import Reactor

/// The request head machine (RFC 9112 §2 to §6): any chunking gives the same head or the same refusal, and what an
/// accepted head says is so.
enum RequestHeadTarget: FuzzTarget {
  private enum Outcome: Equatable {
    case head(RequestHead, length: Int)
    case refused(HTTPError)
    case incomplete
  }

  /// Small enough to be met by what libFuzzer makes up.
  private static let limits = {
    var limits = HeadLimits()
    limits.headBytes = 1000
    limits.fieldCount = 12
    limits.targetBytes = 200
    return limits
  }()

  static func run(_ bytes: UnsafeRawBufferPointer) {
    let outcomes = cuts(of: bytes).map { feed(bytes, $0) }
    precondition(outcomes.allSatisfy { $0 == outcomes[0] }, "the cuts make a difference: \(outcomes)")
    if case .head(let head, let length) = outcomes[0] {
      check(head, UnsafeRawBufferPointer(rebasing: bytes[..<length]))
    }
  }

  private static func feed(_ bytes: UnsafeRawBufferPointer, _ cuts: [Int]) -> Outcome {
    var parser = RequestParser()
    var head = RequestHead()
    for cut in cuts {
      let outcome = withExactCopy(UnsafeRawBufferPointer(rebasing: bytes[..<cut])) {
        step(&parser, UnsafeRawBufferPointer($0), &head)
      }
      if outcome != .incomplete { return outcome }
    }
    return .incomplete
  }

  private static func step(
    _ parser: inout RequestParser, _ bytes: UnsafeRawBufferPointer, _ head: inout RequestHead
  ) -> Outcome {
    do throws(HTTPError) {
      switch try parser.next(bytes, into: &head, limits: limits) {
      case .needMore: return .incomplete
      case .head(let length): return .head(head, length: length)
      }
    } catch {
      return .refused(error)
    }
  }

  /// Judged by plain text, as another reader of the same head would see it.
  private static func check(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count <= limits.headBytes && head.fields.count <= limits.fieldCount)
    let text = String(decoding: bytes, as: UTF8.self)
    precondition(text.hasSuffix("\r\n\r\n"))
    // A line's end that is no CRLF, or a NUL, is where two readers part ways.
    var isReturn = false
    for byte in bytes {
      precondition((byte == 0x0A) == isReturn && byte != 0, "a stray CR, LF or NUL was let in")
      isReturn = byte == 0x0D
    }
    let names = head.fields.map { String(decoding: bytes[$0.name.range], as: UTF8.self).lowercased() }
    let lengths = names.count { $0 == "content-length" }
    let codings = names.count { $0 == "transfer-encoding" }
    precondition(lengths + codings <= 1, "the body's end can be understood in two ways")
    precondition((head.framing == .chunked) == (codings == 1))
    if case .length(let length) = head.framing { precondition(length > 0 && lengths == 1) }
    precondition(names.count { $0 == "host" } <= 1 && (head.minorVersion == 0 || names.contains("host")))
    precondition(!head.expectsContinue || head.framing != .none)
    precondition(!head.upgradesToWebSocket || (head.method == .get && head.framing == .none))
    precondition(head.path.range.upperBound <= bytes.count && head.authority.range.upperBound <= bytes.count)
  }
}
