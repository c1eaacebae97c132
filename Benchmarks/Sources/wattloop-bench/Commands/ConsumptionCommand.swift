import ArgumentParser
import Glibc

struct ConsumptionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consumption", abstract: "Asks devices with long and short histories for their consumption.",
    discussion: """
      Makes a device with --readings minute readings up to the present, and one with --few readings over the same time.
      Asks both in turn, on one connection, for a month of hours and a year of days, each time from another day on.
      """)

  @OptionGroup var options: RunOptions
  @Option(help: "The readings of the device with a long history.") var readings = 1_000_000
  @Option(help: "The readings of the other one.") var few = 1000
  @Option(help: "How often each question is asked.") var requests = 200
  @Option(help: "How often each is asked before.") var warmup = 20

  func validate() throws {
    guard few > 0, readings >= few, requests > 0, warmup >= 0 else {
      throw ValidationError("numbers must be positive, and --few not more than --readings")
    }
    guard readings >= Question.yearOfDays.days * 1440 else {
      throw ValidationError(
        "--readings must be more than a year of minutes, \(Question.yearOfDays.days * 1440)")
    }
  }

  /// A stretch of time, and into what it is divided.
  struct Question {
    let name: String
    let days: Int
    let granularity: String
    let buckets: Int

    static let monthOfHours = Question(name: "month of hours", days: 31, granularity: "hour", buckets: 744)
    static let yearOfDays = Question(name: "year of days", days: 365, granularity: "day", buckets: 365)
  }

  private static let day = 86_400

  func run() throws { try Run.perform(options, measure) }

  private func measure(on run: Run) throws -> [Report] {
    let api = try APIClient(run.site, token: run.adminToken(), connections: 1)
    run.timeline.begin("sending the history")
    var reports: [Report] = []
    let meters = try TestMeters.create(2, limit: nil, through: api)
    let span = readings * ReadingText.minute
    let start = Int(time(nil)) / Self.day * Self.day - span
    let history = ReadingHistory(api, start: start)
    let stopwatch = try Stopwatch(run.site)
    try history.send(readings, every: ReadingText.minute, to: meters.devices[0])
    let elapsed = try stopwatch.read().elapsed
    try history.send(few, every: span / few, to: meters.devices[1])
    var sent = Report("consumption history")
    sent.add("readings_per_second", Double(readings) / elapsed, digits: 0)
    reports.append(sent)

    for question in [Question.monthOfHours, .yearOfDays] {
      // Before the second reading of the few there is next to nothing; and days do not begin where the history does.
      let first = span / few / Self.day + 2
      let last = span / Self.day - question.days
      guard first <= last else { throw Failure("--readings or --few are not enough for a \(question.name)") }
      let loads = meters.devices.map { device in
        ask(question, device, firstDay: { start / Self.day + Int.random(in: first...last) }, api)
      }
      for _ in 0..<warmup { try askAll(loads) }
      for load in loads { load.resetCounts() }
      run.timeline.begin("asking for a \(question.name)")
      let stopwatch = try Stopwatch(run.site)
      for _ in 0..<requests { try askAll(loads) }
      let serverTime = try stopwatch.read().server
      for (load, count) in zip(loads, [readings, few]) {
        var report = Report("consumption \(question.name) of \(count)")
        report.add("request", load.latency)
        // Of both devices: the kernel counts in steps that are longer than a request.
        if let serverTime {
          report.add("server_cpu_us_per_request", serverTime / Double(requests * loads.count))
        }
        reports.append(report)
      }
    }
    return reports
  }

  /// One device after the other.
  private func askAll(_ loads: [ClosedLoop]) throws {
    for load in loads {
      load.start(1)
      try load.stop()
    }
  }

  private func ask(
    _ question: Question, _ device: String, firstDay: @escaping () -> Int, _ api: APIClient
  ) -> ClosedLoop {
    ClosedLoop(
      api,
      next: {
        let first = firstDay() * Self.day
        let from = Self.date(first)
        let to = Self.date(first + question.days * Self.day)
        return api.request(
          .get,
          """
          /api/v1/devices/\(device)/consumption?granularity=\(question.granularity)&from=\(from)&to=\(to)
          """)
      },
      take: { try Self.check($0, question) })
  }

  private static func date(_ seconds: Int) -> String {
    String(decoding: ReadingText.text(seconds).prefix(10), as: UTF8.self)
  }

  /// As many buckets as the stretch has, none of them empty. A month in which the clock is set has an hour more or less.
  private static func check(_ answer: [UInt8], _ question: Question) throws {
    let text = String(decoding: answer, as: UTF8.self)
    let buckets = text.split(separator: "\"value\":").dropFirst()
    guard (question.buckets - 1...question.buckets + 1).contains(buckets.count),
      !buckets.contains(where: { $0.hasPrefix("null") })
    else {
      throw Failure("the answer has not the \(question.buckets) buckets, each with a value")
    }
  }
}
