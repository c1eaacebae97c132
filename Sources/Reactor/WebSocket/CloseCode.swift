/// Why a WebSocket ends (RFC 6455 §7.4 and IANA's "WebSocket Close Code Number Registry").
public struct CloseCode: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let normal = CloseCode(rawValue: 1000)
  public static let goingAway = CloseCode(rawValue: 1001)
  public static let protocolError = CloseCode(rawValue: 1002)
  public static let unsupportedData = CloseCode(rawValue: 1003)
  /// What a close frame without a code means; never sent.
  public static let noStatus = CloseCode(rawValue: 1005)
  /// The connection ended without a close frame; never sent.
  public static let abnormal = CloseCode(rawValue: 1006)
  public static let invalidPayload = CloseCode(rawValue: 1007)
  public static let policyViolation = CloseCode(rawValue: 1008)
  public static let messageTooBig = CloseCode(rawValue: 1009)
  public static let mandatoryExtension = CloseCode(rawValue: 1010)
  public static let internalError = CloseCode(rawValue: 1011)
  public static let serviceRestart = CloseCode(rawValue: 1012)
  public static let tryAgainLater = CloseCode(rawValue: 1013)
  public static let badGateway = CloseCode(rawValue: 1014)

  /// RFC 6455 §7.4: 1004 is reserved, 1005, 1006 and 1015 stand for what no close frame said, the rest below
  /// 3000 is unassigned; 3000-3999 is for libraries, 4000-4999 for applications.
  public var isAllowedOnWire: Bool {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}
