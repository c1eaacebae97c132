import Testing

@testable import App

@Suite struct `An idempotency key` {
  @Test func `is used for a day, and for no longer`() throws {
    let fixture = try EnergyFixture()
    let start: Int64 = 1_000_000_000_000
    let key = IdempotencyKey(caller: 1, key: "k", digest: "d")
    _ = try fixture.store.write {
      try IdempotencyKey.once(key, now: Timestamp(milliseconds: start), in: $0) { StoredAnswer(.ok) }
    }
    // An upload passes its body over when the key is used: what has run out must not be taken for that.
    for (age, isUsed) in [(0, true), (86_400_000, true), (86_400_001, false)] as [(Int64, Bool)] {
      let now = Timestamp(milliseconds: start + age)
      #expect(try fixture.store.read { try IdempotencyKey.isUsed("k", by: 1, now: now, $0) } == isUsed)
    }
  }
}
