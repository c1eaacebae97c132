import Testing

@testable import App

@Suite struct ReadingBatchTests {
  private static let hour: Int64 = 3_600_000

  /// Readings that end an hour apart, each as long as said.
  private func batch(_ spans: [Int64]) -> ReadingBatch {
    var batch = ReadingBatch(device: 1)
    for (index, span) in spans.enumerated() {
      var fields = ReadingFields()
      fields.end = 500 * 86_400_000 + Int64(index) * Self.hour
      fields.start = fields.end.map { $0 - span }
      fields.value = 1
      batch.add(fields)
    }
    return batch
  }

  @Test func `a batch is whole with so many readings, and the rest waits`() {
    var batch = batch(Array(repeating: Self.hour, count: 25))
    #expect(batch.takeBatches(of: 10).map(\.count) == [10, 10])
    #expect(batch.takeBatches(of: 10).isEmpty)
    #expect(batch.takeReadings().map(\.index) == [20, 21, 22, 23, 24])
  }

  @Test func `long spans make small batches`() {
    var batch = batch([longestSpan, Self.hour, longestSpan - Self.hour, longestSpan, Self.hour])
    #expect(batch.takeBatches(of: 10).map { $0.map(\.index) } == [[0], [1, 2], [3]])
    #expect(batch.takeReadings().map(\.index) == [4])
  }
}
