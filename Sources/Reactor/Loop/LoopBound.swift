import Glibc

/// Carries something that the loop owns through other threads and back. It can be opened on the loop only.
///
/// This is the one door in the wall that the compiler builds around the loop's classes (they are not `Sendable`), so
/// it checks the thread, in release builds too.
public struct LoopBound<Value>: @unchecked Sendable {
  private let boxed: Value
  private let thread: pthread_t

  /// Must be made on the loop's thread.
  public init(_ value: Value) {
    boxed = value
    thread = pthread_self()
  }

  public var isHere: Bool { pthread_equal(thread, pthread_self()) != 0 }

  public var value: Value {
    precondition(isHere, "what the loop owns was opened on another thread")
    return boxed
  }
}
