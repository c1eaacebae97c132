import Reactor

/// What tasks on the loop wait for; all of it can be ended at once.
final class Pauses {
  private final class Pause: EventSource {
    let continuation: CheckedContinuation<Void, Never>
    private unowned let pauses: Pauses

    init(_ continuation: CheckedContinuation<Void, Never>, _ pauses: Pauses) {
      self.continuation = continuation
      self.pauses = pauses
    }

    override func timerFired() { pauses.end(self) }
  }

  private let loop: EventLoop
  private var waiting: [ObjectIdentifier: Pause] = [:]
  private(set) var areOver = false

  init(loop: EventLoop) { self.loop = loop }

  /// Returns then, or when all pauses are ended.
  func wait(milliseconds: UInt64) async {
    if areOver { return }
    await withCheckedContinuation { continuation in
      let pause = Pause(continuation, self)
      do throws(SystemError) {
        try loop.add(pause)
      } catch {
        return continuation.resume()
      }
      waiting[ObjectIdentifier(pause)] = pause
      loop.setTimer(of: pause, at: loop.now + milliseconds)
    }
  }

  /// No wait is one from now on.
  func endAll() {
    areOver = true
    for pause in Array(waiting.values) { end(pause) }
  }

  private func end(_ pause: Pause) {
    waiting[ObjectIdentifier(pause)] = nil
    loop.retire(pause)
    pause.continuation.resume()
  }
}
