/// What has become of a run's readings so far.
struct SimulationTally {
  struct Rejection {
    /// A line of the file, or a device.
    let origin: String
    let detail: String
    /// A URI reference, as that of a problem.
    let type: String
  }

  /// The server's answer to readings.
  struct Answer: Decodable {
    struct Rejected: Decodable {
      let index: Int
      let type: String
      let detail: String
    }
    let accepted: Int
    let duplicates: Int
    let corrected: Int
    let rejected: [Rejected]

    /// Whether it speaks of so many readings, each once.
    func isAbout(_ count: Int) -> Bool {
      let parts = [accepted, duplicates, corrected, rejected.count]
      return parts.allSatisfy { (0...count).contains($0) } && parts.reduce(0, +) == count
    }
  }

  /// Rejections that are named.
  private static let named = 10

  private(set) var sent = 0
  private(set) var accepted = 0
  private(set) var duplicates = 0
  private(set) var corrected = 0
  private(set) var rejected = 0
  private(set) var requests = 0
  private(set) var rejections: [Rejection] = []
  /// From a request's first attempt to its answer.
  private(set) var times = AnswerTimes()

  /// Readings that were sent, and of which nobody knows whether they are stored.
  var unanswered: Int { sent - accepted - duplicates - corrected - rejected }

  mutating func send(_ upload: ReadingUpload) {
    sent += upload.count
    requests += 1
  }

  /// - Parameter answer: is about the upload's readings.
  mutating func add(_ answer: Answer, to upload: ReadingUpload, microseconds: UInt64) {
    times.add(microseconds: microseconds)
    accepted += answer.accepted
    duplicates += answer.duplicates
    corrected += answer.corrected
    rejected += answer.rejected.count
    for one in answer.rejected {
      name(Rejection(origin: upload.origin(of: one.index), detail: one.detail, type: one.type))
    }
  }

  /// A line that was not even sent.
  mutating func addTooLong(line: Int) {
    sent += 1
    rejected += 1
    name(Rejection(origin: "line \(line)", detail: "the line is too long", type: ProblemKind.tooLarge.type))
  }

  private mutating func name(_ rejection: Rejection) {
    if rejections.count < Self.named { rejections.append(rejection) }
  }
}
