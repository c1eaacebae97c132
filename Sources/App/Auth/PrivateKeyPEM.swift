import COpenSSL

/// Why a private key is not taken. The text says what the operator's file holds.
enum PrivateKeyFailure: String, Error {
  case missing = "it holds no private key that can be read: PKCS#8 or SEC 1 in PEM is expected"
  case encrypted = "its private key is encrypted"
  case otherKind = "its key is neither EC P-256 nor Ed25519"
  case broken = "its private key is broken"
}

/// Private keys in PEM (RFC 7468): PKCS#8 (`PRIVATE KEY`) and SEC 1 (`EC PRIVATE KEY`).
enum PrivateKeyPEM {
  static func isPEM(_ text: ArraySlice<UInt8>) -> Bool {
    String(decoding: text, as: UTF8.self).contains("-----BEGIN ")
  }

  /// The first private key of a text, which may hold other things before it, such as `EC PARAMETERS`.
  static func read(_ text: ArraySlice<UInt8>) throws(PrivateKeyFailure) -> KeyPair {
    defer { ERR_clear_error() }
    var asked = false
    // `text` must outlive the BIO, which does not copy it.
    let key = text.withUnsafeBytes { text -> OpaquePointer? in
      guard let source = BIO_new_mem_buf(text.baseAddress, Int32(clamping: text.count)) else { return nil }
      defer { BIO_free(source) }
      // Without a callback of ours OpenSSL asks for a password at the terminal, and the server waits there.
      return withUnsafeMutablePointer(to: &asked) { asked in
        PEM_read_bio_PrivateKey(
          source, nil,
          { _, _, _, asked in
            asked?.assumingMemoryBound(to: Bool.self).pointee = true
            return -1
          }, asked)
      }
    }
    guard let key else { throw asked ? .encrypted : .missing }
    return try KeyPair(OpenSSLKey(owning: key))
  }
}
