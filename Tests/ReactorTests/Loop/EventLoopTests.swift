import Glibc
import Testing

@testable import Reactor

@Suite struct `The event loop` {
  fileprivate final class Recorder: EventSource {
    var fired = 0
    var resumed = 0
    var whenFired: (() -> Void)?
    override func timerFired() {
      fired += 1
      whenFired?()
    }
    override func resume() { resumed += 1 }
  }

  /// Ticks until the condition holds; the bound turns a hang into a failure.
  private func tick(_ loop: EventLoop, until condition: () -> Bool) {
    for _ in 0..<2000 where !condition() { loop.tick(limit: 5) }
  }

  @Test func `fires a timer not before its time`() throws {
    let loop = try EventLoop()
    let source = Recorder()
    try loop.add(source)
    let time = loop.now + 40
    loop.setTimer(of: source, at: time)
    tick(loop) { source.fired > 0 }
    #expect(source.fired == 1 && loop.now >= time)
  }

  @Test func `drops the timer of a source that has been retired, though its slot is used again`() throws {
    let loop = try EventLoop()
    let old = Recorder()
    try loop.add(old)
    let oldID = old.id
    loop.setTimer(of: old, at: loop.now + 20)
    loop.retire(old)
    let new = Recorder()
    try loop.add(new)
    #expect(new.id.slot == oldID.slot && new.id != oldID)
    #expect(loop.source(oldID) == nil && loop.source(new.id) === new)
    for _ in 0..<10 { loop.tick(limit: 5) }
    #expect(old.fired == 0 && new.fired == 0)
  }

  @Test func `lets a source retire itself in its own handler`() throws {
    let loop = try EventLoop()
    let source = Recorder()
    source.whenFired = { [unowned source] in loop.retire(source) }
    try loop.add(source)
    let count = loop.sourceCount
    loop.setTimer(of: source, at: loop.now)
    tick(loop) { source.fired > 0 }
    #expect(loop.sourceCount == count - 1 && loop.source(source.id) == nil)
  }

  @Test func `goes on with an unfinished source in the next tick, once`() throws {
    let loop = try EventLoop()
    let source = Recorder()
    try loop.add(source)
    loop.again(source)
    // Without a limit: a tick with unfinished work must not sleep.
    loop.tick()
    loop.tick(limit: 0)
    #expect(source.resumed == 1)
  }

  @Test func `runs the steps at a tick's end in their order, what goes first before`() throws {
    let loop = try EventLoop()
    var steps: [Int] = []
    loop.atEndOfTick { steps.append(1) }
    loop.atEndOfTick { steps.append(2) }
    loop.firstAtEndOfTick { steps.append(0) }
    for _ in 0..<2 { loop.tick(limit: 0) }
    #expect(steps == [0, 1, 2, 0, 1, 2])
  }

  @Test func `reads its clock when a tick begins`() throws {
    var time: UInt64 = 5_999_999
    let loop = try EventLoop { time }
    #expect(loop.now == 5 && loop.tickStart == 5_999_999)
    time = 7_000_001
    #expect(loop.now == 5 && loop.tickStart == 5_999_999 && loop.nanoseconds() == time)
    loop.tick(limit: 0)
    #expect(loop.now == 7 && loop.tickStart == time)
  }

  @Test func `opens letters of other threads in the order of their posts`() throws {
    let loop = try EventLoop()
    let queue = WorkerQueue(name: "poster")
    let received = LoopBound(Recorder.Box())
    let mailbox = loop.mailbox
    for number in 0..<1000 {
      #expect(queue.submit { mailbox.post { received.value.numbers.append(number) } })
    }
    tick(loop) { received.value.numbers.count == 1000 }
    #expect(received.value.numbers == Array(0..<1000))
    queue.close()
  }

  /// With a serial executor alone, what follows an `await` would run in Swift's pool: a data race that no compiler sees.
  @Test func `runs tasks on its own thread after every kind of await`() throws {
    let loop = try EventLoop()
    let queue = WorkerQueue(name: "other")
    let home = LoopBound(Recorder.Box())
    Task(executorPreference: loop.executor) {
      home.value.numbers.append(0)
      await Task.yield()
      home.value.numbers.append(1)
      _ = try await queue.run { 1 }
      home.value.numbers.append(2)
      try await Task.sleep(nanoseconds: 1_000_000)
      home.value.numbers.append(3)
      await withCheckedContinuation { continuation in _ = queue.submit { continuation.resume() } }
      home.value.numbers.append(4)
    }
    // `LoopBound.value` traps on any other thread.
    tick(loop) { home.value.numbers.count == 5 }
    #expect(home.value.numbers == Array(0..<5))
    queue.close()
  }
}

extension `The event loop`.Recorder {
  fileprivate final class Box { var numbers: [Int] = [] }
}
