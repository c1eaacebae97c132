/// What the server says it has done with the readings of a request.
struct IntakeCounts {
  let accepted: Int

  init(_ answer: [UInt8]) throws {
    let accepted = answer.withUnsafeBytes { $0.number(after: #""accepted":"#) }
    guard let accepted else { throw Failure("an answer to readings that does not count them") }
    self.accepted = accepted
  }
}
