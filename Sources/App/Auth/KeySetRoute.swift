import Reactor

/// `/.well-known/jwks.json`: the public key that tokens can be checked with elsewhere, as a JWK set (RFC 7517 §5).
struct KeySetRoute {
  private struct KeySet: Encodable { let keys: [PublicKey] }

  /// The key stays as it is while the server runs, so the answer is made once.
  private let response: Response

  /// A secret has no public part: then there is nothing here.
  init(_ key: SigningKey) {
    response = Answer.from {
      guard let publicKey = key.publicKey else {
        throw Problem(.notFound, detail: "The key of this server's tokens has no public part.")
      }
      return Response(
        .ok, fields: [.init("cache-control", "public, max-age=300")],
        body: try JSON.encode(KeySet(keys: [publicKey])), contentType: "application/jwk-set+json")
    }
  }

  func keys(_ request: borrowing RequestView, _ responder: Responder) -> Response? { response }
}
