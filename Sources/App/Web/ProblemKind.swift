import Reactor

/// Every kind of error that a client can meet, with the stable end of its `type`. Clients compare these: one
/// may be added, none is ever changed.
public enum ProblemKind: String, Sendable, CaseIterable {
  case malformed
  case validation
  case unauthorized
  case tokenExpiring = "token-expiring"
  case invalidCredentials = "invalid-credentials"
  case forbidden
  case notFound = "not-found"
  case methodNotAllowed = "method-not-allowed"
  case notAcceptable = "not-acceptable"
  case inFuture = "in-future"
  case requestTimeout = "request-timeout"
  case conflict
  case idempotencyConflict = "idempotency-conflict"
  case preconditionFailed = "precondition-failed"
  case tooLarge = "too-large"
  case uriTooLong = "uri-too-long"
  case unsupportedMediaType = "unsupported-media-type"
  case expectationFailed = "expectation-failed"
  case misdirectedRequest = "misdirected-request"
  case upgradeRequired = "upgrade-required"
  case rateLimited = "rate-limited"
  case headerTooLarge = "header-too-large"
  case `internal`
  case notImplemented = "not-implemented"
  case busy
  case versionNotSupported = "version-not-supported"

  /// A URI reference (RFC 9457 §3.1.1).
  public var type: String { "/problems/" + rawValue }
  public var status: Status { row.0 }
  public var title: String { row.1 }

  private var row: (Status, String) {
    switch self {
    case .malformed: (.badRequest, "The request cannot be understood")
    case .validation: (.unprocessableContent, "Some fields are not valid")
    case .unauthorized: (.unauthorized, "A valid access token is needed")
    case .tokenExpiring: (.unauthorized, "The access token ends soon")
    case .invalidCredentials: (.unauthorized, "The username or the password is wrong")
    case .forbidden: (.forbidden, "The caller may not do this")
    case .notFound: (.notFound, "There is nothing here")
    case .methodNotAllowed: (.methodNotAllowed, "The resource does not have this method")
    case .inFuture: (.unprocessableContent, "The time has not come yet")
    case .notAcceptable: (.notAcceptable, "No acceptable representation")
    case .requestTimeout: (.requestTimeout, "The request did not arrive in time")
    case .conflict: (.conflict, "It does not agree with what is there")
    case .idempotencyConflict: (.unprocessableContent, "The key was used for something else")
    case .preconditionFailed: (.preconditionFailed, "The resource has changed")
    case .tooLarge: (.contentTooLarge, "The request is too large")
    case .uriTooLong: (.uriTooLong, "The request target is too long")
    case .unsupportedMediaType: (.unsupportedMediaType, "The media type is not supported")
    case .expectationFailed: (.expectationFailed, "The expectation cannot be met")
    case .misdirectedRequest: (.misdirectedRequest, "The request is for another server")
    case .upgradeRequired: (.upgradeRequired, "A protocol upgrade is needed")
    case .rateLimited: (.tooManyRequests, "Too many requests")
    case .headerTooLarge: (.headerFieldsTooLarge, "The request head is too large")
    case .internal: (.internalServerError, "The server failed")
    case .notImplemented: (.notImplemented, "This is not supported")
    case .busy: (.serviceUnavailable, "The server is busy")
    case .versionNotSupported: (.versionNotSupported, "The HTTP version is not supported")
    }
  }

  /// The kind that stands for a bare status, such as the reactor's own refusals.
  public init(status: Status) {
    switch status {
    case .unauthorized: self = .unauthorized
    case .conflict: self = .conflict
    default:
      let known = Self.allCases.first { $0.status == status && $0 != .idempotencyConflict }
      self = known ?? (status.rawValue < 500 ? .malformed : .internal)
    }
  }
}
