import Glibc

/// A system call that failed: which one, and its `errno`.
public struct SystemError: Error, CustomStringConvertible, Sendable {
  public let call: String
  public let code: Int32

  /// Takes the current `errno`: build it at once after the call.
  init(_ call: String) {
    self.call = call
    code = errno
  }

  public var reason: String { String(cString: strerror(code)) }
  public var description: String { "\(call): \(reason)" }
}
