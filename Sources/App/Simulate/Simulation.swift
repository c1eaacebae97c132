import Glibc
import Reactor

/// `wattloop simulate`: plays smart meters against a running server, through its public API alone.
public final class Simulation {
  private let plan: SimulationPlan
  private let loop: EventLoop
  private let api: SimulationAPI
  private let file: CSVFile?
  private var devices: SimulatedDevices?
  private var feed: ReadingFeed?
  private var tally = SimulationTally()
  /// Why the run ends early.
  private var failure: ExitFailure?
  private var isStopping = false
  private let progress: ((String) -> Void)?
  private var sentBefore = 0
  private lazy var timer = LoopTimer { [unowned self] in showProgress() }

  private static let second: UInt64 = 1000

  /// Runs to the end, or until SIGINT or SIGTERM: then what is in flight is awaited. A second signal ends that, too.
  /// - Parameter progress: is given a line once a second.
  /// - Throws: `ExitFailure` if nothing could be sent at all.
  public static func run(
    _ plan: SimulationPlan, progress: ((String) -> Void)? = nil
  ) throws -> SimulationReport {
    let loop = try EventLoop()
    let simulation = try Simulation(plan, loop, progress)
    let signals = try SignalSource { [unowned simulation] _ in simulation.stop() }
    try signals.start(on: loop)
    if progress != nil {
      try loop.add(simulation.timer)
      loop.setTimer(of: simulation.timer, at: loop.now + second)
    }
    let bound = LoopBound(simulation)
    Task(executorPreference: loop.executor) {
      await bound.value.play()
      bound.value.loop.stop()
    }
    loop.run()
    return try simulation.report()
  }

  private init(_ plan: SimulationPlan, _ loop: EventLoop, _ progress: ((String) -> Void)?) throws(ExitFailure)
  {
    self.plan = plan
    self.loop = loop
    self.progress = progress
    let client = PatientClient(loop: loop, server: plan.server, connections: plan.connections)
    api = SimulationAPI(client: client, credentials: plan.credentials)
    file = if case .file(let path) = plan.meters { try CSVFile(path: path) } else { nil }
  }

  private func play() async {
    do throws(ExitFailure) {
      try await api.logIn()
    } catch {
      return fail(error)
    }
    switch plan.meters {
    case .devices(let count): await playDevices(count)
    case .file: await playFile()
    }
  }

  private func playDevices(_ count: Int) async {
    let devices = SimulatedDevices(api: api, count: count)
    self.devices = devices
    devices.isStopping = isStopping
    do throws(ExitFailure) {
      try await devices.find()
    } catch {
      return fail(error)
    }
    await severally(plan.connections) { simulation in
      do throws(ExitFailure) { try await devices.make() } catch { simulation.fail(error) }
    }
    guard let rate = plan.rate, !isStopping else { return }
    let schedule = ReadingSchedule(rate: rate)
    let readings = SimulatedReadings(devices: devices.all, schedule: schedule, start: .now())
    feed = ReadingFeed(.devices(readings), schedule: schedule, plan, loop: loop)
    await severally(plan.connections) { await $0.send() }
  }

  /// One request at a time: a correction must not pass the reading that it corrects.
  private func playFile() async {
    guard let file, !isStopping else { return }
    feed = ReadingFeed(.file(file), schedule: plan.rate.map(ReadingSchedule.init), plan, loop: loop)
    await send()
  }

  /// Runs the same task so many times at once, all on the loop.
  private func severally(_ count: Int, _ task: @escaping (Simulation) async -> Void) async {
    let bound = LoopBound((self, task))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<count {
        group.addTask { await bound.value.1(bound.value.0) }
      }
    }
  }

  private func send() async {
    do throws(ExitFailure) {
      while let upload = try await feed?.next() { try await send(upload) }
      noteTooLong()
    } catch {
      fail(error)
    }
  }

  private func send(_ upload: ReadingUpload) async throws(ExitFailure) {
    noteTooLong()
    tally.send(upload)
    let start = ContinuousClock.now
    let answer: SimulationTally.Answer = try await api.send(
      .post, "/measurements", type: "text/csv", body: upload.body, name: upload.name)
    guard answer.isAbout(upload.count) else {
      throw .faults("\(upload.name): the server's answer is about another number of readings")
    }
    let time = (ContinuousClock.now - start) / .microseconds(1)
    tally.add(answer, to: upload, microseconds: UInt64(max(0, time)))
  }

  private func noteTooLong() {
    for line in feed?.takeTooLong() ?? [] { tally.addTooLong(line: line) }
  }

  // MARK: The end

  private func fail(_ error: ExitFailure) {
    if failure == nil { failure = error }
    end()
  }

  private func stop() {
    if isStopping { return api.client.abandon() }
    end()
  }

  private func end() {
    isStopping = true
    devices?.isStopping = true
    feed?.stop()
  }

  private func report() throws(ExitFailure) -> SimulationReport {
    guard let feed else { throw failure ?? .faults("stopped before anything was sent") }
    return SimulationReport(
      tally: tally, repeats: api.client.repeats, milliseconds: feed.elapsed, lag: feed.lag,
      failure: failure, leavesRest: feed.leavesRest)
  }

  // MARK: Progress

  private func showProgress() {
    loop.setTimer(of: timer, at: loop.now + Self.second)
    if let feed {
      let rate = tally.sent - sentBefore
      sentBefore = tally.sent
      progress?(SimulationReport.progress(tally, rate: rate, lag: feed.lag))
    } else if let devices {
      progress?("\(devices.found) of \(devices.count) devices")
    }
  }
}
