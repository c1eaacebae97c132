import Foundation
import Testing

@testable import App

@Suite struct `The buckets, resets and alerts of a meter` {
  /// More seeds, and others, by hand: `ENERGY_SEEDS=5000 ENERGY_FIRST_SEED=1000 swift test -c release --filter …`.
  private static func setting(_ name: String, _ standard: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? standard
  }

  @Test(arguments: MetricKind.allCases)
  func `are those of its final readings, however these came`(_ kind: MetricKind) async throws {
    var fixture = try EnergyFixture()
    let first = Self.setting("ENERGY_FIRST_SEED", 1)
    for seed in first..<first + Self.setting("ENERGY_SEEDS", 100) {
      if seed % 50 == 0 { fixture = try EnergyFixture() }
      var run = try await MeterRun(fixture, seed: seed, kind: kind)
      let fault = try await run.fault()
      #expect(fault == nil, "\(kind), seed \(seed)")
      if fault != nil { break }
    }
  }
}
