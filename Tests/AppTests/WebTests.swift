import Foundation
import Reactor
import Testing

@testable import App

@Suite struct ProblemTests {
  @Test func `every kind has a type, a title and an error status`() {
    for kind in ProblemKind.allCases {
      #expect(kind.type == "/problems/\(kind.rawValue)")
      #expect(!kind.title.isEmpty)
      #expect((400..<600).contains(kind.status.rawValue))
    }
    #expect(Set(ProblemKind.allCases.map(\.title)).count == ProblemKind.allCases.count)
  }

  @Test(arguments: [
    (Status.badRequest, ProblemKind.malformed), (.unauthorized, .unauthorized), (.notFound, .notFound),
    (.unprocessableContent, .validation), (.internalServerError, .internal), (.serviceUnavailable, .busy),
    (.headerFieldsTooLarge, .headerTooLarge), (Status(rawValue: 418), .malformed),
    (Status(rawValue: 599), .internal),
  ])
  func `a bare status has a kind`(_ status: Status, _ kind: ProblemKind) {
    #expect(ProblemKind(status: status) == kind)
  }

  @Test func `a problem is an RFC 9457 object`() throws {
    let problem = Problem.validation("/user~name", #"must "be""#)
    let response = problem.response
    #expect(response.status == .unprocessableContent)
    #expect(response.fields == [Response.Field("content-type", "application/problem+json")])
    #expect(
      String(decoding: response.body, as: UTF8.self)
        == #"{"detail":"Some fields are not valid.","errors":[{"detail":"must \"be\"","pointer":"/user~name"}],"status":422,"#
        + #""title":"Some fields are not valid","type":"/problems/validation"}"#)
  }

  @Test func `busy says when to come again`() {
    #expect(Problem.busy.response.fields.contains(Response.Field("retry-after", "1")))
    #expect(String(decoding: Problem.busy.json, as: UTF8.self).contains(#""retry_after_ms":1000"#))
  }

  @Test func `what fails inside does not show outside`() {
    struct Secret: Error {}
    let response = Answer.from { throw Secret() }
    #expect(response.status == .internalServerError)
    #expect(!String(decoding: response.body, as: UTF8.self).contains("Secret"))
  }
}

@Suite struct JSONTests {
  private struct Body: Decodable, Equatable {
    struct Inner: Decodable, Equatable { let name: String }
    let list: [Inner]
    let flag: Bool?
    let number: Int?
  }

  private func problem(_ bytes: [UInt8]) -> Problem? {
    do {
      _ = try JSON.decode(Body.self, from: bytes)
      return nil
    } catch { return error }
  }

  @Test(arguments: [
    "", "{", "nope", "{'a':1}", #"{"list":[],}x"#, "\u{FEFF}", #"{"list":[]}{"#, "{\"list\":[]}\u{0}",
  ])
  func `what is not JSON is malformed`(_ text: String) {
    #expect(problem(Array(text.utf8))?.kind == .malformed)
  }

  @Test func `bytes that are not UTF-8 are malformed`() {
    let bytes = Array(#"{"list":[{"name":""#.utf8) + [0xC3, 0x28] + Array(#""}]}"#.utf8)
    let kind = problem(bytes)?.kind
    #expect(kind == .malformed || kind == .validation)
  }

  @Test(arguments: [
    ("null", ""), ("[]", ""), ("1", ""), (#""x""#, ""), ("{}", "/list"), (#"{"list":null}"#, "/list"),
    (#"{"list":{}}"#, "/list"), (#"{"list":[{"name":1}]}"#, "/list/0/name"), (#"{"list":[null]}"#, "/list/0"),
    (#"{"list":[],"flag":1}"#, "/flag"), (#"{"list":[],"number":1e99}"#, ""),
    (#"{"list":[],"number":1.5}"#, ""),
  ])
  func `JSON of other types names the place`(_ text: String, _ pointer: String) {
    let problem = problem(Array(text.utf8))
    #expect(problem?.kind == .validation, "\(String(describing: problem))")
    #expect(problem?.errors.map(\.pointer) == [pointer])
  }

  @Test(arguments: ["[", #"{"a":"#, #"{"list":["#, #"[{"a":"#])
  func `depth is no bomb`(_ opening: String) {
    let bytes = Array(String(repeating: opening, count: 200_000).utf8)
    #expect(problem(bytes)?.kind == .malformed)
  }

  @Test func `deep and closed is no bomb either`() {
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    #expect(problem(Array(#"{"list":[],"x":\#(deep)}"#.utf8))?.kind == .malformed)
  }

  @Test func `a name that comes twice is no trap`() {
    #expect(problem(Array(#"{"list":[],"list":[],"flag":true,"flag":false}"#.utf8)) == nil)
  }

  @Test func `the same object has the same bytes`() throws {
    let value = ["b": 1, "a": 2, "c": 3]
    #expect(try JSON.encode(value) == Array(#"{"a":2,"b":1,"c":3}"#.utf8))
  }
}

@Suite struct QueryTests {
  @Test func `parameters are decoded, and the first of a name wins`() throws {
    let query = try Query("q=a%20b+c%C3%A9&x&q=2&=&y=1=2&%71z=1")
    #expect(query["q"] == "a b cé")
    #expect(query["x"] == "")
    #expect(query["y"] == "1=2")
    #expect(query["qz"] == "1")
    #expect(query["z"] == nil)
    #expect(try Query(nil)["q"] == nil)
  }

  @Test(arguments: ["q=%", "q=%1", "q=%zz", "q=%C3", "%FF=1"])
  func `a wrong encoding is malformed`(_ text: String) {
    let problem = #expect(throws: Problem.self) { try Query(text) }
    #expect(problem?.kind == .malformed)
  }

  @Test(arguments: [
    (nil, 50), ("limit=1", 1), ("limit=500", 500), ("limit=501", 500), ("limit=999999999", 500),
  ])
  func `a page has a limit`(_ text: String?, _ limit: Int) throws {
    #expect(try Query(text).limit() == limit)
  }

  @Test(arguments: ["limit=0", "limit=-1", "limit=", "limit=x", "limit=1.5", "limit=99999999999999999999"])
  func `what is no limit is named`(_ text: String) throws {
    let query = try Query(text)
    let problem = #expect(throws: Problem.self) { try query.limit() }
    #expect(problem?.errors.map(\.pointer) == ["?limit"])
  }

  @Test(arguments: ["", "abc-._~", "a b&c=d+é%", "\u{0}\"<>"])
  func `what is encoded decodes to the same`(_ text: String) throws {
    #expect(try Query("q=" + Query.encode(text))["q"] == text)
  }

  @Test func `a cursor is read as it was written, and junk is named`() throws {
    #expect(try Cursor.decode(Cursor.encode("ann")) == "ann")
    #expect(try Cursor.decode(nil) == nil)
    for junk in ["!", "Zg==", "_w"] {
      let problem = #expect(throws: Problem.self) { try Cursor.decode(junk) }
      #expect(problem?.kind == .validation)
    }
  }
}

@Suite struct ETagTests {
  @Test(arguments: [
    (#""a""#, true), (#"W/"a""#, true), ("*", true), (#""b", "a""#, true), (#""b" ,W/"a" , "c""#, true),
    (#""b""#, false), ("a", false), ("", false), (#""a"#, false), (",,", false),
  ])
  func `If-None-Match compares weakly`(_ condition: String, _ matches: Bool) {
    #expect(ETag.matches(condition, #""a""#) == matches)
  }

  @Test func `the tag follows the bytes`() {
    #expect(ETag.make([1]) == ETag.make([1]))
    #expect(ETag.make([1]) != ETag.make([2]))
    #expect(ETag.make([]).hasPrefix("\"") && ETag.make([]).hasSuffix("\""))
  }
}

@Suite struct LogRecordTests {
  private let record = LogRecord(
    time: Timestamp(milliseconds: 0), level: "info", label: "wattloop", message: "hello\nworld",
    metadata: ["path": "/a\u{1B}[2J\u{202E}", "id": "7"])

  @Test func `a text line is one line, without control characters`() {
    var bytes: [UInt8] = []
    record.appendText(to: &bytes)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "1970-01-01T00:00:00.000Z info wattloop: hello\\nworld id=7 path=/a\\u{1B}[2J\\u{202E}\n")
  }

  @Test func `a JSON line is one object`() throws {
    var bytes: [UInt8] = []
    record.appendJSON(to: &bytes)
    #expect(bytes.filter { $0 == 0x0A }.count == 1)
    let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    #expect(object?["message"] as? String == "hello\nworld")
    #expect((object?["fields"] as? [String: String])?["id"] == "7")
  }
}
