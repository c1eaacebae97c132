import Testing

@testable import App
@testable import Reactor

@Suite struct `The hub` {
  /// A hub whose writer is this test: it decides when a batch comes back.
  private final class Fixture {
    let hub: Hub
    /// Nanoseconds.
    final class Clock { var now: UInt64 = 0 }
    let clock = Clock()
    private final class Taken { var batches: [PublishBatch] = [] }

    init(_ change: (inout Hub.Limits) -> Void) throws {
      var limits = Hub.Limits()
      change(&limits)
      let server = Server(loop: try EventLoop { [clock] in clock.now }) { status, _, _ in Response(status) }
      let taken = Taken()
      hub = Hub(server: server, epoch: "e", position: 0, limits: limits) { batch in
        taken.batches.append(batch)
        return true
      }
      self.taken = taken
    }
    private let taken: Taken
    var atWriter: [PublishBatch] { taken.batches }

    /// A tick in which that happens, and which then sends for so long.
    func tick(sending time: UInt64, _ body: () -> Void) {
      hub.server.loop.tick(limit: 0)
      body()
      hub.noticeParsed()
      clock.now += time
      hub.noticeWritten()
      hub.handOver()
    }

    func publish(_ text: String = "x", by sender: Int64 = 1) -> ProblemKind? {
      let socket = WebSocketID(SourceID(slot: 9, generation: 9))
      return hub.publish(sender: sender) { batch in
        let range = Array(text.utf8).withUnsafeBytes(batch.append)
        return PublishBatch.Entry(
          origin: .socket(socket, id: range), sender: sender, conversation: 1, key: range, text: range,
          replyTo: 0)
      }?.kind
    }
  }

  @Test func `has one batch with the writer, and gathers the next meanwhile`() throws {
    let fixture = try Fixture { _ in }
    #expect(fixture.publish() == nil)
    fixture.hub.handOver()
    #expect(fixture.publish() == nil && fixture.publish() == nil)
    fixture.hub.handOver()
    #expect(fixture.atWriter.map(\.entries.count) == [1], "the second waits for the first")
    fixture.hub.didCommit(fixture.atWriter[0])
    fixture.hub.handOver()
    #expect(fixture.atWriter.count == 2 && fixture.atWriter[1].entries.count == 2)
  }

  @Test(arguments: [(3, Int.max), (Int.max, 90)])
  func `says busy when as much waits as may, and takes more when the writer is through`(
    _ count: Int, _ bytes: Int
  )
    throws
  {
    let fixture = try Fixture {
      $0.waitingMessages = count
      $0.waitingBytes = bytes
    }
    fixture.hub.handOver()
    let text = String(repeating: "x", count: 30)
    #expect(fixture.publish(text) == nil)
    fixture.hub.handOver()
    for _ in 0..<3 { #expect(fixture.publish(text) == nil) }
    #expect(fixture.publish(text) == .busy)
    fixture.hub.didCommit(fixture.atWriter[0])
    fixture.hub.handOver()
    #expect(fixture.publish(text) == nil)
  }

  @Test func `times the parsing of each tick, and the sending of each batch`() throws {
    let fixture = try Fixture { _ in }
    let (hub, clock) = (fixture.hub, fixture.clock)
    func publish() {
      clock.now += 10
      #expect(fixture.publish() == nil)
    }
    fixture.tick(sending: 1000) {}
    #expect(hub.metrics.parse.counts == LatencyHistogram().counts, "nothing has come")
    fixture.tick(sending: 1000) {
      publish()
      publish()
    }
    #expect(hub.metrics.parse.sum == 20 && fixture.atWriter[0].times.opened == clock.now - 1000)
    fixture.atWriter[0].times.began = clock.now + 400
    fixture.atWriter[0].times.committed = clock.now + 500
    clock.now += 600
    let opened = clock.now + 10
    fixture.tick(sending: 1000) {
      publish()
      // What the tick has read was parsed when the batch came back.
      hub.didCommit(fixture.atWriter[0])
      clock.now += 5
    }
    #expect(hub.metrics.parse.sum == 20 + 10)
    #expect(fixture.atWriter[1].times.opened == opened)
    #expect(hub.metrics.queue.sum == 1400 && hub.metrics.commit.sum == 100 && hub.metrics.wake.sum == 110)
    #expect(hub.metrics.fanout.sum == 0 && hub.metrics.write.sum == 5 + 1000)
    fixture.tick(sending: 1000) { publish() }
    #expect(hub.metrics.parse.sum == 20 + 10 + 10)
    #expect(fixture.atWriter[1].times.opened == opened, "it waits since its first tick")
    #expect(hub.metrics.write.counts.reduce(0, +) == 1)
  }

  @Test func `answers busy while it drains, and is drained when all that it took is answered`() throws {
    let fixture = try Fixture { _ in }
    #expect(fixture.publish() == nil)
    fixture.hub.handOver()
    #expect(fixture.publish() == nil)
    var isDrained = false
    fixture.hub.drain { isDrained = true }
    #expect(fixture.publish() == .busy)
    fixture.hub.didCommit(fixture.atWriter[0])
    #expect(!isDrained)
    fixture.hub.handOver()
    fixture.hub.didCommit(fixture.atWriter[1])
    #expect(isDrained)
  }
}
