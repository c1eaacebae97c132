import Foundation
import Testing

@testable import App
@testable import Reactor

@Suite struct `A simulated server` {
  private static let lanes = 2

  /// `WATTLOOP_SEED=17` repeats one run, `WATTLOOP_SEEDS=10000` makes so many.
  @Test(arguments: 0..<lanes)
  func `keeps the rules of the protocol, whatever clients, network and disk do`(_ lane: Int) throws {
    let environment = ProcessInfo.processInfo.environment
    if let only = environment["WATTLOOP_SEED"].flatMap(UInt64.init) {
      if lane == 0 { _ = try run(only) }
      return
    }
    let count = environment["WATTLOOP_SEEDS"].flatMap(Int.init) ?? 200
    var tally = World.Tally()
    for seed in stride(from: lane + 1, through: count, by: Self.lanes) {
      guard let result = try run(UInt64(seed)) else { return }
      tally += result
    }
    // All that there is to be survived has happened.
    #expect(tally.messages > 10 * count && tally.resumes > count, "\(tally)")
    #expect(tally.duplicates > 0 && tally.busy > 0 && tally.failures > 0, "\(tally)")
    #expect(tally.crashes > 0 && tally.slow > 0, "\(tally)")
  }

  /// Its parts know each other in circles, and each of them holds descriptors.
  @Test func `is released when it has ended`() throws {
    weak var loop: EventLoop?
    do {
      let server = try SimulatedServer(files: SimulatedServer.settledFiles.get(), clock: .init())
      loop = server.app.loop
      let connection = try server.app.server.serve(SimulatedSocket(capacity: 1000))
      withExtendedLifetime(connection) { server.app.loop.tick(limit: 0) }
      // A letter that nobody opens any more.
      let kept = LoopBound(server.app.server)
      server.app.loop.mailbox.post { _ = kept.value }
    }
    #expect(loop == nil)
  }

  /// nil if a rule was broken.
  private func run(_ seed: UInt64) throws -> World.Tally? {
    let world = try World(seed: seed)
    // Many short lives find more than few long ones, but for what breaks only late.
    try world.run(steps: seed / 2 % 16 == 0 ? 120 : 30)
    #expect(world.complaints == [], "WATTLOOP_SEED=\(seed) repeats it")
    return world.complaints.isEmpty ? world.tally : nil
  }
}
