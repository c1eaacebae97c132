/// What the bodies that wait for their rest may hold together. It belongs to the loop.
///
/// A limit for each body is none for the server, which has many connections. Each body has its first bytes for nothing: while
/// large ones fill the budget, small ones still come through.
public final class BodyBudget {
  private static let free = 64 * 1024

  private let limit: Int
  private var used = 0

  init(limit: Int) { self.limit = limit }

  /// A body of so many bytes grows; false if there is no room.
  public func grow(_ body: Int, by count: Int) -> Bool {
    let more = counted(body + count) - counted(body)
    guard used + more <= limit else { return false }
    used += more
    return true
  }

  /// A body of so many bytes is not held any more.
  public func release(_ body: Int) { used -= counted(body) }

  private func counted(_ body: Int) -> Int { max(0, body - Self.free) }
}
