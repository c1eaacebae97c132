import Reactor

/// `GET /devices/{id}`, on the loop: from memory, and for a device that is not there through a reader, which fills it.
///
/// A change of a device empties its place before whoever made the change hears of it, so from then on everybody sees the
/// device as it is after the change. Devices are changed by the server alone, never by a command beside it.
final class DeviceView {
  private let store: Store
  private let readers: WorkerQueue
  private let mailbox: Mailbox
  private var cache = DeviceCache()
  private let notFound = Problem.notFound.response

  init(store: Store, readers: WorkerQueue, mailbox: Mailbox) {
    self.store = store
    self.readers = readers
    self.mailbox = mailbox
  }

  /// The device was made, changed or deleted.
  func forget(_ id: Int64) { cache.forget(id) }

  func get(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    guard let caller = request.context as? Caller else { return Problem(.unauthorized).response }
    guard let id = request.parameters.first.flatMap(EntityID.device.parse) else { return notFound }
    let condition = request.value(of: "if-none-match")
    if let device = cache.find(id) { return answer(device, to: caller, condition) }
    return read(id, for: caller, condition, responder) ? nil : Problem.busy.response
  }

  private func answer(_ device: CachedDevice?, to caller: Caller, _ condition: String?) -> Response {
    guard let device, device.isVisible(to: caller) else { return notFound }
    return device.response(condition)
  }

  /// False if the reader's queue is full.
  private func read(_ id: Int64, for caller: Caller, _ condition: String?, _ responder: Responder) -> Bool {
    let generation = cache.generation(of: id)
    let view = LoopBound(self)
    return readers.submit { [store, mailbox] in
      let found = Result { try store.read { try CachedDevice.find(id, in: $0) } }
      mailbox.post {
        responder.answer(view.value.take(found, askedAt: generation, for: caller, condition))
      }
    }
  }

  private func take(
    _ found: Result<CachedDevice?, any Error>, askedAt generation: UInt32, for caller: Caller,
    _ condition: String?
  ) -> Response {
    Answer.from {
      let device = try found.get()
      if let device { cache.keep(device, askedAt: generation) }
      return answer(device, to: caller, condition)
    }
  }
}
