import Glibc

/// Where the signing key is kept: one line of base64url in a file that only its owner may read. A key of one's own
/// may also be a private key in PEM.
public enum SigningKeyFile {
  /// Bytes of a file that is read: room for any private key, so that one of the wrong kind is named as such.
  private static let longest = 16 << 10

  /// The key of `--jwt-key`, which must be there; or the store's own, which is made if it is not.
  public static func load(_ configuration: Configuration) throws -> SigningKey {
    if let path = configuration.jwtKey {
      do { return try read(path) } catch {
        throw ConfigurationError.message("--jwt-key: \(error.description)")
      }
    }
    let path = configuration.data + "/jwt.key"
    if access(path, F_OK) != 0 { try create(path) }
    return try read(path)
  }

  /// Writes a new key beside its place and links it there: it is never half there, and of two processes that
  /// start at once the second finds the first one's key.
  static func create(_ path: String) throws(StoreError) {
    let temporary = path + ".\(getpid()).new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .inaccessible(temporary, errno: errno) }
    defer { unlink(temporary) }
    let line = Array((Base64URL.encode(RandomBytes.make(32)) + "\n").utf8)
    let written = write(descriptor, line, line.count) == line.count && fsync(descriptor) == 0
    let code = errno
    close(descriptor)
    guard written else { throw .inaccessible(temporary, errno: code) }
    guard link(temporary, path) == 0 || errno == EEXIST else { throw .inaccessible(path, errno: errno) }
    syncDirectory(of: path)
  }

  static func read(_ path: String) throws(StoreError) -> SigningKey {
    let contents = try contents(of: path)
    if PrivateKeyPEM.isPEM(contents) {
      do throws(PrivateKeyFailure) { return SigningKey(try PrivateKeyPEM.read(contents)) } catch {
        throw .unusable(path: path, reason: error.rawValue)
      }
    }
    let line = contents.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    let unpadded = line.prefix { $0 != UInt8(ascii: "=") }
    guard let key = Base64URL.decode(unpadded).flatMap(SigningKey.init(bytes:)) else {
      throw .unusable(
        path: path,
        reason: "it holds no key: base64url of 32 bytes or more, or a private key in PEM, is expected")
    }
    return key
  }

  private static func contents(of path: String) throws(StoreError) -> ArraySlice<UInt8> {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .inaccessible(path, errno: errno) }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: longest + 1)
    var count = 0
    // A pipe gives what it has, not all that was asked for.
    while count < buffer.count {
      let got = buffer[count...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      guard got >= 0 else { throw .inaccessible(path, errno: errno) }
      if got == 0 { return buffer[..<count] }
      count += got
    }
    throw .unusable(path: path, reason: "it is longer than any key")
  }

  /// A file's name is on disk when its directory is.
  private static func syncDirectory(of path: String) {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
