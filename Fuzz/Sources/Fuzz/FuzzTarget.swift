/// One thing under test: it is given bytes that libFuzzer made up, and traps when a property does not hold.
///
/// Properties are `precondition`s: Scripts/fuzz builds with optimisation, but with the standard library's checks and
/// messages of a debug build.
protocol FuzzTarget: SendableMetatype {
  static func run(_ bytes: UnsafeRawBufferPointer)
}

extension FuzzTarget {
  /// `RequestHead` for `RequestHeadTarget`; its corpus is in `Corpus/RequestHead`.
  static var name: String { String("\(self)".dropLast("Target".count)) }
}

/// All targets. A new one is added here and has its folder in `Corpus`.
let fuzzTargets: [any FuzzTarget.Type] = [
  RequestHeadTarget.self,
  ChunkedBodyTarget.self,
  FramesTarget.self,
  DeflateTarget.self,
  HandshakeTarget.self,
  JSONTarget.self,
  TokenTarget.self,
  ReadingsTarget.self,
  ConnectionTarget.self,
  ReactorTarget.self,
]
