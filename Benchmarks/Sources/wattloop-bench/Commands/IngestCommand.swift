import ArgumentParser
import Glibc

struct IngestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest",
    abstract: "Minute readings of devices with hourly limits, in batches: readings a second.",
    discussion: """
      Makes the devices, and sends readings from a year ago on, as fast as they are answered. Every reading changes
      buckets, and an hour beyond the limit fires an alert. Fails if not every reading sent was accepted as a new one.
      """)

  enum Shape: String, ExpressibleByArgument, CaseIterable {
    /// A batch has a reading of each device in turn.
    case spread
    /// A batch has readings of one device, minute after minute.
    case one
  }

  @OptionGroup var options: RunOptions
  @Option(help: "How many devices.") var devices = 100
  @Option(help: "Readings in a request.") var batch = 100
  @Option(help: "Whose readings are in a request: of all devices, or of one.") var shape = Shape.spread
  @Option(help: "Connections, each with one request under way.") var connections = 4
  @Option(help: "How long it is measured.") var seconds = 5.0
  @Option(help: "How long it runs before.") var warmup = 0.5

  func validate() throws {
    guard devices > 0, batch > 0, connections > 0, seconds > 0, warmup >= 0 else {
      throw ValidationError("numbers must be positive")
    }
  }

  func run() throws { try Run.perform(options) { [try measure(on: $0)] } }

  private func measure(on run: Run) throws -> Report {
    let api = try APIClient(run.site, token: run.adminToken(), connections: connections)
    run.timeline.begin("making devices")
    let meters = try TestMeters.create(devices, limit: ReadingText.limit, through: api)
    let batches = ReadingBatches(meters.devices, size: batch, shape, now: time(nil))
    var accepted = 0
    let load = ClosedLoop(
      api,
      next: {
        batches.next().map {
          api.request(.post, "/api/v1/measurements", contentType: "application/json", body: $0)
        }
      },
      take: { accepted += try IntakeCounts($0).accepted })
    load.timeline = run.timeline
    run.timeline.begin("measuring", seconds: warmup + seconds)
    load.start(connections)
    try load.run(until: Clock.after(warmup))
    load.resetCounts()
    let before = accepted
    let stopwatch = try Stopwatch(run.site)
    try load.run(until: Clock.after(seconds))
    let time = try stopwatch.read()
    var report = report(load, accepted - before, time.elapsed, time.server)
    try load.stop()
    report.add("alerts", try meters.alertCount(run.site))
    report.add("sent", batches.sent)
    report.add("accepted", accepted)
    report.add("errors", batches.sent - accepted)
    report.require(accepted == batches.sent, "of \(batches.sent) readings \(accepted) were accepted")
    report.require(!batches.isUsedUp, "a year of readings was not enough: name more devices")
    return report
  }

  private func report(_ load: ClosedLoop, _ accepted: Int, _ elapsed: Double, _ cpu: Double?) -> Report {
    var report = Report("ingest \(shape.rawValue)")
    report.add("readings_per_second", Double(accepted) / elapsed, digits: 0)
    report.add("requests_per_second", Double(load.answers) / elapsed, digits: 0)
    report.add("request", load.latency)
    if let cpu { report.add("server_cpu_us_per_reading", cpu / Double(max(1, accepted)), digits: 2) }
    return report
  }
}
