import GRDB
import Testing

@testable import App

@Suite struct `A power cut` {
  /// At every write, sync and truncation from the first start on.
  @Test(arguments: DiskImage.Fate.allCases, [UInt64(1)])
  func `takes back nothing that was acknowledged`(_ fate: DiskImage.Fate, _ seed: UInt64) throws {
    let life = try RecordedLife(seed: seed)
    let sweep = try life.cut(fate: fate)
    #expect(sweep.complaints == [], "seed \(seed), \(fate)")
    #expect(sweep.cuts > 500)
  }

  /// The sweep finds what it is there to find.
  @Test func `would take back messages if commits did not wait for the disk`() throws {
    let life = try RecordedLife(seed: 1, synchronous: "NORMAL")
    let sweep = try life.cut(fate: .dropped, mostComplaints: 3)
    #expect(sweep.complaints.contains { $0.contains("is there 0 times") }, "\(sweep.complaints)")
  }
}
