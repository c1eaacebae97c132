import Glibc
import Synchronization
import Testing

@testable import Reactor

@Suite("Mailbox")
struct MailboxTests {
  private final class Counts: Sendable {
    let taken = Atomic(0)
    let lingering = Atomic(0)
  }

  /// A wake-up that stays behind keeps epoll from sleeping: the loop would turn as fast as it can until the next post.
  @Test func aPostThatIsTakenLeavesNoWakeUpBehind() throws {
    let mailbox = try Mailbox()
    let counts = Counts()
    let posts = 5000
    let poster = WorkerQueue(name: "poster")
    let submitted = poster.submit {
      for number in 1...posts {
        mailbox.post { counts.taken.add(1, ordering: .relaxed) }
        while counts.taken.load(ordering: .relaxed) < number {}
        // This post is over and was taken, and there is no other.
        if Self.isReadable(mailbox.eventfd) { counts.lingering.add(1, ordering: .relaxed) }
      }
    }
    #expect(submitted)
    var letters: [Mailbox.Letter] = []
    while counts.taken.load(ordering: .relaxed) < posts {
      mailbox.take(into: &letters)
      for case .call(let call) in letters { call() }
      letters.removeAll(keepingCapacity: true)
    }
    poster.close()
    #expect(counts.lingering.load(ordering: .relaxed) == 0)
  }

  private static func isReadable(_ descriptor: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) == 1
  }
}
