import Foundation

/// A conversation to be made, checked as far as that goes without the store.
struct NewConversation: Sendable, Equatable {
  let kind: Conversation.Kind
  let title: String?
  /// Ascending, each once, its maker among them.
  let members: [Int64]

  struct Body: Decodable {
    let kind: String?
    let title: String?
    let memberIDs: [String]?

    enum CodingKeys: String, CodingKey {
      case kind, title
      case memberIDs = "member_ids"
    }
  }

  static let maximumMembers = 100_000
  private static let titleRule = "must be 1 to 200 characters, without control characters"

  /// - Throws: `validation` with every field that is wrong.
  init(_ body: Body, madeBy user: Int64) throws(Problem) {
    var errors: [Problem.FieldError] = []
    var others: Set<Int64> = []
    for (index, text) in (body.memberIDs ?? []).enumerated() {
      if let id = EntityID.user.parse(text) {
        others.insert(id)
      } else {
        errors.append(.init("/member_ids/\(index)", Self.unknownMember))
      }
    }
    others.remove(user)
    let kind = body.kind.flatMap(Conversation.Kind.init)
    switch kind {
    case .direct where errors.isEmpty && others.count != 1:
      errors.append(.init("/member_ids", "must name one other user"))
    case .group where errors.isEmpty && body.memberIDs == nil:
      errors.append(.init("/member_ids", "is missing"))
    case .support, nil: errors.append(.init("/kind", "must be 'direct' or 'group'"))
    case .direct, .group: break
    }
    if others.count >= Self.maximumMembers {
      errors.append(.init("/member_ids", "must name fewer than \(Self.maximumMembers) users"))
    }
    title = kind == .group ? body.title?.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    if let title, !Self.isTitle(title) { errors.append(.init("/title", Self.titleRule)) }
    if !errors.isEmpty { throw .validation(errors) }
    self.kind = kind ?? .group
    members = (others.union([user])).sorted()
  }

  /// What a patch says of a title.
  static func checkedTitle(_ change: FieldChange<String>) throws(Problem) -> FieldChange<String> {
    guard case .set(let text) = change else { return change }
    let title = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard isTitle(title) else { throw .validation("/title", titleRule) }
    return .set(title)
  }

  static let unknownMember = "names no user"

  private static func isTitle(_ title: String) -> Bool {
    (1...200).contains(title.unicodeScalars.count)
      && !title.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }
}
