/// The direct conversations of a load: users 0 and 1 have one, 2 and 3, and so on.
enum Conversations {
  /// Creates what is not there yet; returns one id for each pair.
  static func create(_ accounts: [Account], through http: BlockingHTTP) throws -> [String] {
    try stride(from: 0, to: accounts.count - 1, by: 2).map { first in
      let answer = try http.post(
        "/api/v1/conversations", token: accounts[first].token,
        json: #"{"kind":"direct","member_ids":["\#(accounts[first + 1].id)"]}"#)
      return try id(in: answer)
    }
  }

  /// The conversation's own id is the object's first field of that name.
  private static func id(in answer: String) throws -> String {
    let parts = answer.split(separator: #""id":""#, maxSplits: 1)
    guard parts.count == 2 else { throw Failure("a conversation without an id") }
    return String(parts[1].prefix { $0 != "\"" })
  }
}
