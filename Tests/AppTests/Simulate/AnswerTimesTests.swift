import Testing

@testable import App

@Suite struct `Answer times` {
  @Test func `give percentiles that are at most a thirty-second too long`() {
    var generator = SeededGenerator(seed: 5)
    for top: UInt64 in [10, 100, 5000, 3_000_000, .max / 4] {
      var times = AnswerTimes()
      var all: [UInt64] = []
      for _ in 0..<1000 {
        let time = UInt64.random(in: 0...top, using: &generator)
        times.add(microseconds: time)
        all.append(time)
      }
      all.sort()
      for (share, rank) in [(0, 1), (0.5, 500), (0.99, 990), (1, 1000)] {
        let exact = all[rank - 1]
        let given = times.percentile(share)
        #expect(given >= exact && given - exact <= exact / 32)
      }
      #expect(times.longest == all.last && times.count == 1000)
    }
  }

  @Test func `hold any number`() {
    var times = AnswerTimes()
    #expect(times.percentile(0.5) == 0 && times.longest == 0)
    for shift in 0..<64 { times.add(microseconds: 1 << shift) }
    times.add(microseconds: .max)
    #expect(times.percentile(1) == .max && times.percentile(0) == 1)
  }
}
