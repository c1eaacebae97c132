import GRDB
import Reactor

/// What `GET` of one object shows, made once and kept.
protocol ShownObject: AnyObject, Sendable {
  var id: Int64 { get }
  /// nil if there is none.
  static func find(_ id: Int64, in db: Database) throws -> Self?
  /// What that caller sees of it; nil if nothing, as if it were not there.
  func answer(for caller: Caller) -> ReadyAnswer?
}

/// `GET` of one object, on the loop: from memory, and for one that is not there through a reader, which fills it.
///
/// A change of an object empties its place before whoever made the change hears of it, so from then on everybody sees it as it
/// is after the change. Such objects are changed by the server alone, never by a command beside it.
final class ObjectView<Object: ShownObject> {
  private let kind: EntityID
  private let store: Store
  private let readers: WorkerQueue
  private let mailbox: Mailbox
  private var cache = ObjectCache<Object>()
  private let notFound = Problem.notFound.response

  init(_ kind: EntityID, store: Store, readers: WorkerQueue, mailbox: Mailbox) {
    self.kind = kind
    self.store = store
    self.readers = readers
    self.mailbox = mailbox
  }

  /// It was made, changed or deleted.
  func forget(_ id: Int64) { cache.forget(id) }

  /// The one that the path names.
  func get(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    guard let id = request.parameters.first.flatMap(kind.parse) else { return notFound }
    return get(id, request, responder)
  }

  func get(_ id: Int64, _ request: borrowing RequestView, _ responder: Responder) -> Response? {
    guard let caller = request.context as? Caller else { return Problem(.unauthorized).response }
    let condition = request.value(of: "if-none-match")
    if let object = cache.find(id) { return answer(object, to: caller, condition) }
    return read(id, for: caller, condition, responder) ? nil : Problem.busy.response
  }

  private func answer(_ object: Object?, to caller: Caller, _ condition: String?) -> Response {
    object?.answer(for: caller)?.response(condition) ?? notFound
  }

  /// False if the reader's queue is full.
  private func read(_ id: Int64, for caller: Caller, _ condition: String?, _ responder: Responder) -> Bool {
    let generation = cache.generation(of: id)
    let view = LoopBound(self)
    return readers.submit { [store, mailbox] in
      let found = Result { try store.read { try Object.find(id, in: $0) } }
      mailbox.post {
        responder.answer(view.value.take(found, askedAt: generation, for: caller, condition))
      }
    }
  }

  private func take(
    _ found: Result<Object?, any Error>, askedAt generation: UInt32, for caller: Caller, _ condition: String?
  ) -> Response {
    Answer.from {
      let object = try found.get()
      if let object { cache.keep(object, askedAt: generation) }
      return answer(object, to: caller, condition)
    }
  }
}
