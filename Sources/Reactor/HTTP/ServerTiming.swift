/// `Server-Timing` (W3C): where a request's time went, for a client that prefers to hear it.
public enum ServerTiming {
  /// The preference (RFC 7240), which is no registered one.
  static var preference: StaticString { "server-timing" }

  /// A metric of the field. Its duration is in milliseconds.
  public static func metric(_ name: String, nanoseconds: UInt64) -> String {
    let fraction = "\(nanoseconds / 1000 % 1000)"
    let zeros = String(repeating: "0", count: 3 - fraction.count)
    return "\(name);dur=\(nanoseconds / 1_000_000).\(zeros)\(fraction)"
  }

  /// The answer with its total before the handler's own metrics. What is 1xx is no answer yet.
  static func add(total: UInt64, to response: Response) -> Response {
    guard response.status.rawValue >= 200 else { return response }
    var response = response
    response.fields.insert(
      contentsOf: [
        // RFC 7240 §3.
        Response.Field("preference-applied", "\(preference)"), field([metric("total", nanoseconds: total)]),
      ], at: 0)
    return response
  }

  public static func field(_ metrics: [String]) -> Response.Field {
    Response.Field("server-timing", metrics.joined(separator: ", "))
  }
}
