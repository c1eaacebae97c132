@testable import Reactor

/// Lets a handler go on step by step, as the test says. It lives on the loop's thread, which is the test's.
final class Valve {
  private var permits = 0
  private var waiting: CheckedContinuation<Void, Never>?

  func open(_ steps: Int) {
    permits += steps
    letOneThrough()
  }

  func pass() async {
    await withCheckedContinuation { continuation in
      waiting = continuation
      letOneThrough()
    }
  }

  private func letOneThrough() {
    guard let waiting, permits > 0 else { return }
    permits -= 1
    self.waiting = nil
    waiting.resume()
  }
}
