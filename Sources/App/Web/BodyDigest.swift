import COpenSSL
import Reactor

/// The digest by which a request is known again: SHA-256 of its method, its path and its body, which may come in pieces.
final class BodyDigest {
  private let context = EVP_MD_CTX_new()

  init(_ request: Request) {
    EVP_DigestInit_ex(context, EVP_sha256(), nil)
    add(Array("\(request.method.token) \(request.path)\n".utf8))
  }

  deinit { EVP_MD_CTX_free(context) }

  func add(_ bytes: [UInt8]) { EVP_DigestUpdate(context, bytes, bytes.count) }

  /// Of all that was added; nothing can be added then.
  var text: String {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &digest, nil)
    return Base64URL.encode(digest)
  }
}
