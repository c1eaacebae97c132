/// A reading as it came, before anything is known of its device.
struct IncomingReading: Sendable {
  /// Its place among the readings of the request, from 0.
  let index: Int
  let device: Int64
  /// nil: the device's main metric.
  let metric: String?
  let reading: Reading
}

/// Why a reading was not taken.
struct Rejection: Error, Sendable, Equatable {
  let index: Int
  /// A URI reference, as that of a problem.
  let type: String
  let detail: String

  init(_ index: Int, _ kind: ProblemKind, _ detail: String) {
    self.index = index
    type = kind.type
    self.detail = detail
  }
}

/// What became of the readings of a request.
struct IntakeReport: Sendable {
  /// New ones.
  private(set) var accepted = 0
  /// Those that were there already, just so.
  private(set) var duplicates = 0
  /// Those that took the place of another value.
  private(set) var corrected = 0
  /// The first of those that were not taken, by their index.
  private(set) var rejected: [Rejection] = []
  /// How many were not taken in all.
  private(set) var rejectedCount = 0

  /// What an answer names: eight megabytes of empty lines must not make an answer of a hundred.
  private static let named = 1000

  mutating func add(_ change: ReadingStore.Change) {
    switch change {
    case .new: accepted += 1
    case .duplicate: duplicates += 1
    case .corrected: corrected += 1
    }
  }

  mutating func add(_ rejection: Rejection) {
    rejectedCount += 1
    if rejected.count < Self.named { rejected.append(rejection) }
  }

  mutating func add(_ other: IntakeReport) {
    accepted += other.accepted
    duplicates += other.duplicates
    corrected += other.corrected
    for rejection in other.rejected { add(rejection) }
    rejectedCount += other.rejectedCount - other.rejected.count
  }

  /// In the order of the request: what the parser refused and what the store did meet only here.
  mutating func sort() { rejected.sort { $0.index < $1.index } }
}
