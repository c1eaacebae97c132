import Reactor

/// An error as the client sees it, over REST (RFC 9457) and in an `error` frame alike.
public struct Problem: Error, Sendable, Equatable {
  /// What is wrong with one field of the request.
  public struct FieldError: Sendable, Equatable, Encodable {
    /// A JSON pointer (RFC 6901) into the body, or `?name` for a parameter of the query.
    public let pointer: String
    public let detail: String

    public init(_ pointer: String, _ detail: String) {
      self.pointer = pointer
      self.detail = detail
    }
  }

  public let kind: ProblemKind
  public var detail: String?
  public var errors: [FieldError]
  /// When the client may try again; over REST in `Retry-After`, in whole seconds.
  public var retryAfterMilliseconds: Int?
  /// Header fields that belong to the answer, such as `WWW-Authenticate`.
  public var fields: [Response.Field] = []

  public init(
    _ kind: ProblemKind, detail: String? = nil, errors: [FieldError] = [], retryAfterMilliseconds: Int? = nil
  ) {
    self.kind = kind
    self.detail = detail
    self.errors = errors
    self.retryAfterMilliseconds = retryAfterMilliseconds
  }

  public static let busy = Problem(.busy, retryAfterMilliseconds: 1000)
  public static let notFound = Problem(.notFound)
  /// A transaction failed, and nothing of it is stored; with the same key it may be sent again.
  public static let notStored = Problem(
    .busy, detail: "It could not be stored. Send it again with the same key.", retryAfterMilliseconds: 1000)
  static let notJSON = Problem(.unsupportedMediaType, detail: "The body must be application/json.")
  public static let `internal` = Problem(.internal)

  /// What happened, in a sentence; the kind's own where there is nothing to add.
  var text: String { detail ?? kind.title + "." }

  /// Whether the same request may succeed later.
  public var isTemporary: Bool {
    switch kind {
    case .busy, .rateLimited, .requestTimeout, .internal, .tokenExpiring: true
    default: false
    }
  }

  public static func validation(_ errors: [FieldError]) -> Problem { Problem(.validation, errors: errors) }

  public static func validation(_ pointer: String, _ detail: String) -> Problem {
    validation([FieldError(pointer, detail)])
  }
}

extension Problem {
  public var response: Response {
    var all = fields
    if let retryAfterMilliseconds {
      all.append(Response.Field("retry-after", "\(max(1, (retryAfterMilliseconds + 999) / 1000))"))
    }
    return Response(kind.status, fields: all, body: json, contentType: "application/problem+json")
  }

  /// The problem object's bytes.
  public var json: [UInt8] {
    // Texts and numbers alone always encode; the constant is for the compiler.
    (try? JSON.encode(Body(self))) ?? Array(#"{"type":"/problems/internal","status":500}"#.utf8)
  }

  private struct Body: Encodable {
    let type: String
    let title: String
    let status: UInt16
    let detail: String
    let errors: [FieldError]?
    let retryAfter: Int?

    private enum CodingKeys: String, CodingKey {
      case type, title, status, detail, errors
      case retryAfter = "retry_after_ms"
    }

    init(_ problem: Problem) {
      type = problem.kind.type
      title = problem.kind.title
      status = problem.kind.status.rawValue
      detail = problem.text
      errors = problem.errors.isEmpty ? nil : problem.errors
      retryAfter = problem.retryAfterMilliseconds
    }
  }
}
