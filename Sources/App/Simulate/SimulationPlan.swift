/// What `wattloop simulate` is to do.
public struct SimulationPlan: Sendable {
  public enum Credentials: Sendable {
    case password(username: String, password: String)
    /// An access token, which nobody can renew.
    case token(String)
  }

  public enum Meters: Sendable {
    /// So many simulated devices.
    case devices(Int)
    /// A file with the columns that `POST /measurements` takes.
    case file(String)
  }

  public static let deviceRange = 1...100_000
  public static let rateRange = 0.001...1_000_000
  public static let secondRange = 1...366 * 86_400
  /// A request is one transaction of the server's up to here, so its answer is stored with all of its readings.
  public static let batchRange = 1...1000
  public static let connectionRange = 1...256

  public let server: ServerAddress
  public let credentials: Credentials
  public let meters: Meters
  /// Readings a second over all devices; nil for a file that is sent as fast as it is answered.
  public let rate: Double?
  /// nil: until it is stopped.
  public let seconds: Int?
  /// Readings a request, at most.
  public let batch: Int
  public let connections: Int

  /// - Throws: `usage` for what is out of range, or does not go together.
  public init(
    server: ServerAddress, credentials: Credentials, meters: Meters, rate: Double?, seconds: Int?, batch: Int,
    connections: Int
  ) throws(ExitFailure) {
    self.server = server
    self.credentials = credentials
    self.meters = meters
    self.rate = rate
    self.seconds = seconds
    self.batch = batch
    self.connections = connections
    if let rate { try Self.check(rate, Self.rateRange, "--rate") }
    if let seconds { try Self.check(seconds, Self.secondRange, "--seconds") }
    try Self.check(batch, Self.batchRange, "--batch")
    try Self.check(connections, Self.connectionRange, "--connections")
    switch meters {
    case .devices(let count):
      try Self.check(count, Self.deviceRange, "--devices")
      guard let rate else { throw .usage("--devices needs --rate") }
      // A reading lasts at least a millisecond: times have no finer unit.
      if rate > Double(count) * 1000 { throw .usage("--rate: at most 1000 readings a second a device") }
    case .file:
      if seconds != nil { throw .usage("--seconds goes with --devices") }
    }
  }

  private static func check<Value>(
    _ value: Value, _ range: ClosedRange<Value>, _ flag: String
  ) throws(ExitFailure) {
    guard range.contains(value) else {
      throw .usage("\(flag): must be from \(range.lowerBound) to \(range.upperBound)")
    }
  }
}
