import Glibc

/// `fuzz TARGET [libFuzzer's options and corpus folders]`. Without a target it lists them.
@main
struct FuzzCommand {
  /// The target under test. It is set once, before libFuzzer runs on this one thread.
  nonisolated(unsafe) fileprivate static var target: any FuzzTarget.Type = RequestHeadTarget.self

  static func main() {
    guard CommandLine.argc > 1, let target = fuzzTargets.first(where: { $0.name == CommandLine.arguments[1] })
    else {
      for target in fuzzTargets { print(target.name) }
      exit(CommandLine.argc > 1 ? EX_USAGE : 0)
    }
    Self.target = target
    // The shell that libFuzzer starts itself by (`-minimize_crash`, `-merge`) is given its first argument as it is:
    // with the target.
    var arguments = CommandLine.unsafeArgv + 1
    arguments[0] = strdup("\(CommandLine.arguments[0]) \(target.name)")
    var count = CommandLine.argc - 1
    exit(runLibFuzzer(&count, &arguments, fuzzOneInput))
  }
}

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// libFuzzer as a library: with `main` of our own, one binary holds all targets and is built and linked once.
@_silgen_name("LLVMFuzzerRunDriver")
private func runLibFuzzer(
  _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<Arguments>,
  _ run: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// By the name that the `main` in libFuzzer's archive looks for; it is linked in though nobody calls it.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  FuzzCommand.target.run(UnsafeRawBufferPointer(start: bytes, count: count))
  return 0
}
