import Reactor

/// Who is a member where, as far as the loop has to know it: for what is told at once and never stored. Kept up by what the
/// writer brings back, so it is never older than what has been answered.
final class Rooms {
  private static let most = 10_000

  private let store: Store
  private let readers: WorkerQueue
  private let mailbox: Mailbox
  private var lists: [Int64: MemberList] = [:]
  /// Grows when members change: what a reader saw before that is not kept.
  private var changes = 0

  init(store: Store, readers: WorkerQueue, mailbox: Mailbox) {
    self.store = store
    self.readers = readers
    self.mailbox = mailbox
  }

  /// The members at the moment of a commit.
  func keep(_ members: MemberList, of conversation: Int64) {
    if lists[conversation] === members { return }
    if lists.count >= Self.most { lists = [:] }
    lists[conversation] = members
  }

  func forget(_ conversation: Int64) {
    changes += 1
    lists[conversation] = nil
  }

  func known(_ conversation: Int64) -> MemberList? { lists[conversation] }

  /// Gives the members to `body`, now or when a reader has found them; nil if there is no such conversation.
  /// - Returns: false if no reader can be asked now.
  func find(_ conversation: Int64, _ body: @escaping (MemberList?) -> Void) -> Bool {
    if let known = lists[conversation] {
      body(known)
      return true
    }
    let asked = changes
    let home = LoopBound((self, body))
    let store = store
    let mailbox = mailbox
    return readers.submit {
      let found = try? store.read { try ConversationStore.memberList(of: conversation, in: $0) }
      mailbox.post {
        let (rooms, body) = home.value
        rooms.found(found ?? nil, of: conversation, asked: asked, body)
      }
    }
  }

  private func found(
    _ members: MemberList?, of conversation: Int64, asked: Int, _ body: @escaping (MemberList?) -> Void
  ) {
    guard asked == changes else {
      if !find(conversation, body) { body(nil) }
      return
    }
    if let members { keep(members, of: conversation) }
    body(members)
  }
}
