import GRDB
import Logging
import Reactor

/// The demo's live meters: a reading of each every ten seconds, sent to the writer as any other.
final class MeterFeed {
  private static let interval: UInt64 = 10_000

  private let loop: EventLoop
  private let writer: Writer
  private lazy var timer = LoopTimer { [unowned self] in beat() }

  init(loop: EventLoop, writer: Writer) {
    self.loop = loop
    self.writer = writer
  }

  func start() throws {
    try loop.add(timer)
    loop.setTimer(of: timer, at: loop.now + Self.interval)
  }

  private func beat() {
    loop.setTimer(of: timer, at: loop.now + Self.interval)
    let isTaken = writer.submit { transaction in
      try Self.measure(Timestamp.now(), transaction)
    } finished: { error in
      if let error { Logger(label: "wattloop.demo").warning("no readings", metadata: ["error": "\(error)"]) }
    }
    if !isTaken { Logger(label: "wattloop.demo").warning("no readings: the writer is busy") }
  }

  /// Goes on from the last reading that each meter has stored.
  private static func measure(_ now: Timestamp, _ transaction: Transaction) throws {
    var incoming: [IncomingReading] = []
    for meter in DemoMeter.all {
      guard let device = try device(of: meter, transaction) else { continue }
      let last = try ReadingStore.last(of: device.meters[0].id, transaction.db)
      guard (last?.end ?? 0) < now.milliseconds else { continue }
      let reading = meter.reading(at: now.milliseconds, after: last)
      incoming.append(IncomingReading(index: 0, device: device.id, metric: nil, reading: reading))
    }
    _ = try ReadingIntake.run(incoming, onlyFor: nil, in: transaction, now: now)
  }

  /// nil if somebody has deleted it, or given it other metrics.
  private static func device(of meter: DemoMeter, _ transaction: Transaction) throws -> MeteredDevice? {
    let id = try Int64.fetchOne(
      transaction.db, sql: "SELECT id FROM devices WHERE name = ? AND deleted_at IS NULL ORDER BY id",
      arguments: [meter.name])
    guard let id, let device = try transaction.devices.device(id, transaction.db),
      device.meters.first?.name == meter.metric.name, device.meters.first?.kind == meter.metric.kind
    else { return nil }
    return device
  }
}
