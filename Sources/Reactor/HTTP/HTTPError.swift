/// Why a request is refused, with the sentence that goes into the answer; a client says so of a response. Every case ends
/// the connection: after it, nobody knows where the next message begins.
enum HTTPError: String, Error, Sendable, CaseIterable {
  case bareLineFeed = "a line ends with LF alone"
  case bareCarriageReturn = "CR without LF"
  case controlCharacter = "control character"
  case malformedRequestLine = "malformed request line"
  case malformedStatusLine = "malformed status line"
  case unaskedUpgrade = "switching protocols, unasked"
  case malformedVersion = "malformed HTTP version"
  case invalidTarget = "invalid request target"
  case invalidFieldName = "invalid field name"
  case whitespaceBeforeColon = "whitespace before the colon of a field"
  case foldedField = "folded field line"
  case missingHost = "missing Host"
  case repeatedHost = "repeated Host"
  case invalidHost = "invalid Host"
  case invalidContentLength = "invalid Content-Length"
  case repeatedContentLength = "repeated Content-Length"
  case invalidTransferEncoding = "Transfer-Encoding is not chunked"
  case repeatedTransferEncoding = "repeated Transfer-Encoding"
  case transferEncodingInOldVersion = "Transfer-Encoding in HTTP/1.0"
  case ambiguousLength = "Content-Length and Transfer-Encoding together"
  case malformedChunk = "malformed chunk"
  case chunkSizeTooLarge = "chunk size out of range"
  case chunkLineTooLong = "chunk line too long"
  case chunkExtensionsTooLarge = "chunk extensions too large"
  case contentTooLarge = "content too large"
  case targetTooLong = "request target too long"
  case unknownExpectation = "unknown expectation"
  case headTooLarge = "request head too large"
  case tooManyFields = "too many fields"
  case trailersTooLarge = "trailers too large"
  case unknownVersion = "HTTP version not supported"

  var reason: String { rawValue }

  var status: Status {
    switch self {
    case .contentTooLarge: .contentTooLarge
    case .targetTooLong: .uriTooLong
    case .unknownExpectation: .expectationFailed
    case .headTooLarge, .tooManyFields, .trailersTooLarge: .headerFieldsTooLarge
    case .unknownVersion: .versionNotSupported
    case .bareLineFeed, .bareCarriageReturn, .controlCharacter, .malformedRequestLine, .malformedStatusLine,
      .unaskedUpgrade, .malformedVersion,
      .invalidTarget, .invalidFieldName, .whitespaceBeforeColon, .foldedField, .missingHost, .repeatedHost,
      .invalidHost, .invalidContentLength, .repeatedContentLength, .invalidTransferEncoding,
      .repeatedTransferEncoding, .transferEncodingInOldVersion, .ambiguousLength, .malformedChunk,
      .chunkSizeTooLarge, .chunkLineTooLong, .chunkExtensionsTooLarge:
      .badRequest
    }
  }
}
