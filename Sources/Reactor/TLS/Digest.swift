import COpenSSL

/// Digests, from OpenSSL.
enum Digest {
  static func sha1(_ bytes: UnsafeRawBufferPointer) -> [20 of UInt8] {
    var digest = [20 of UInt8](repeating: 0)
    withUnsafeMutableBytes(of: &digest) {
      let target = $0.bindMemory(to: UInt8.self).baseAddress
      _ = EVP_Digest(bytes.baseAddress, bytes.count, target, nil, EVP_sha1(), nil)
    }
    return digest
  }
}
