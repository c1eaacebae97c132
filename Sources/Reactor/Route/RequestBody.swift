/// The body of a request as it comes, for the handler of an `.upload` route.
///
///     while let piece = try await body.next() { … }
///
/// It belongs to the loop: one task on the loop pulls it. What is not pulled is not read from the client beyond
/// `Limits.bodyWindow`.
public struct RequestBody: Sendable {
  private let intake: LoopBound<BodyIntake>

  init(_ intake: BodyIntake) { self.intake = LoopBound(intake) }

  /// The next piece, of some 64 KiB at most and never empty; nil at the body's end.
  /// - Throws: if the rest will not be had, and at each call from then on. The connection ends with the answer.
  public func next() async throws(RequestBodyError) -> [UInt8]? { try await intake.value.next().get() }
}

/// Why a body ends too early, as the answer should say it.
public struct RequestBodyError: Error, Sendable, Equatable {
  public let status: Status
  /// One sentence.
  public let reason: String

  init(_ status: Status, _ reason: String) {
    self.status = status
    self.reason = reason
  }

  /// Over the route's limit (413), or not framed by the rules (400).
  init(_ error: HTTPError) { self.init(error.status, error.reason) }

  /// The client has gone, or has ended its side; also what a body that is answered already throws.
  static var incomplete: RequestBodyError {
    RequestBodyError(.badRequest, "The request's body is incomplete.")
  }
  /// Nothing came for `Limits.bodyTimeout`.
  static var late: RequestBodyError {
    RequestBodyError(.requestTimeout, "The request did not arrive in time.")
  }
}
