import GRDB
import Reactor
import Testing

@testable import App

@Suite struct `The wait for the writer` {
  private func times(_ opened: UInt64, _ began: UInt64, _ committed: UInt64) -> WriterTimes {
    WriterTimes(opened: opened, began: began, committed: committed)
  }

  @Test func `is from when the job was there, or its request, to the disk`() {
    let times = times(1_000_000, 3_000_000, 10_000_000)
    #expect(WriterWait(times).field.value == "queue;dur=2.000, commit;dur=7.000")
    #expect(WriterWait(times, from: 2_500_000).field.value == "queue;dur=0.500, commit;dur=7.000")
    // A batch that a request came to later than its transaction began is none of its own.
    #expect(WriterWait(times, from: 4_000_000).queue == 0)
  }

  private func answer(_ fields: [(String, String)], changes: Int) async throws -> Response {
    let directory = try TemporaryDirectory()
    let store = try Store(directory: directory.path, for: .command)
    let writer = Writer(store: store, committed: { _ in }, announced: { _ in })
    let response = await WriterWaits.told(with: TestRequest.make(fields: fields)) {
      for _ in 0..<changes { try? await writer.write { try $0.execute(sql: "SELECT 1") } }
      return Response(.ok)
    }
    writer.close()
    try store.close()
    return response
  }

  @Test(arguments: [0: 0, 1: 1, 3: 1])
  func `is told once, if there was any`(_ changes: Int, _ told: Int) async throws {
    let response = try await answer([("prefer", "server-timing")], changes: changes)
    #expect(response.fields.count { $0.name == "server-timing" } == told)
  }

  @Test func `is not told to who does not ask`() async throws {
    #expect(try await answer([], changes: 1).fields.isEmpty)
  }
}
