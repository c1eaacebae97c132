import Testing

@testable import Reactor

/// `HTTP.md` and the machines say the same. (`Tests/Outside/test_http_rules.py` asks the server.)
@Suite struct `The documented rules` {
  /// Where the machines stopped in a row's bytes.
  private enum Outcome: Equatable {
    case refused(HTTPError)
    /// One request, whole, of so many bytes.
    case request(length: Int)
    case incomplete
  }

  @Test(arguments: HTTPDocument.refused) func `refuse with their reason, however the bytes arrive`(
    _ row: HTTPDocument.Row
  ) throws {
    let error = try #require(HTTPError(rawValue: row.outcome[1]), "no such reason in the code")
    #expect("\(error.status.rawValue)" == row.outcome[0])
    expectEverywhere(row, .refused(error))
  }

  @Test(arguments: HTTPDocument.understood) func `take a request to its end and no further`(
    _ row: HTTPDocument.Row
  ) {
    expectEverywhere(row, .request(length: row.sent.count))
  }

  @Test func `name every reason for which a request is refused`() {
    let ofResponses: Set<HTTPError> = [.malformedStatusLine, .unaskedUpgrade]
    let documented = Set(HTTPDocument.refused.compactMap { HTTPError(rawValue: $0.outcome[1]) })
    #expect(documented == Set(HTTPError.allCases).subtracting(ofResponses))
  }

  @Test func `are hundreds`() {
    #expect(HTTPDocument.refused.count > 250 && HTTPDocument.understood.count > 75)
  }

  private func expectEverywhere(_ row: HTTPDocument.Row, _ expected: Outcome) {
    let count = row.sent.count
    // What is longer than any limit is cut here and there; everything else everywhere.
    let sparse = Array(stride(from: 1, to: count, by: 509)) + [count]
    for cuts in count < 1000 ? chunkings(of: count) : [[count], sparse] {
      #expect(outcome(of: row.sent, cuts: cuts) == expected, "cut at \(cuts.first ?? 0)")
    }
    let followed = row.sent + trailingBytes
    #expect(outcome(of: followed, cuts: [followed.count]) == expected, "with trailing bytes")
  }

  private func outcome(of bytes: [UInt8], cuts: [Int]) -> Outcome {
    var parser = RequestParser()
    var head = RequestHead()
    for (number, cut) in cuts.enumerated() {
      let arrived = Array(bytes[..<cut])
      do throws(HTTPError) {
        guard case .head(let length) = try parser.step(arrived, &head) else { continue }
        let rest = Array(bytes[length...])
        let bodyCuts = ([length] + cuts[number...]).map { max(0, $0 - length) }
        switch feedBody(head.framing, rest, cuts: bodyCuts, limits: BodyLimits(contentBytes: 1 << 20)) {
        case .content(_, let consumed): return .request(length: length + consumed)
        case .refused(let error): return .refused(error)
        case .incomplete: return .incomplete
        }
      } catch {
        return .refused(error)
      }
    }
    return .incomplete
  }
}

extension RequestParser {
  fileprivate mutating func step(_ bytes: [UInt8], _ head: inout RequestHead) throws(HTTPError) -> HeadStep {
    var step: Result<HeadStep, HTTPError> = .success(.needMore)
    bytes.withUnsafeBytes { buffer in
      do throws(HTTPError) {
        step = .success(try next(buffer, into: &head, limits: HeadLimits()))
      } catch { step = .failure(error) }
    }
    return try step.get()
  }
}
