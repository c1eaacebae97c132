/// Fills a device with readings, as NDJSON.
struct ReadingHistory {
  /// Readings in a request: less than the server's limit of 8 MiB, and more than its transactions take.
  private static let batch = 50_000

  private let api: APIClient
  private let start: Int

  /// - Parameter start: Unix seconds.
  init(_ api: APIClient, start: Int) {
    self.api = api
    self.start = start
  }

  /// Sends so many readings from the start on, and returns when all are accepted.
  func send(_ count: Int, every step: Int, to device: String) throws {
    var sent = 0
    var accepted = 0
    let load = ClosedLoop(
      api,
      next: {
        guard sent < count else { return nil }
        var text = ReadingText()
        for number in sent..<min(sent + Self.batch, count) {
          text.addObject(device: nil, number: 0, at: start + (number + 1) * step)
          text.raw("\n")
        }
        sent = min(sent + Self.batch, count)
        return api.request(
          .post, "/api/v1/devices/\(device)/measurements", contentType: "application/x-ndjson",
          body: text.bytes)
      },
      take: { accepted += try IntakeCounts($0).accepted })
    load.start(1)
    try load.run()
    if accepted != count { throw Failure("of \(count) readings \(accepted) were accepted") }
  }
}
