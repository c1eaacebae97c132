import Reactor

/// Lets in requests with a valid access token. The `Caller` becomes the request's context.
public enum BearerGate {
  /// - Parameter role: the role that the route is for; nil for everybody with a token.
  public static func make(_ verifier: TokenVerifier, role: Role? = nil) -> Gate {
    { request in
      guard let token = request.bytes(of: "authorization").flatMap(BearerToken.find(in:)) else {
        return .refuse(unauthorized().response)
      }
      do throws(TokenFailure) {
        let caller = try verifier.verify(token)
        guard role == nil || caller.role == role else { return .refuse(forbidden.response) }
        return .pass(caller)
      } catch {
        // A device key is known here by its form alone; whoever has one, it is good for measurements only.
        if DeviceToken.isOne(token) { return .refuse(forbidden.response) }
        return .refuse(unauthorized(error).response)
      }
    }
  }

  /// RFC 6750 §3: without a token the challenge has no error code.
  static func unauthorized(_ failure: TokenFailure? = nil) -> Problem {
    var problem = Problem(.unauthorized, detail: failure?.rawValue)
    let reason = failure.map { ", error=\"invalid_token\", error_description=\"\($0.rawValue)\"" } ?? ""
    problem.fields = [Response.Field("www-authenticate", "Bearer realm=\"wattloop\"" + reason)]
    return problem
  }

  static var forbidden: Problem {
    var problem = Problem(.forbidden)
    problem.fields = [
      Response.Field("www-authenticate", "Bearer realm=\"wattloop\", error=\"insufficient_scope\"")
    ]
    return problem
  }
}
