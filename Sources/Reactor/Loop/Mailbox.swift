import CLinux
import Glibc
import Synchronization

/// How other threads reach the loop: they post, and one write to an eventfd wakes it for a whole burst of posts.
public final class Mailbox: Sendable {
  enum Letter: Sendable {
    case call(@Sendable () -> Void)
    case job(UnownedJob)
  }

  private struct State {
    var letters: [Letter] = []
    /// The eventfd can be read: a wake-up that the loop has not yet taken.
    var isWaking = false
  }

  private let state = Mutex(State())
  let eventfd: Int32

  init() throws(SystemError) {
    eventfd = linux_eventfd()
    if eventfd < 0 { throw SystemError("eventfd") }
  }

  deinit { close(eventfd) }

  /// Runs a closure on the loop, in the order of the posts.
  public func post(_ call: @escaping @Sendable () -> Void) { put(.call(call)) }

  func put(_ letter: Letter) {
    state.withLock { state in
      state.letters.append(letter)
      guard !state.isWaking else { return }
      state.isWaking = true
      // Under the lock: the loop could else take the letter before this write. Nobody would take the wake-up then, and epoll
      // would not sleep until the next post.
      wake()
    }
  }

  private func wake() {
    var one: UInt64 = 1
    // It can only fail when the counter is full, and then the loop is being woken already.
    _ = Glibc.write(eventfd, &one, 8)
  }

  /// Drops the posts that wait: for the end of the loop.
  func forgetAll() {
    // Not under the lock: what a letter was the last to keep may post something when it goes.
    let forgotten = state.withLock { state in
      defer { state.letters = [] }
      return state.letters
    }
    withExtendedLifetime(forgotten) {}
  }

  /// Swaps the posts that wait with the (empty) array given.
  func take(into letters: inout [Letter]) {
    state.withLock { state in
      if state.isWaking {
        var count: UInt64 = 0
        _ = Glibc.read(eventfd, &count, 8)
        state.isWaking = false
      }
      swap(&state.letters, &letters)
    }
  }
}
