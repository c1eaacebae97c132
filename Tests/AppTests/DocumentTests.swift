import CDocuments
import Foundation
import Testing

@testable import App
@testable import Reactor

private struct ParsedDocument {
  private let root: [String: Any]

  init(_ document: Document) throws {
    let parsed = try JSONSerialization.jsonObject(with: Data([UInt8](document)))
    root = try #require(parsed as? [String: Any])
  }

  func member(_ path: String...) throws -> Any {
    try path.reduce(root as Any) { try #require(($0 as? [String: Any])?[$1]) }
  }
}

/// The description of the API against the program. What the server answers is held to it from outside.
@Suite struct DocumentTests {
  private let document: ParsedDocument

  init() throws { document = try ParsedDocument(document_openapi()) }

  @Test func `the document names this version`() throws {
    #expect(try document.member("info", "version") as? String == Version.current)
  }

  @Test func `every route is described, and nothing else`() throws {
    let directory = try TemporaryDirectory()
    let app = try App(
      Configuration(), store: Store(directory: directory.path, for: .command),
      key: try #require(SigningKey(bytes: Array(0..<32))), passwords: PasswordHasher(n: 2))
    let routes = Set(app.server.router.routes.map { "\($0.method.token) \($0.path)" })
    let paths = try #require(try document.member("paths") as? [String: [String: Any]])
    let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
    #expect(routes.subtracting(described).sorted() == [])
    #expect(described.subtracting(routes).sorted() == [])
  }

  @Test func `every kind of problem is described, and nothing else`() throws {
    let described = try document.member("components", "schemas", "ProblemType", "enum") as? [String]
    #expect(described?.sorted() == ProblemKind.allCases.map(\.type).sorted())
  }

  @Test func `every problem that is shown is one of the program's`() throws {
    let responses = try #require(try document.member("components", "responses") as? [String: [String: Any]])
    var count = 0
    for (name, response) in responses {
      let content = (response["content"] as? [String: [String: Any]])?["application/problem+json"]
      guard let example = content?["example"] as? [String: Any] else { continue }
      let kind = ProblemKind.allCases.first { $0.type == example["type"] as? String }
      #expect(kind?.title == example["title"] as? String, "\(name)")
      #expect(kind.map { Int($0.status.rawValue) } == example["status"] as? Int, "\(name)")
      count += 1
    }
    #expect(count > 15)
  }
}

/// The description of the WebSocket against the program. What goes over a socket is held to it from outside.
@Suite struct SocketDocumentTests {
  private let document: ParsedDocument

  init() throws { document = try ParsedDocument(document_asyncapi()) }

  @Test func `the document names this version`() throws {
    #expect(try document.member("info", "version") as? String == Version.current)
  }

  @Test func `every kind of problem that is described is one of the program's`() throws {
    let member = try document.member("components", "schemas", "ProblemType", "enum")
    let described = try #require(member as? [String])
    #expect(Set(described).subtracting(ProblemKind.allCases.map(\.type)).sorted() == [])
  }

  @Test func `every problem that is shown is one of the program's`() throws {
    let messages = try #require(try document.member("components", "messages") as? [String: [String: Any]])
    var count = 0
    for (name, message) in messages {
      for shown in message["examples"] as? [[String: Any]] ?? [] {
        guard let example = shown["payload"] as? [String: Any], example["type"] as? String == "error" else {
          continue
        }
        let kind = ProblemKind.allCases.first { $0.type == example["problem"] as? String }
        #expect(kind?.title == example["title"] as? String, "\(name)")
        #expect(kind.map { Int($0.status.rawValue) } == example["status"] as? Int, "\(name)")
        #expect(kind.map { Problem($0).isTemporary } == example["temporary"] as? Bool, "\(name)")
        count += 1
      }
    }
    #expect(count > 4)
  }
}

@Suite struct InlineElementTests {
  @Test func `the digest is of what stands between the tags`() {
    let page = Array("<html><script>let a</script><p></p></html>".utf8)
    // printf 'let a' | openssl dgst -sha256 -binary | base64
    #expect(
      InlineElement.digest("script", in: page) == "'sha256-IfEXP/8HLuXoAiy0hZVrCAcjcLsZqYFpLOHDGj8enqE='")
    #expect(InlineElement.digest("style", in: page) == nil)
    #expect(InlineElement.digest("p", in: page) == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='")
    #expect(InlineElement.digest("script", in: Array("<script>let a".utf8)) == nil)
  }
}
