import CDocuments
import COpenSSL
import Foundation
import Reactor

/// `/openapi.json`, `/asyncapi.json` and `/docs`: from memory, for anybody. (The files are in `Sources/CDocuments`.)
struct DocumentRoutes {
  private let openAPI = Shown(document_openapi(), "application/json")
  private let asyncAPI = Shown(document_asyncapi(), "application/json")
  private let page = Shown(document_page(), "text/html; charset=utf-8", Self.pageRules)

  /// The page's script and style stand in the page itself, named by their digests; it loads nothing from elsewhere, and
  /// no other page may frame it.
  private static let pageRules: [Response.Field] = {
    let page = [UInt8](document_page())
    let script = InlineElement.digest("script", in: page) ?? "'none'"
    let style = InlineElement.digest("style", in: page) ?? "'none'"
    let policy = """
      default-src 'none'; script-src \(script); style-src \(style); connect-src 'self'; base-uri 'none'; \
      form-action 'none'; frame-ancestors 'none'
      """
    return [.init("content-security-policy", policy), .init("referrer-policy", "no-referrer")]
  }()

  func openAPI(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    openAPI.response(request.value(of: "if-none-match"))
  }

  func asyncAPI(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    asyncAPI.response(request.value(of: "if-none-match"))
  }

  func page(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    page.response(request.value(of: "if-none-match"))
  }

  /// A document that is the same as long as the server runs, with its two answers.
  private struct Shown {
    private let found: Response
    private let notModified: Response
    private let tag: String

    init(_ document: Document, _ contentType: String, _ fields: [Response.Field] = []) {
      let body = [UInt8](document)
      tag = ETag.make(body)
      let common = [Response.Field("etag", tag), .init("cache-control", "public, max-age=300")]
      found = Response(
        .ok, fields: common + [.init("x-content-type-options", "nosniff")] + fields, body: body,
        contentType: contentType)
      notModified = Response(.notModified, fields: common)
    }

    func response(_ condition: String?) -> Response {
      guard let condition, ETag.matches(condition, tag) else { return found }
      return notModified
    }
  }
}

/// The one `<script>` or `<style>` of a page.
enum InlineElement {
  /// The source expression (CSP Level 3 §2.3.1) that allows just this content; nil if there is no such element.
  static func digest(_ name: String, in page: [UInt8]) -> String? {
    guard let start = page.firstRange(of: Array("<\(name)>".utf8))?.upperBound,
      let end = page[start...].firstRange(of: Array("</\(name)>".utf8))?.lowerBound
    else { return nil }
    let content = Array(page[start..<end])
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(content, content.count, &digest)
    return "'sha256-\(Data(digest).base64EncodedString())'"
  }
}

extension [UInt8] {
  init(_ document: Document) {
    self.init(UnsafeRawBufferPointer(start: document.bytes, count: document.count))
  }
}
