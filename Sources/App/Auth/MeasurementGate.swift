import Reactor

/// The device key that a request came with. Whether there is such a key, and for which device, only the store knows: ask
/// `DeviceKeyStore.device(forDigest:in:)` where the readings are stored.
struct DeviceCredential: Sendable, Equatable {
  /// Of the token.
  let digest: String
}

/// The gate of routes that take measurements: lets in administrators, whose `Caller` becomes the request's context, and
/// whoever has a device key, with its `DeviceCredential`.
enum MeasurementGate {
  static func make(_ verifier: TokenVerifier) -> Gate {
    let administrators = BearerGate.make(verifier, role: .admin)
    return { request in
      let token = request.bytes(of: "authorization").flatMap(BearerToken.find(in:))
      guard let token, DeviceToken.isOne(token) else { return administrators(request) }
      return .pass(DeviceCredential(digest: DeviceToken.digest(token)))
    }
  }
}
