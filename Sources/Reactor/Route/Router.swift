/// The table of routes: a tree of path segments. Literal segments win over `{…}`.
public final class Router {
  /// A class, as the router is: what is looked up for each request is passed on as one reference.
  final class Route {
    let endpoint: Endpoint
    let gate: Gate?
    let bodyLimit: Int
    let isDiscarding: Bool

    init(endpoint: Endpoint, gate: Gate?, bodyLimit: Int, isDiscarding: Bool = false) {
      self.endpoint = endpoint
      self.gate = gate
      self.bodyLimit = bodyLimit
      self.isDiscarding = isDiscarding
    }
  }

  struct Match {
    let route: Route
    let parameters: [String]
  }

  enum Outcome {
    case found(Match)
    /// Nothing here for that path or method: this answer.
    case answer(Response)
  }

  private final class Node {
    var literals: [(segment: [UInt8], node: Node)] = []
    var parameter: Node?
    /// The path as it was added.
    var path = ""
    var routes: [(method: Method, route: Route)] = []

    var all: [(method: Method, path: String)] {
      routes.map { ($0.method, path) }
        + (literals.map(\.node) + [parameter].compactMap(\.self)).flatMap(\.all)
    }
  }

  private let root = Node()
  private let refusal: (Status, String, [Response.Field]) -> Response
  /// Stands in for the route of a request that was answered early, while the rest of its body is thrown away.
  let discarding: Match

  /// - Parameters:
  ///   - bodyLimit: the limit of routes that name none; also how much is thrown away after an early answer.
  ///   - refusal: makes the answer for a path or a method that is not in the table.
  init(bodyLimit: Int, refusal: @escaping (Status, String, [Response.Field]) -> Response) {
    self.refusal = refusal
    discarding = Match(
      route: Route(endpoint: .loop { _, _ in nil }, gate: nil, bodyLimit: bodyLimit, isDiscarding: true),
      parameters: [])
  }

  /// - Parameter path: such as `/users/{id}/keys`; a `{…}` segment matches any one segment that is not empty.
  func add(_ method: Method, _ path: String, _ route: Route) {
    var node = root
    for segment in path.split(separator: "/") { node = child(of: node, for: segment) }
    precondition(
      !node.routes.contains { $0.method == method }, "the route \(method.token) \(path) is there twice")
    node.path = path
    node.routes.append((method, route))
  }

  /// What is in the table.
  var routes: [(method: Method, path: String)] { root.all }

  private func child(of node: Node, for segment: Substring) -> Node {
    if segment.hasPrefix("{") {
      let found = node.parameter ?? Node()
      node.parameter = found
      return found
    }
    let bytes = Array(segment.utf8)
    if let found = node.literals.first(where: { $0.segment == bytes }) { return found.node }
    let made = Node()
    node.literals.append((bytes, made))
    return made
  }

  func match(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Outcome {
    let path = UnsafeRawBufferPointer(rebasing: bytes[head.path.range])
    if head.method == .options && (path.isEmpty || path.elementsEqual("*".utf8)) {
      return .answer(Response(.noContent))
    }
    var parameters: [String] = []
    guard let node = find(path, &parameters), !node.routes.isEmpty else {
      return .answer(refusal(.notFound, "There is nothing at this path.", []))
    }
    // RFC 9110 §9.3.2: HEAD is GET without the content; the encoder leaves it out.
    let wanted = head.method == .head ? Method.get : head.method
    if let found = node.routes.first(where: { $0.method == wanted }) {
      return .found(Match(route: found.route, parameters: parameters))
    }
    let allow = Response.Field("allow", allowed(node))
    if head.method == .options { return .answer(Response(.noContent, fields: [allow])) }
    return .answer(refusal(.methodNotAllowed, "This resource does not have this method.", [allow]))
  }

  private func allowed(_ node: Node) -> String {
    var methods = node.routes.map { "\($0.method.token)" }
    if methods.contains("GET") { methods.append("HEAD") }
    methods.append("OPTIONS")
    return methods.joined(separator: ", ")
  }

  /// Walks the segments. `/a//b` and `/a/` are other paths than `/a/b` and `/a`: 404.
  private func find(_ path: UnsafeRawBufferPointer, _ parameters: inout [String]) -> Node? {
    guard path.first == UInt8(ascii: "/") else { return nil }
    var node = root
    var start = 1
    if path.count == 1 { return root }
    while start <= path.count {
      let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.count
      let segment = UnsafeRawBufferPointer(rebasing: path[start..<end])
      guard !segment.isEmpty, let next = step(from: node, over: segment, &parameters) else { return nil }
      node = next
      start = end + 1
    }
    return path.last == UInt8(ascii: "/") ? nil : node
  }

  private func step(
    from node: Node, over segment: UnsafeRawBufferPointer, _ parameters: inout [String]
  ) -> Node? {
    for literal in node.literals where literal.segment.elementsEqual(segment) { return literal.node }
    guard let next = node.parameter, let value = percentDecoded(segment, as: .pathSegment) else { return nil }
    parameters.append(value)
    return next
  }
}
