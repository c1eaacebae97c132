import Testing

@testable import Reactor

@Suite struct `The timer wheel` {
  private func id(_ number: Int) -> SourceID { SourceID(slot: UInt32(number), generation: 1) }

  /// Against a dictionary of deadlines: whatever is set, cancelled and skipped over, each timer fires in the first
  /// `expire` at or after its deadline, once, and never before.
  @Test(arguments: 1...20) func `fires each timer once and never early`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var wheel = TimerWheel()
    var model: [Int: (deadline: UInt32, index: Int32)] = [:]
    var now: UInt32 = 0
    var due: [SourceID] = []
    for number in 0..<2000 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        let reach: UInt32 = [3, 70, 5000, 300_000, 40_000_000].randomElement(using: &random)!
        let deadline = now + UInt32.random(in: 0...reach, using: &random)
        model[number] = (max(deadline, now + 1), wheel.set(owner: id(number), deadline: deadline))
      case 5..<7:
        guard let victim = model.keys.sorted().randomElement(using: &random) else { continue }
        wheel.cancel(model.removeValue(forKey: victim)!.index)
      default:
        let jump: UInt32 = [1, 60, 64, 4096, 100_000, 9_000_000].randomElement(using: &random)!
        now += UInt32.random(in: 0...jump, using: &random)
        wheel.expire(at: now, into: &due)
        let expected = model.filter { $0.value.deadline <= now }.map(\.key).sorted()
        #expect(due.map(\.slot).sorted() == expected, "seed \(seed), tick \(now)")
        for number in expected { model[number] = nil }
        due.removeAll()
      }
      #expect(wheel.count == model.count)
    }
  }

  @Test(arguments: [1, 63, 64, 65, 4095, 4096, 262_143, 262_144, 16_777_215, 16_777_216, 100_000_000])
  func `wakes neither late nor for nothing more than it must`(_ deadline: UInt32) {
    var wheel = TimerWheel()
    _ = wheel.set(owner: id(7), deadline: deadline)
    var due: [SourceID] = []
    var wakes = 0
    while due.isEmpty {
      guard let next = wheel.nextDue else { break }
      #expect(next <= deadline)
      wheel.expire(at: next, into: &due)
      wakes += 1
    }
    #expect(due == [id(7)] && wheel.current == deadline)
    // One cascade for each wheel, and for what is beyond the last, one more for each of its turns.
    #expect(wakes <= 4 + Int(deadline >> 24))
    #expect(wheel.nextDue == nil)
  }
}
