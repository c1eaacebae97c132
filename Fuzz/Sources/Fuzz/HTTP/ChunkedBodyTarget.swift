@testable import Reactor

/// The chunked transfer coding (RFC 9112 §7.1): any chunking gives the same content and the same end, within the
/// limits; and what our encoder writes is read back.
enum ChunkedBodyTarget: FuzzTarget {
  private enum Outcome: Equatable {
    case whole(content: [UInt8], length: Int)
    case incomplete(content: [UInt8])
    /// The content that had come before depends on the cuts: a chunk is handed out as it comes.
    case refused(HTTPError)
  }

  private static let limits = BodyLimits(
    contentBytes: 200, chunkLineBytes: 40, extensionBytes: 60, trailerBytes: 80)

  static func run(_ bytes: UnsafeRawBufferPointer) {
    let outcomes = cuts(of: bytes).map { feed(bytes, $0) }
    precondition(outcomes.allSatisfy { $0 == outcomes[0] }, "the cuts make a difference: \(outcomes)")
    comeBack(bytes)
  }

  private static func feed(_ bytes: UnsafeRawBufferPointer, _ cuts: [Int]) -> Outcome {
    guard var decoder = try? BodyDecoder(.chunked, limits: limits) else { preconditionFailure("no decoder") }
    var content: [UInt8] = []
    var taken = 0
    for cut in cuts {
      do throws(HTTPError) {
        let piece = UnsafeRawBufferPointer(rebasing: bytes[taken..<cut])
        let (count, isWhole) = try withExactCopy(piece) { copy throws(HTTPError) in
          try drain(&decoder, UnsafeRawBufferPointer(copy), &content)
        }
        taken += count
        precondition(isWhole || taken == cut, "the decoder has nothing to keep bytes for")
        precondition(content.count <= limits.contentBytes)
        if isWhole { return .whole(content: content, length: taken) }
      } catch {
        return .refused(error)
      }
    }
    return .incomplete(content: content)
  }

  private static func drain(
    _ decoder: inout BodyDecoder, _ bytes: UnsafeRawBufferPointer, _ content: inout [UInt8]
  ) throws(HTTPError) -> (taken: Int, isWhole: Bool) {
    var taken = 0
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
      switch try decoder.next(rest) {
      case .needMore(let consumed): return (taken + consumed, false)
      case .data(let range, let consumed):
        content += rest[range]
        taken += consumed
      case .end(let consumed): return (taken + consumed, true)
      }
    }
  }

  /// The bytes as content, written in chunks of the pieces' lengths.
  private static func comeBack(_ bytes: UnsafeRawBufferPointer) {
    let content = UnsafeRawBufferPointer(rebasing: bytes.prefix(limits.contentBytes))
    var coded: [UInt8] = []
    var start = 0
    for end in cuts(of: content).last ?? [] {
      ChunkedEncoder.write(UnsafeRawBufferPointer(rebasing: content[start..<end]), into: &coded)
      start = end
    }
    coded.append(ChunkedEncoder.end)
    coded.withUnsafeBytes { coded in
      let expected = Outcome.whole(content: [UInt8](content), length: coded.count)
      precondition(feed(coded, [coded.count]) == expected, "what was encoded is not read back")
    }
  }
}
