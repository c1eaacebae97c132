/// What has come of a body that its handler pulls and waits to be pulled: the connection puts it in, `RequestBody` takes it
/// out. It belongs to the loop, and outlives its connection if the handler does.
final class BodyIntake {
  private enum State {
    /// More may come.
    case open
    /// All has come.
    case whole
    case failed(RequestBodyError)
  }

  typealias Pull = Result<[UInt8]?, RequestBodyError>

  /// Short runs are joined up to this: each as an array of its own would weigh many times its bytes.
  private static let pieceBytes = 64 * 1024

  private weak var connection: Connection?
  private let window: Int
  private var state = State.open
  private var pieces: [[UInt8]] = []
  private var puller: CheckedContinuation<Pull, Never>?
  /// The bytes that wait.
  private(set) var count = 0

  init(connection: Connection, window: Int) {
    self.connection = connection
    self.window = window
  }

  var isFull: Bool { count >= window }

  // MARK: The connection's side

  func append(_ bytes: UnsafeRawBufferPointer) {
    guard case .open = state else { return }
    count += bytes.count
    if let last = pieces.indices.last, pieces[last].count + bytes.count <= Self.pieceBytes {
      pieces[last].append(contentsOf: bytes)
    } else {
      pieces.append([UInt8](bytes))
    }
  }

  func end() {
    if case .open = state { state = .whole }
  }

  /// Nothing more will come: what waits is worth nothing without the rest. A whole body stays.
  func fail(_ error: RequestBodyError) {
    guard case .open = state else { return }
    drop(error)
    wake()
  }

  /// Nobody will pull any more.
  func abandon() {
    drop(.incomplete)
    wake()
  }

  /// Gives the handler that waits what there is.
  func wake() {
    guard let waiting = puller, let pull = take() else { return }
    puller = nil
    waiting.resume(returning: pull)
  }

  private func drop(_ error: RequestBodyError) {
    state = .failed(error)
    pieces = []
    count = 0
  }

  // MARK: The handler's side

  func next() async -> Pull {
    if let pull = take() { return pull }
    return await withCheckedContinuation { continuation in
      // On its way here the task may have waited for its turn, and what it needs may have come: nobody would wake it.
      if let pull = take() { return continuation.resume(returning: pull) }
      precondition(puller == nil, "a body is pulled by one task at a time")
      puller = continuation
    }
  }

  /// Nil if there is nothing yet.
  private func take() -> Pull? {
    switch state {
    case .failed(let error): return .failure(error)
    case .whole where pieces.isEmpty: return .success(nil)
    case .open where pieces.isEmpty: return nil
    case .open, .whole:
      let wasFull = isFull
      let piece = pieces.removeFirst()
      count -= piece.count
      if wasFull && !isFull { connection?.bodyHasRoom() }
      return .success(piece)
    }
  }
}
