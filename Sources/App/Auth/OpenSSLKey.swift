import COpenSSL

/// A key of OpenSSL's (`EVP_PKEY`), freed with this object.
///
/// Sendable: nothing changes a key once it is read, and OpenSSL lets several threads sign and check with one key,
/// each in a context of its own (openssl-threads(7)).
final class OpenSSLKey: @unchecked Sendable {
  let pointer: OpaquePointer

  init(owning pointer: OpaquePointer) { self.pointer = pointer }

  deinit { EVP_PKEY_free(pointer) }

  func isA(_ type: String) -> Bool { EVP_PKEY_is_a(pointer, type) == 1 }

  /// The curve of an EC key as OpenSSL calls it, such as `prime256v1`.
  var groupName: String? {
    var name = [UInt8](repeating: 0, count: 64)
    var count = 0
    let result = name.withUnsafeMutableBytes {
      EVP_PKEY_get_group_name(pointer, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, &count)
    }
    return result == 1 ? String(validating: name.prefix(count), as: UTF8.self) : nil
  }

  /// Whether both parts are there, in range, and belong together. A key whose public part is another's would make
  /// tokens that nobody can check.
  var isConsistent: Bool {
    guard let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil) else { return false }
    defer { EVP_PKEY_CTX_free(context) }
    return EVP_PKEY_check(context) == 1
  }

  /// A number of the key, such as a coordinate, in 32 bytes; nil if the key has none of that name or a larger one.
  func number(_ name: String) -> [UInt8]? {
    var number: OpaquePointer?
    guard EVP_PKEY_get_bn_param(pointer, name, &number) == 1 else { return nil }
    defer { BN_clear_free(number) }
    var bytes = [UInt8](repeating: 0, count: 32)
    return BN_bn2binpad(number, &bytes, 32) == 32 ? bytes : nil
  }

  /// A part of the key that is a string of 32 bytes.
  func string(_ name: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 32)
    var count = 0
    let result = EVP_PKEY_get_octet_string_param(pointer, name, &bytes, bytes.count, &count)
    return result == 1 && count == 32 ? bytes : nil
  }
}
