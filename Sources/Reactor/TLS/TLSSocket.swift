import COpenSSL
import Glibc

/// OpenSSL's way to the sockets: one BIO for all sessions of the loop, pointed at a connection's descriptor before each call
/// into its session. A BIO of its own would cost every idle connection some 200 bytes.
final class TLSSocket {
  private var fd: Int32 = -1
  private let method: OpaquePointer
  private let bio: OpaquePointer

  init() {
    method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket")
    bio = BIO_new(method)
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    BIO_meth_set_read(method) { bio, bytes, count in
      TLSSocket.of(bio).read(UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      TLSSocket.of(bio).write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
  }

  deinit {
    BIO_free(bio)
    BIO_meth_free(method)
  }

  private static func of(_ bio: OpaquePointer?) -> TLSSocket {
    Unmanaged<TLSSocket>.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
  }

  /// Lets a session read and write through this.
  func attach(_ session: OpaquePointer) {
    BIO_up_ref(bio)
    SSL_set_bio(session, bio, bio)
  }

  func point(at fd: Int32) { self.fd = fd }

  private func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int32 {
    openssl_clear_retry(bio)
    switch SocketIO.read(fd, into: buffer) {
    case .bytes(let count): return Int32(count)
    case .wouldBlock:
      openssl_retry_read(bio)
      return -1
    case .ended: return 0
    case .failed: return -1
    }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    openssl_clear_retry(bio)
    switch SocketIO.write(fd, bytes) {
    case .bytes(let count): return Int32(count)
    case .wouldBlock:
      openssl_retry_write(bio)
      return -1
    case .ended, .failed: return -1
    }
  }
}
